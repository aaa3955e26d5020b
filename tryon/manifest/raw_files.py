"""Read raw files, verified against the sizes and hashes of the index."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from tryon.errors import MissingInputError, format_list
from tryon.runtime.atomic_files import sha256_bytes
from tryon.workspace import Workspace

_HINT = "Run `tryon download`, which restores files, and do not edit files in data/raw."


def read_verified(workspace: Workspace, relative: str, sha256: str) -> bytes:
    """Read one raw file by its path below `data/raw`, and verify its hash; both are in the index.

    Raises:
        MissingInputError: the file is missing or has changed since it was indexed.
    """
    path = workspace.raw / relative
    try:
        data = path.read_bytes()
    except OSError as error:
        raise MissingInputError(f"{path} cannot be read", found=error.strerror, hint=_HINT) from error
    actual = sha256_bytes(data)
    if actual != sha256:
        raise MissingInputError(
            f"{path} has changed since it was indexed",
            found=f"{actual[:16]}…",
            expected=f"SHA-256 {sha256[:16]}…",
            hint=_HINT,
        )
    return data


def require_files(workspace: Workspace, rows: Iterable[dict[str, Any]], roles: Sequence[str]) -> None:
    """Check, before any work, that the raw files of `rows` exist in their indexed sizes.

    Args:
        rows: of an index, with the columns `<role>` and `<role>_bytes` of every role; null paths are skipped.

    Raises:
        MissingInputError: files are missing or of another size; the first ten are named, the rest counted.
    """
    expected = {row[role]: row[f"{role}_bytes"] for row in rows for role in roles if row[role] is not None}
    wrong = []
    for relative, size in expected.items():
        path = workspace.raw / relative
        if not path.is_file():
            wrong.append(relative)
        elif path.stat().st_size != size:
            wrong.append(f"{relative} (size differs)")
    if wrong:
        raise MissingInputError(
            f"{len(wrong)} of {len(expected)} raw files are missing or have changed",
            found=format_list(sorted(wrong)),
            hint=_HINT,
        )
