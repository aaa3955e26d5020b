"""Tables that stages exchange: versioned schemas, reader and writer."""

from tryon.manifest.schemas import FINDINGS, INDEX, MANIFEST, MASK_PREVIEWS, PACKED, SLICE_COLUMNS, TableSchema
from tryon.manifest.table import read_metadata, read_table, table_from_rows, write_table, write_tables

__all__ = [
    "FINDINGS",
    "INDEX",
    "MANIFEST",
    "MASK_PREVIEWS",
    "PACKED",
    "SLICE_COLUMNS",
    "TableSchema",
    "read_metadata",
    "read_table",
    "table_from_rows",
    "write_table",
    "write_tables",
]
