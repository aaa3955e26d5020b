"""Finished shards in the work area: masks of some hundred people each, reused only after their hash was verified.

A shard's name is a digest of all that its content depends on. What a killed run left is found again by name, and work
of other parameters, other code or other files is never mistaken for it. The shards of the last finished run are kept
beside the work area: of a source that has grown, only the new people's masks are made.
"""

from __future__ import annotations

import shutil
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from tryon.agnostic.masks.audit import NUMBERS
from tryon.agnostic.process_person import MaskJob, PersonFiles, process_batch
from tryon.errors import TryOnError
from tryon.manifest import TableSchema, read_table, table_from_rows, write_table
from tryon.runtime.atomic_files import checksum_ok, checksum_path, short_hash, write_checksum

MASKS = TableSchema(
    "masks",
    3,
    pa.schema(
        [
            pa.field("person_id", pa.string(), nullable=False),
            pa.field("made_from", pa.string()),
            pa.field("mask_png", pa.binary()),
            *(pa.field(name, pa.float32()) for name in NUMBERS),
            *(pa.field(name, pa.string()) for name in ("worn", "sleeve", "arm_pose")),
            pa.field("missing_joints", pa.int8()),
            pa.field("reason", pa.string()),
        ]
    ),
    "tryon agnostic",
)
"""One row per person: mask and audit, or the reason why there is none. The words are told from label map and key
points; in the manifest, those of the index go before them. `made_from` is a digest of all that the row depends on."""

ReusableShards = Mapping[str, tuple[Path, ...]]
"""By the name of a shard's file: files of the last finished run that hold some of its people."""


def work_folder(making: MaskJob) -> Path:
    """Work area of one category."""
    return making.workspace.work_dir("agnostic") / making.category


def shard_path(people: Sequence[PersonFiles], making: MaskJob, config_hash: str) -> Path:
    """Where the masks of these people lie when they are made."""
    return work_folder(making) / f"{short_hash([config_hash, people])}.parquet"


def make_shard(
    people: Sequence[PersonFiles], making: MaskJob, config_hash: str, earlier: ReusableShards | None = None
) -> Path:
    """Make the masks of these people unless they are there and whole. Can be called from any process or thread.

    Args:
        people: of the shard.
        making: what the masks depend on besides.
        recipe: its digest.
        earlier: as `reusable_shards` gives it; rows found there are taken from there.

    Returns:
        The shard's file. Beside it lies its SHA-256, written last.
    """
    path = shard_path(people, making, config_hash)
    if not checksum_ok(path):
        keys = [_made_from(person, config_hash) for person in people]
        rows = _rows_of((earlier or {}).get(path.name, ()), set(keys))
        new = [person for person, key in zip(people, keys, strict=True) if key not in rows]
        made = {
            _made_from(person, config_hash): row for person, row in zip(new, process_batch(new, making), strict=True)
        }
        rows |= {key: row | {"made_from": key} for key, row in made.items()}
        write_table(path, table_from_rows([rows[key] for key in keys], MASKS), MASKS, {"config_hash": config_hash})
        write_checksum(path)
    return path


def reusable_shards(shards: Iterable[Sequence[PersonFiles]], making: MaskJob, config_hash: str) -> ReusableShards:
    """Where the last finished run has left masks of the people of these shards."""
    found: dict[str, Path] = {}
    for path in sorted(_kept_folder(making).glob("*.parquet")):
        found |= dict.fromkeys(_keys_in(path), path)
    files: defaultdict[str, dict[Path, None]] = defaultdict(dict)
    for people in shards if found else ():
        own = [found[key] for person in people if (key := _made_from(person, config_hash)) in found]
        if own:
            files[shard_path(people, making, config_hash).name] = dict.fromkeys(own)
    return {name: tuple(paths) for name, paths in files.items()}


def store_shards_for_reuse(paths: Iterable[Path], making: MaskJob) -> None:
    """Keep the shards of a finished run for the next one, in the place of earlier ones, and clear the work area."""
    area, kept = work_folder(making), _kept_folder(making)
    wanted = {file for path in paths for file in (path, checksum_path(path))}
    shutil.rmtree(kept, ignore_errors=True)
    kept.parent.mkdir(parents=True, exist_ok=True)
    for other in set(area.iterdir()) - wanted if area.is_dir() else ():
        other.unlink()
    if area.is_dir():
        area.replace(kept)


def _rows_of(paths: Iterable[Path], keys: set[str]) -> dict[str, dict[str, Any]]:
    """Rows of files that are whole, by their keys."""
    rows = (row for path in paths if checksum_ok(path) for row in read_table(path, MASKS).to_pylist())
    return {row["made_from"]: row for row in rows if row["made_from"] in keys}


def _keys_in(path: Path) -> list[str]:
    """`made_from` of a shard's rows; nothing if it is not whole or was written by another version of the code."""
    try:
        return read_table(path, MASKS, ["made_from"]).column(0).to_pylist() if checksum_ok(path) else []
    except TryOnError:
        return []


def _made_from(person: PersonFiles, recipe: str) -> str:
    return short_hash([recipe, person])


def _kept_folder(making: MaskJob) -> Path:
    return making.workspace.work_dir("agnostic") / "kept" / making.category
