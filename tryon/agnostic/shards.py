"""Compute masks in shards in the work directory, and reuse those of earlier runs if their checksum is valid.

A shard is named by a hash of everything that its content depends on: a resumed run finds it, a run with other settings,
code or files does not. The shards of the last finished run are kept, so that of a grown source only masks of new
people are computed.
"""

from __future__ import annotations

import shutil
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
"""One row per person: mask and audit, or the reason why there is none. Attributes are classified from label map and key
points; in the manifest, those of the index take precedence. `made_from` is a hash of all that the row depends on."""

ReusableShards = Mapping[str, tuple[Path, ...]]
"""By a shard's file name: files of the last finished run that contain some of its people."""


def work_folder(job: MaskJob) -> Path:
    """Return the work directory of one category."""
    return job.workspace.work_dir("agnostic") / job.category


def shard_path(people: Sequence[PersonFiles], job: MaskJob, config_hash: str) -> Path:
    """Return the path of the shard of these people."""
    return work_folder(job) / f"{short_hash([config_hash, people])}.parquet"


def make_shard(
    people: Sequence[PersonFiles], job: MaskJob, config_hash: str, earlier: ReusableShards | None = None
) -> Path:
    """Compute the masks of a shard unless its file is complete, in any process or thread.

    Rows of `earlier` shards are copied. Returns the shard's file, whose checksum is written last.
    """
    path = shard_path(people, job, config_hash)
    if not checksum_ok(path):
        keys = [_made_from(person, config_hash) for person in people]
        rows = _read_rows((earlier or {}).get(path.name, ()), set(keys))
        new = {key: person for key, person in zip(keys, people, strict=True) if key not in rows}
        results = process_batch(list(new.values()), job)
        rows |= {key: row | {"made_from": key} for key, row in zip(new, results, strict=True)}
        write_table(path, table_from_rows([rows[key] for key in keys], MASKS), MASKS, {"config_hash": config_hash})
        write_checksum(path)
    return path


def reusable_shards(shards: Iterable[Sequence[PersonFiles]], job: MaskJob, config_hash: str) -> ReusableShards:
    """Find the files of the last finished run with masks of the people of these shards."""
    sources: dict[str, Path] = {}
    for path in sorted(_finished_folder(job).glob("*.parquet")):
        sources |= dict.fromkeys(_read_keys(path), path)
    files: dict[str, tuple[Path, ...]] = {}
    for people in shards if sources else ():
        keys = (_made_from(person, config_hash) for person in people)
        if paths := dict.fromkeys(sources[key] for key in keys if key in sources):
            files[shard_path(people, job, config_hash).name] = tuple(paths)
    return files


def store_shards_for_reuse(paths: Iterable[Path], job: MaskJob) -> None:
    """Replace the stored shards by those of a finished run, and clear the work directory."""
    work, finished = work_folder(job), _finished_folder(job)
    files = {file for path in paths for file in (path, checksum_path(path))}
    shutil.rmtree(finished, ignore_errors=True)
    finished.parent.mkdir(parents=True, exist_ok=True)
    if work.is_dir():
        for extra in set(work.iterdir()) - files:
            extra.unlink()
        work.replace(finished)


def _read_rows(paths: Iterable[Path], keys: set[str]) -> dict[str, dict[str, Any]]:
    """Read rows of complete files by `made_from`."""
    rows = (row for path in paths if checksum_ok(path) for row in read_table(path, MASKS).to_pylist())
    return {row["made_from"]: row for row in rows if row["made_from"] in keys}


def _read_keys(path: Path) -> list[str]:
    """Read `made_from` of a shard; empty if it is incomplete or of another version."""
    try:
        return read_table(path, MASKS, ["made_from"]).column(0).to_pylist() if checksum_ok(path) else []
    except TryOnError:
        return []


def _made_from(person: PersonFiles, config_hash: str) -> str:
    return short_hash([config_hash, person])


def _finished_folder(job: MaskJob) -> Path:
    return job.workspace.work_dir("agnostic") / "kept" / job.category
