"""Hash the source code that a module depends on inside `tryon`."""

from __future__ import annotations

import ast
import hashlib
from functools import cache
from pathlib import Path

PACKAGE = Path(__file__).parents[1]
ROOT = PACKAGE.parent


@cache
def code_version(module: str) -> str:
    """Return 16 hex digits of the SHA-256 of a module's import closure, file names included.

    The content is hashed and not the commit, so that a commit that leaves this code alone makes nothing stale.
    """
    sha256 = hashlib.sha256()
    for path in import_closure(module):
        sha256.update(path.relative_to(ROOT).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return sha256.hexdigest()[:16]


def import_closure(module: str) -> list[Path]:
    """Return the files inside `tryon` that `module` imports, directly or indirectly, sorted by path.

    Imports inside functions count, and so does the `__init__.py` of each package, since Python runs it.
    """
    files: set[Path] = set()
    pending = [module]
    while pending:
        name = pending.pop()
        path = _module_file(name)
        if path is None or path in files:
            continue
        files.add(path)
        pending.extend(_imported_names(path, name))
        if "." in name:
            pending.append(name.rpartition(".")[0])
    return sorted(files)


def _module_file(name: str) -> Path | None:
    base = ROOT / Path(*name.split("."))
    return next((file for file in (base / "__init__.py", base.with_suffix(".py")) if file.is_file()), None)


def _imported_names(path: Path, module: str) -> list[str]:
    """Return the names below `tryon` in a file's imports; `from a import b` may mean the module `a.b`."""
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    names: list[str] = []
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            parent = package.rsplit(".", node.level - 1)[0] if node.level else ""
            base = ".".join(part for part in (parent, node.module) if part)
            names += [base, *(f"{base}.{alias.name}" for alias in node.names)]
    return [name for name in names if name == "tryon" or name.startswith("tryon.")]
