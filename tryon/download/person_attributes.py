"""Side files, where there are any: `attributes.csv` says what each garment is, `people.csv` how each person stands."""

from __future__ import annotations

import csv
from pathlib import Path

from tryon.dresscode.layout import ATTRIBUTES_FILE, GARMENT_ATTRIBUTES, PEOPLE_FILE
from tryon.errors import SourceError

Attributes = dict[tuple[str, str], dict[str, str | None]]
"""(category, id) to what is known by name; None where a field is empty."""


def read_garment_attributes(raw: Path) -> Attributes:
    """Worn type, sleeve, neckline and pattern by garment; empty when the source does not tell.

    Raises:
        SourceError: the file is no CSV text, or lacks a column.
    """
    return _read(raw, ATTRIBUTES_FILE, "garment_id", GARMENT_ATTRIBUTES)


def read_person_attributes(raw: Path) -> Attributes:
    """Arm pose by person; empty when the source does not tell.

    Raises:
        SourceError: the file is no CSV text, or lacks a column.
    """
    return _read(raw, PEOPLE_FILE, "person_id", ("arm_pose",))


def _read(raw: Path, name: str, key: str, known: tuple[str, ...]) -> Attributes:
    path = raw / name
    if not path.exists():
        return {}
    try:
        with path.open(encoding="utf-8", newline="") as stream:
            reader = csv.DictReader(stream)
            columns, rows = reader.fieldnames or (), list(reader)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise SourceError(name, expected="is a CSV file in UTF-8", found=str(error)) from error
    absent = {"category", key, *known} - set(columns)
    if absent:
        raise SourceError(name, expected=f"has the columns {', '.join(sorted(absent))}", found=list(columns))
    return {(row["category"], row[key]): {column: row[column] or None for column in known} for row in rows}
