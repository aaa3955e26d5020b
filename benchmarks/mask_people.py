"""Write synthetic people as raw files with an index: a few are rendered and repeated under other ids."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tryon.categories import Category, Split
from tryon.dresscode.layout import HEIGHT, WIDTH, pair_id, relative_path
from tryon.manifest import INDEX, table_from_rows, write_table
from tryon.manifest.schemas import FILE_ROLES, STATUS_OK
from tryon.runtime.atomic_files import sha256_bytes
from tryon.synthetic.item_files import item_files
from tryon.workspace import Workspace

SEED = 7


def write_people(workspace: Workspace, category: Category, rendered: int) -> None:
    """Raw files of so many items; those that are there already stay."""
    for number in range(rendered):
        item = f"{number:06d}"
        if not (workspace.raw / relative_path("person", category, item)).exists():
            for relative, data in item_files(SEED, category, number, item):
                path = workspace.raw / relative
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(data)


def write_index(workspace: Workspace, category: Category, rendered: int, people: int) -> None:
    """An index of so many training pairs, each of a person in their own garment."""
    files = [_file_columns(workspace.raw, category, f"{number:06d}") for number in range(rendered)]
    rows = []
    for number in range(people):
        item = f"{number:06d}"
        rows.append(
            {"pair_id": pair_id(item, item), "category": category, "split": Split.TRAIN, "person_id": item}
            | {"garment_id": item, "height": HEIGHT, "width": WIDTH, "licence": "synthetic", "status": STATUS_OK}
            | files[number % rendered]
        )
    write_table(workspace.index(category), table_from_rows(rows, INDEX), INDEX)


def _file_columns(raw: Path, category: Category, item: str) -> dict[str, Any]:
    columns: dict[str, Any] = {}
    for role in FILE_ROLES:
        relative = relative_path(role, category, item).as_posix()
        data = (raw / relative).read_bytes()
        columns |= {role: relative, f"{role}_bytes": len(data), f"{role}_sha256": sha256_bytes(data)}
    return columns
