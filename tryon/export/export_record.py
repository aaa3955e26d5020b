"""`export.json`: what a folder is an export of. By it a later run knows whether it may go on there."""

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
_WORDS = {
    "kind": "program",
    "version": "version of this file",
    "format": "layout",
    "size": "size",
    "code": "version of the code",
}
_ELSEWHERE = "Name another folder, or remove this one."

ExportRecord = dict[str, Any]


def new_record(format: Format, size: Size | None) -> ExportRecord:
    """Stamp of an export without any category yet."""
    code = code_version("tryon.export.row_files")
    head = {"kind": _KIND, "version": _VERSION, "format": format.value, "size": list(size) if size else None}
    return head | {"code": code, "categories": {}}


def read_record(out: Path, expected: ExportRecord) -> ExportRecord:
    """The stamp of what lies in `out`, or `wanted` where there is nothing yet.

    Raises:
        ParameterError: something else is there: no folder, files that are not ours, or another export.
    """
    if not out.exists():
        return expected
    if not out.is_dir():
        raise ParameterError("--out", expected="is a folder", found=str(out))
    path = out / RECORD_FILE
    if not path.exists():
        if {entry.name for entry in out.iterdir()} - {f".{RECORD_FILE}.tmp"}:
            rule = "is an empty folder, one that is not there yet, or an export to go on with"
            raise ParameterError("--out", expected=rule, found=str(out), hint="Name another folder.")
        return expected
    found = _read(path)
    other = [_WORDS[name] for name in _WORDS if found.get(name) != expected[name]]
    if other:
        rule = f"is an export to go on with, by this code, in the layout {expected['format']} and of the same size"
        raise ParameterError(f"--out {out}", expected=rule, found=f"another {', '.join(other)}", hint=_ELSEWHERE)
    return found


def mark_started(stamp: ExportRecord, category: Category, facts: dict[str, Any], out: Path) -> None:
    """Note a category as unfinished.

    Raises:
        ParameterError: the folder has the category already, from another manifest or of other settings.
    """
    there = stamp["categories"].get(category)
    if there is not None and {**there, "state": ""} != {**facts, "state": ""}:
        other = [name for name in facts if there.get(name) != facts[name]]
        rule = f"has {category} from the manifest as it is now, with the same settings"
        raise ParameterError(f"--out {out}", expected=rule, found=f"other {', '.join(other)}", hint=_ELSEWHERE)
    stamp["categories"][category] = facts | {"state": _UNFINISHED}


def mark_finished(stamp: ExportRecord, category: Category) -> None:
    """Note a category as finished."""
    stamp["categories"][category]["state"] = _FINISHED


def write_record(stamp: ExportRecord, out: Path) -> None:
    """Write the stamp, categories in their own order."""
    known = stamp["categories"]
    write_json(out / RECORD_FILE, stamp | {"categories": {name: known[name] for name in Category if name in known}})


def _read(path: Path) -> ExportRecord:
    try:
        found = json.loads(path.read_text())
        if isinstance(found, dict) and isinstance(found.get("categories"), dict):
            return found
    except (OSError, ValueError):
        pass
    raise ParameterError("--out", expected=f"has a {RECORD_FILE} of ours", found=str(path), hint=_ELSEWHERE)
