"""How later stages read `data/raw`: every file is checked against the index, none is taken on trust."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from tryon.errors import MissingInputError, format_list
from tryon.runtime.atomic_files import sha256_bytes
from tryon.workspace import Workspace

_REMEDY = "Run `tryon download`, which unpacks what is missing, and do not edit files in data/raw."


def read_verified(workspace: Workspace, relative: str, sha256: str) -> bytes:
    """Read one raw file.

    Args:
        workspace: where `data/raw` lies.
        relative: path below `data/raw`, as the index has it.
        sha256: its hash, as the index has it.

    Raises:
        MissingInputError: the file is absent, or differs from what was indexed.
    """
    path = workspace.raw / relative
    try:
        data = path.read_bytes()
    except OSError as error:
        raise MissingInputError(str(path), expected="exists", found=error.strerror, hint=_REMEDY) from error
    found = sha256_bytes(data)
    if found != sha256:
        rule = f"has the SHA-256 of the index, {sha256[:16]}…"
        raise MissingInputError(str(path), expected=rule, found=f"{found[:16]}…", hint=_REMEDY)
    return data


def require_files(workspace: Workspace, rows: Iterable[dict[str, Any]], roles: Sequence[str]) -> None:
    """Make sure, before any work, that the raw files of `rows` are there in the indexed sizes.

    Args:
        workspace: where `data/raw` lies.
        rows: rows of an index, with the columns `<role>` and `<role>_bytes` of every role; null paths are skipped.
        roles: which files are needed ("person", "label_map", ...).

    Raises:
        MissingInputError: files are absent or of another size; the first ten are named, the rest counted.
    """
    expected = {row[role]: row[f"{role}_bytes"] for row in rows for role in roles if row[role] is not None}
    wrong = []
    for relative, size in expected.items():
        path = workspace.raw / relative
        if not path.is_file():
            wrong.append(relative)
        elif path.stat().st_size != size:
            wrong.append(f"{relative} (other size)")
    if wrong:
        what = f"{len(wrong)} of {len(expected)} raw files"
        raise MissingInputError(what, expected="are there as indexed", found=format_list(sorted(wrong)), hint=_REMEDY)
