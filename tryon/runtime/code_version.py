"""Which code made a row: a content hash over a module and all it imports inside `tryon`."""

from __future__ import annotations

import ast
import hashlib
from functools import cache
from pathlib import Path

PACKAGE = Path(__file__).parents[1]
ROOT = PACKAGE.parent


@cache
def code_version(module: str) -> str:
    """Hash (16 hex digits) of the source of `module`'s import closure inside `tryon`, file names included.

    A content hash and not a commit: committing the same code, or editing a file that the stage does not import,
    makes nothing stale.
    """
    total = hashlib.sha256()
    for path in import_closure(module):
        total.update(path.relative_to(ROOT).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return total.hexdigest()[:16]


def import_closure(module: str) -> list[Path]:
    """Files of `module` and of everything inside `tryon` that it imports, directly or not, sorted by path.

    Imports inside functions count. Package `__init__` files on the way count too, as Python runs them.
    """
    found: set[Path] = set()
    waiting = [module]
    while waiting:
        name = waiting.pop()
        path = _module_file(name)
        if path is None or path in found:
            continue
        found.add(path)
        waiting.extend(_imported_names(path, name))
        if "." in name:
            waiting.append(name.rpartition(".")[0])
    return sorted(found)


def _module_file(name: str) -> Path | None:
    base = ROOT / Path(*name.split("."))
    for candidate in (base / "__init__.py", base.with_suffix(".py")):
        if candidate.is_file():
            return candidate
    return None


def _imported_names(path: Path, module: str) -> list[str]:
    """Dotted names under `tryon` that a file mentions in imports; `from a import b` may mean module `a.b`."""
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
