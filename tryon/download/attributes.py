"""The side file `attributes.csv`: worn type, sleeve, neckline and pattern of each garment, where they are known."""

from __future__ import annotations

import csv
from pathlib import Path

from tryon.dresscode.layout import ATTRIBUTE_COLUMNS, ATTRIBUTES_FILE, GARMENT_ATTRIBUTES
from tryon.errors import SourceError

Attributes = dict[tuple[str, str], dict[str, str | None]]
"""(category, garment id) to the four attributes; None where one is empty."""


def read_attributes(raw: Path) -> Attributes:
    """Read the side file; empty when the source has none.

    Raises:
        SourceError: it is no CSV text, or lacks a column.
    """
    path = raw / ATTRIBUTES_FILE
    if not path.exists():
        return {}
    try:
        with path.open(encoding="utf-8", newline="") as stream:
            reader = csv.DictReader(stream)
            columns, rows = reader.fieldnames or (), list(reader)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise SourceError(ATTRIBUTES_FILE, rule="is a CSV file in UTF-8", value=str(error)) from error
    absent = set(ATTRIBUTE_COLUMNS) - set(columns)
    if absent:
        raise SourceError(ATTRIBUTES_FILE, rule=f"has the columns {', '.join(sorted(absent))}", value=list(columns))
    return {
        (row["category"], row["garment_id"]): {name: row[name] or None for name in GARMENT_ATTRIBUTES} for row in rows
    }
