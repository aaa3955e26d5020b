"""Read the optional side files: garment attributes from `attributes.csv`, poses from `people.csv`."""

from __future__ import annotations

import csv
from pathlib import Path

from tryon.dresscode.layout import ATTRIBUTES_FILE, GARMENT_ATTRIBUTES, PEOPLE_FILE
from tryon.errors import SourceError

Attributes = dict[tuple[str, str], dict[str, str | None]]
"""Attributes by (category, id); None where a field is empty."""


def read_garment_attributes(raw: Path) -> Attributes:
    """Read garment type, sleeve, neckline and pattern by garment; empty without the file.

    Raises:
        SourceError: the file is not CSV, or lacks a column.
    """
    return _read(raw, ATTRIBUTES_FILE, "garment_id", GARMENT_ATTRIBUTES)


def read_person_attributes(raw: Path) -> Attributes:
    """Read the arm pose by person; empty without the file.

    Raises:
        SourceError: the file is not CSV, or lacks a column.
    """
    return _read(raw, PEOPLE_FILE, "person_id", ("arm_pose",))


def _read(raw: Path, name: str, key: str, attributes: tuple[str, ...]) -> Attributes:
    path = raw / name
    if not path.exists():
        return {}
    try:
        with path.open(encoding="utf-8", newline="") as stream:
            reader = csv.DictReader(stream)
            columns, rows = reader.fieldnames or (), list(reader)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise SourceError(f"{name} is not a CSV file in UTF-8", found=str(error)) from error
    missing = {"category", key, *attributes} - set(columns)
    if missing:
        raise SourceError(f"{name} lacks the columns {', '.join(sorted(missing))}", found=list(columns))
    return {(row["category"], row[key]): {column: row[column] or None for column in attributes} for row in rows}
