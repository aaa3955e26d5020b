"""Finished shards in the work area: masks of some hundred people each, reused only after their hash was verified.

A shard's name is a digest of all that its content depends on. What a killed run left is found again by name, and work
of other parameters, other code or other files is never mistaken for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa

from tryon.agnostic.audit import NUMBERS
from tryon.agnostic.people import Making, Person, mask_people
from tryon.files import digest
from tryon.manifest import TableSchema, table_from_rows, write_table
from tryon.staging import is_whole, note_whole

MASKS = TableSchema(
    "masks",
    2,
    pa.schema(
        [
            pa.field("person_id", pa.string(), nullable=False),
            pa.field("mask_png", pa.binary()),
            *(pa.field(name, pa.float32()) for name in NUMBERS),
            *(pa.field(name, pa.string()) for name in ("worn", "sleeve", "arm_pose")),
            pa.field("missing_joints", pa.int8()),
            pa.field("reason", pa.string()),
        ]
    ),
)
"""One row per person: mask and audit, or the reason why there is none. The words are told from label map and key
points; in the manifest, those of the index go before them."""


def staging_folder(making: Making) -> Path:
    """Work area of one category."""
    return making.workspace.staging("agnostic") / making.category


def shard_path(people: Sequence[Person], making: Making, recipe: str) -> Path:
    """Where the masks of these people lie when they are made."""
    return staging_folder(making) / f"{digest([recipe, people])}.parquet"


def make_shard(people: Sequence[Person], making: Making, recipe: str) -> Path:
    """Make the masks of these people unless they are there and whole. Can be called from any process or thread.

    Returns:
        The shard's file. Beside it lies its SHA-256, written last.
    """
    path = shard_path(people, making, recipe)
    if not is_whole(path):
        write_table(path, table_from_rows(mask_people(people, making), MASKS), MASKS, {"recipe": recipe})
        note_whole(path)
    return path
