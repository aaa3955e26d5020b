"""Fail a stage whose inputs are edited while it runs.

DVC reads parameters and dependencies after the stage and would record an edit as an input of the output. Therefore the
inputs are compared before and after.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
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
    """An input of a stage was edited while it ran."""


@contextmanager
def assert_inputs_unchanged(stage: str, category: Category | None, workspace: Workspace = HERE) -> Iterator[None]:
    """Check that the `deps` and `params` of a stage in `dvc.yaml` are the same before and after the block.

    Raises:
        ChangedInputError: an input differs. DVC then sees the stage fail and records nothing.
        MissingInputError: `data/weights.json` does not match the weights that the stage reads.
    """
    deps, keys = _declared_inputs(workspace, stage, category)
    reads_weights = any(workspace.root / file == workspace.weights_file for file, _ in keys)

    def snapshot(records: Mapping[str, FileRecord]) -> tuple[dict[str, Any], dict[str, FileRecord]]:
        if reads_weights:
            check_weights_recorded(workspace, load_parameters(workspace.params_file), stage)
        with progress_bars() as progress:
            return _parameter_values(workspace.root, keys), _file_records(workspace.root, deps, records, progress)

    values, files = snapshot({})
    yield
    new_values, new_files = snapshot(files)
    changed = [key for key, value in values.items() if new_values[key] != value]
    hashes, new_hashes = ({name: record[-1] for name, record in both.items()} for both in (files, new_files))
    changed += [name for name in sorted({*hashes, *new_hashes}) if hashes.get(name) != new_hashes.get(name)]
    if changed:
        raise ChangedInputError(
            f"inputs of {stage} changed while it ran ({format_list(changed)})",
            hint="Run it again; nothing was recorded.",
        )


def _declared_inputs(
    workspace: Workspace, stage: str, category: Category | None
) -> tuple[list[str], list[tuple[str, str]]]:
    """Return the dependencies and the parameters (file, key) of a stage in `dvc.yaml`."""
    entry = _load(workspace.root / "dvc.yaml").get("stages", {}).get(stage, {})
    deps = [name.replace("${item.category}", str(category)) for name in entry.get("deps", [])]
    keys: list[tuple[str, str]] = []
    for param in entry.get("params", []):
        by_file = param if isinstance(param, dict) else {PARAMETERS: [param]}
        keys += [(file, key) for file, names in by_file.items() for key in names]
    return deps, keys


def _parameter_values(root: Path, keys: list[tuple[str, str]]) -> dict[str, Any]:
    """Return parsed values, so that edits of comments and layout do not count."""
    contents = {file: _load(root / file) for file, _ in keys}
    values: dict[str, Any] = {}
    for file, key in keys:
        value: Any = contents[file]
        for name in key.split("."):
            value = value.get(name) if isinstance(value, dict) else None
        values[f"{file}: {key}"] = value
    return values


def _file_records(
    root: Path, deps: list[str], records: Mapping[str, FileRecord], progress: Progress
) -> dict[str, FileRecord]:
    """Return the records of all files of the dependencies, by path."""
    paths: list[Path] = []
    for path in (root / dep for dep in deps):
        if path.is_dir():
            files = (file for file in path.rglob("*") if file.is_file() and "__pycache__" not in file.parts)
            paths += sorted(files)
        elif path.exists():
            paths.append(path)
    result: dict[str, FileRecord] = {}
    for done, path in enumerate(paths, start=1):
        name = path.relative_to(root).as_posix()
        result[name] = hash_if_changed(path, records.get(name, []))
        progress(done, len(paths), "inputs hashed")
    return result


def _load(path: Path) -> dict[str, Any]:
    """Parse a YAML or JSON file; a missing one is empty."""
    if not path.is_file():
        return {}
    text = path.read_text()
    return (json.loads(text) if path.suffix == ".json" else YAML(typ="safe", pure=True).load(text)) or {}
