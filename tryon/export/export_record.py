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

STAMP = "export.json"
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

Stamp = dict[str, Any]


def new_stamp(format: Format, size: Size | None) -> Stamp:
    """Stamp of an export without any category yet."""
    code = code_version("tryon.export.row_files")
    head = {"kind": _KIND, "version": _VERSION, "format": format.value, "size": list(size) if size else None}
    return head | {"code": code, "categories": {}}


def read_stamp(out: Path, wanted: Stamp) -> Stamp:
    """The stamp of what lies in `out`, or `wanted` where there is nothing yet.

    Raises:
        ParameterError: something else is there: no folder, files that are not ours, or another export.
    """
    if not out.exists():
        return wanted
    if not out.is_dir():
        raise ParameterError("--out", rule="is a folder", value=str(out))
    path = out / STAMP
    if not path.exists():
        if {entry.name for entry in out.iterdir()} - {f".{STAMP}.tmp"}:
            rule = "is an empty folder, one that is not there yet, or an export to go on with"
            raise ParameterError("--out", rule=rule, value=str(out), remedy="Name another folder.")
        return wanted
    found = _read(path)
    other = [_WORDS[name] for name in _WORDS if found.get(name) != wanted[name]]
    if other:
        rule = f"is an export to go on with, by this code, in the layout {wanted['format']} and of the same size"
        raise ParameterError(f"--out {out}", rule=rule, value=f"another {', '.join(other)}", remedy=_ELSEWHERE)
    return found


def begin(stamp: Stamp, category: Category, facts: dict[str, Any], out: Path) -> None:
    """Note a category as unfinished.

    Raises:
        ParameterError: the folder has the category already, from another manifest or of other settings.
    """
    there = stamp["categories"].get(category)
    if there is not None and {**there, "state": ""} != {**facts, "state": ""}:
        other = [name for name in facts if there.get(name) != facts[name]]
        rule = f"has {category} from the manifest as it is now, with the same settings"
        raise ParameterError(f"--out {out}", rule=rule, value=f"other {', '.join(other)}", remedy=_ELSEWHERE)
    stamp["categories"][category] = facts | {"state": _UNFINISHED}


def finish(stamp: Stamp, category: Category) -> None:
    """Note a category as finished."""
    stamp["categories"][category]["state"] = _FINISHED


def write_stamp(stamp: Stamp, out: Path) -> None:
    """Write the stamp, categories in their own order."""
    known = stamp["categories"]
    write_json(out / STAMP, stamp | {"categories": {name: known[name] for name in Category if name in known}})


def _read(path: Path) -> Stamp:
    try:
        found = json.loads(path.read_text())
        if isinstance(found, dict) and isinstance(found.get("categories"), dict):
            return found
    except (OSError, ValueError):
        pass
    raise ParameterError("--out", rule=f"has a {STAMP} of ours", value=str(path), remedy=_ELSEWHERE)
