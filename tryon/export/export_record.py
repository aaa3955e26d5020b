"""Read and write `export.json`, which records the settings and inputs of an export so that it can be resumed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tryon.categories import Category
from tryon.dresscode.readers import Size
from tryon.errors import ParameterError
from tryon.export import Format
from tryon.runtime.atomic_files import write_json
from tryon.runtime.code_version import code_version

RECORD_FILE = "export.json"
_KIND, _VERSION = "tryon export", 1
_UNFINISHED, _FINISHED = "unfinished", "finished"
_LABELS = {
    "kind": "program", "version": "version of this file", "format": "layout", "size": "size",
    "code": "version of the code",
}  # fmt: skip
_HINT = "Choose another folder, or remove this one."

ExportRecord = dict[str, Any]


def new_record(format: Format, size: Size | None) -> ExportRecord:
    """Create the record of an export without categories."""
    code = code_version("tryon.export.row_files")
    header = {"kind": _KIND, "version": _VERSION, "format": format.value, "size": list(size) if size else None}
    return header | {"code": code, "categories": {}}


def read_record(out: Path, expected: ExportRecord) -> ExportRecord:
    """Read the record of `out`, or return `expected` if the folder is new or empty.

    Raises:
        ParameterError: `out` is not a folder, or contains other files or another export.
    """
    if not out.exists():
        return expected
    if not out.is_dir():
        raise ParameterError(f"--out {out} is not a folder")
    path = out / RECORD_FILE
    if not path.exists():
        if {entry.name for entry in out.iterdir()} - {f".{RECORD_FILE}.tmp"}:
            raise ParameterError(
                f"--out {out} contains other files",
                expected="an empty or new folder, or an export to resume",
                hint="Choose another folder.",
            )
        return expected
    try:
        record = json.loads(path.read_text())
    except (OSError, ValueError):
        record = None
    if not isinstance(record, dict) or not isinstance(record.get("categories"), dict):
        raise ParameterError(f"--out {out} has an invalid {RECORD_FILE}", hint=_HINT)
    different = [label for name, label in _LABELS.items() if record.get(name) != expected[name]]
    if different:
        raise ParameterError(
            f"--out {out} contains an export that cannot be resumed",
            found=f"another {', '.join(different)}",
            expected=f"the layout {expected['format']}, the same size and the same version of the code",
            hint=_HINT,
        )
    return record


def mark_started(record: ExportRecord, category: Category, facts: dict[str, Any], out: Path) -> None:
    """Mark a category as unfinished.

    Raises:
        ParameterError: the folder contains the category from another manifest or with other settings.
    """
    recorded = record["categories"].get(category)
    if recorded is not None and {**recorded, "state": ""} != {**facts, "state": ""}:
        different = [name for name in facts if recorded.get(name) != facts[name]]
        raise ParameterError(
            f"--out {out} contains {category} from another manifest or with other settings",
            found=f"other {', '.join(different)}",
            hint=_HINT,
        )
    record["categories"][category] = facts | {"state": _UNFINISHED}


def mark_finished(record: ExportRecord, category: Category) -> None:
    """Mark a category as finished."""
    record["categories"][category]["state"] = _FINISHED


def write_record(record: ExportRecord, out: Path) -> None:
    """Write the record, with the categories in their canonical order."""
    categories = record["categories"]
    ordered = {name: categories[name] for name in Category if name in categories}
    write_json(out / RECORD_FILE, record | {"categories": ordered})
