"""The columns that other parts, and files already written, rely on."""

from __future__ import annotations

import pytest

from tryon.manifest import FINDINGS, INDEX, MANIFEST, MASK_PREVIEWS, PACKED, SLICE_COLUMNS, TableSchema
from tryon.runtime.atomic_files import short_hash

PINNED = {
    "index": (3, "151cf16855da555b"),
    "findings": (1, "19f070e520486909"),
    "manifest": (2, "bf1220197d405c95"),
    "packed": (3, "5698fe14077ccac6"),
    "shown": (1, "a06ea2ac542de58d"),
}


@pytest.mark.parametrize("schema", [INDEX, FINDINGS, MANIFEST, PACKED, MASK_PREVIEWS], ids=lambda schema: schema.kind)
def test_a_change_of_columns_raises_the_version(schema: TableSchema) -> None:
    columns = [(field.name, str(field.type), field.nullable) for field in schema.columns]
    assert (schema.version, short_hash(columns)) == PINNED[schema.kind], "raise the version and pin the new columns"


def test_slices_travel_from_manifest_to_packed_rows_with_the_same_types() -> None:
    for name in SLICE_COLUMNS:
        assert MANIFEST.columns.field(name).equals(PACKED.columns.field(name))
