"""The columns that other parts, and files already written, rely on."""

from __future__ import annotations

import pytest

from tryon.files import digest
from tryon.manifest import FINDINGS, INDEX, MANIFEST, PACKED, SLICE_COLUMNS, TableSchema

PINNED = {
    "index": (2, "24fa5fa5e3c10a33"),
    "findings": (1, "19f070e520486909"),
    "manifest": (1, "a16837d638c04ab8"),
    "packed": (1, "2e631cf42d7362bd"),
}


@pytest.mark.parametrize("schema", [INDEX, FINDINGS, MANIFEST, PACKED], ids=lambda schema: schema.kind)
def test_a_change_of_columns_raises_the_version(schema: TableSchema) -> None:
    columns = [(field.name, str(field.type), field.nullable) for field in schema.columns]
    assert (schema.version, digest(columns)) == PINNED[schema.kind], "raise the version and pin the new columns"


def test_slices_travel_from_manifest_to_packed_rows_with_the_same_types() -> None:
    for name in SLICE_COLUMNS:
        assert MANIFEST.columns.field(name).equals(PACKED.columns.field(name))
