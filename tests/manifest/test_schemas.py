"""Versions and columns of the schemas are pinned."""

from __future__ import annotations

import pytest

from tryon.manifest import FINDINGS, INDEX, MANIFEST, MASK_PREVIEWS, PACKED, SLICE_COLUMNS, TableSchema
from tryon.runtime.atomic_files import short_hash

PINNED = {
    "index": (4, "865de4922581c9b3"),
    "findings": (2, "6290e7ede497c2ee"),
    "manifest": (3, "2e2fd6acf56a51aa"),
    "packed": (4, "62e4de61fff4dfec"),
    "mask_previews": (2, "e44e54339d70fedf"),
}


@pytest.mark.parametrize("schema", [INDEX, FINDINGS, MANIFEST, PACKED, MASK_PREVIEWS], ids=lambda schema: schema.kind)
def test_columns_match_the_pinned_version(schema: TableSchema) -> None:
    columns = [(field.name, str(field.type), field.nullable) for field in schema.columns]
    assert (schema.version, short_hash(columns)) == PINNED[schema.kind], "raise the version and pin the new columns"


def test_slice_columns_have_the_same_types_in_manifest_and_packed_rows() -> None:
    for name in SLICE_COLUMNS:
        assert MANIFEST.columns.field(name).equals(PACKED.columns.field(name))
