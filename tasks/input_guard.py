"""Nobody may change a stage's inputs while it runs.

DVC reads parameters and dependencies when the stage has finished, and would record an edit made meanwhile as what the
output was made from. So the stage looks at its inputs at the start and again at the end, and fails if they differ.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import reduce
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from tryon.categories import Category
from tryon.config.parameters import load_parameters
from tryon.console import progress_bars
from tryon.errors import TryOnError, format_list
from tryon.pipeline.external_inputs import FileRecord, check_weights_recorded, hash_if_changed
from tryon.runtime.progress import Progress
from tryon.workspace import Workspace

HERE = Workspace()
PARAMETERS = "params.yaml"


class ChangedInputError(TryOnError):
    """What a stage reads was edited while it ran."""


@contextmanager
def assert_inputs_unchanged(stage: str, category: Category | None, workspace: Workspace = HERE) -> Iterator[None]:
    """Around a stage's work: its inputs are the same before and after.

    Args:
        stage: its name in `dvc.yaml`, whose `deps` and `params` are looked at; none if it is not there.
        category: stands for `${item.category}`.
        workspace: the project.

    Raises:
        ChangedInputError: something differs. DVC sees the stage fail and records nothing.
        MissingInputError: the stage reads weights that `data/weights.json` does not describe.
    """
    deps, keys = _named(workspace, stage, category)
    reads_weights = any(workspace.root / file == workspace.weights_file for file, _ in keys)

    def look(known: Mapping[str, FileRecord]) -> tuple[dict[str, Any], dict[str, FileRecord]]:
        if reads_weights:
            check_weights_recorded(workspace, load_parameters(workspace.params_file), stage)
        with progress_bars() as progress:
            return _values(workspace.root, keys), _files(workspace.root, deps, known, progress)

    values, files = look({})
    yield
    values_now, files_now = look(files)
    changed = [key for key, value in values.items() if values_now[key] != value]
    hashes, hashes_now = ({name: seen[-1] for name, seen in found.items()} for found in (files, files_now))
    changed += [name for name in sorted({*hashes, *hashes_now}) if hashes.get(name) != hashes_now.get(name)]
    if changed:
        rule = "stay as they are while it runs"
        remedy = "Nothing was recorded: run again."
        raise ChangedInputError(
            f"inputs of {stage}", expected=rule, found=f"{format_list(changed)} changed", hint=remedy
        )


def _named(workspace: Workspace, stage: str, category: Category | None) -> tuple[list[str], list[tuple[str, str]]]:
    """Dependencies, and parameters as file and key, that `dvc.yaml` names for a stage."""
    written = _load(workspace.root / "dvc.yaml").get("stages", {}).get(stage, {})
    deps = [name.replace("${item.category}", str(category)) for name in written.get("deps", [])]
    keys: list[tuple[str, str]] = []
    for entry in written.get("params", []):
        named = entry if isinstance(entry, dict) else {PARAMETERS: [entry]}
        keys += [(file, key) for file, names in named.items() for key in names]
    return deps, keys


def _values(root: Path, keys: list[tuple[str, str]]) -> dict[str, Any]:
    """Values of parameters as they are parsed: another comment or layout is no change."""
    contents = {file: _load(root / file) for file, _ in keys}
    return {f"{file}: {key}": reduce(_member, key.split("."), contents[file]) for file, key in keys}


def _member(value: Any, name: str) -> Any:
    return value.get(name) if isinstance(value, dict) else None


def _files(root: Path, deps: list[str], known: Mapping[str, FileRecord], progress: Progress) -> dict[str, FileRecord]:
    """Every file of the dependencies."""
    paths = [path for dep in deps for path in _below(root / dep)]
    seen: dict[str, FileRecord] = {}
    for done, path in enumerate(paths, start=1):
        name = path.relative_to(root).as_posix()
        seen[name] = hash_if_changed(path, known.get(name, []))
        progress(done, len(paths), "inputs hashed")
    return seen


def _below(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path] if path.exists() else []
    return sorted(file for file in path.rglob("*") if file.is_file() and "__pycache__" not in file.parts)


def _load(path: Path) -> dict[str, Any]:
    """Content of a YAML or JSON file; nothing where there is none."""
    if not path.is_file():
        return {}
    text = path.read_text()
    return (json.loads(text) if path.suffix == ".json" else YAML(typ="safe", pure=True).load(text)) or {}
