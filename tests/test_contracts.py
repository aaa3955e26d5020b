"""One word per stage: code, parameters, command line, tasks, flows and `dvc.yaml` name the same stages and inputs."""

from __future__ import annotations

import inspect
import re
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from tryon import cli
from tryon.categories import Category
from tryon.code_version import ROOT, import_closure
from tryon.parameters import Parameters, load_parameters
from tryon.stages import PER_CATEGORY, STAGES
from tryon.workspace import SUBSET_PARTS, Workspace

CODE = {
    "download": "tryon.download.stage",
    "agnostic": "tryon.agnostic.stage",
    "sample": "tryon.sample.stage",
    "pretrain": "tryon.training.pretrain",
    "finetune": "tryon.training.finetune",
    "evaluate": "tryon.evaluation.stage",
}
"""The module that holds each stage's entry."""

DVC: dict[str, Any] = YAML(typ="safe").load((ROOT / "dvc.yaml").read_text())["stages"]


def test_every_place_names_the_same_stages() -> None:
    assert list(DVC) == list(STAGES) == list(CODE)
    assert [name for name in Parameters.model_fields if name not in ("seed", "image")] == list(STAGES)
    assert [name for name in cli.COMMANDS if name in STAGES] == list(STAGES)
    assert {stage for stage, written in DVC.items() if "matrix" in written} == PER_CATEGORY


@pytest.mark.parametrize("stage", STAGES)
def test_flows_and_tasks_are_called_after_their_stage(stage: str) -> None:
    from prefect import Flow, Task

    flow = getattr(import_module(f"flows.{stage}"), stage)
    assert isinstance(flow, Flow)
    assert flow.name == stage
    tasks = [thing for thing in vars(import_module(f"tasks.{stage}")).values() if isinstance(thing, Task)]
    assert tasks
    assert {task.name for task in tasks} == {stage}


@pytest.mark.parametrize("stage", STAGES)
def test_dvc_runs_the_stage_command(stage: str) -> None:
    category = " ${item.category}" if stage in PER_CATEGORY else ""
    assert DVC[stage]["cmd"] == f"python -m flows.stage {stage}{category}"
    if stage in PER_CATEGORY:
        assert DVC[stage]["matrix"] == {"category": list(Category)}


@pytest.mark.parametrize("stage", STAGES)
def test_dvc_depends_on_the_code_that_the_stage_imports(stage: str) -> None:
    declared = {dep for dep in DVC[stage]["deps"] if not dep.startswith("data/")}
    needed = needed_code(CODE[stage])
    wrong = [f"+      - {path}" for path in sorted(needed - declared)]
    wrong += [f"-      - {path}" for path in sorted(declared - needed)]
    assert not wrong, "\n".join([f"dvc.yaml, stage {stage}, deps:", *wrong])


def needed_code(module: str) -> set[str]:
    """Import closure of a module as DVC dependencies: whole folders where all of a folder is in it, else files."""
    files = {path.relative_to(ROOT) for path in import_closure(module)}
    folders = {parent for file in files for parent in file.parents if len(parent.parts) > 1}
    whole = {folder for folder in folders if {p.relative_to(ROOT) for p in (ROOT / folder).rglob("*.py")} <= files}
    found = {folder for folder in whole if not any(parent in whole for parent in folder.parents)}
    found |= {file for file in files if not any(parent in whole for parent in file.parents)}
    return {path.as_posix() for path in found}


@pytest.mark.parametrize("stage", STAGES)
def test_files_beside_the_code_are_dependencies_too(stage: str) -> None:
    packages = {path.parent for path in import_closure(CODE[stage])} - {ROOT / "tryon"}
    others = {path for package in packages for path in package.rglob("*") if path.suffix in (".j2", ".css", ".npz")}
    folders = [ROOT / dep for dep in DVC[stage]["deps"]]
    assert not [str(path) for path in others if not any(folder in (path, *path.parents) for folder in folders)]


@pytest.mark.parametrize("stage", STAGES)
def test_dvc_watches_the_parameters_that_the_stage_is_given(stage: str) -> None:
    given = set(re.findall(r"parameters\.(\w+)", inspect.getsource(STAGES[stage])))
    assert set(DVC[stage]["params"]) == given


def test_what_a_stage_reads_another_one_writes() -> None:
    written = {path for stage in DVC for path in outputs(stage)}
    for stage in DVC:
        for dep in DVC[stage]["deps"]:
            for path in spelled_out(dep) if dep.startswith("data/") else []:
                assert path == Workspace().source_file.as_posix() or path in written, f"{stage}: {path}"


def test_outputs_lie_where_the_workspace_says() -> None:
    place = Workspace()
    assert outputs("download") == {place.index(c).as_posix() for c in Category} | {place.findings.as_posix()}
    assert outputs("agnostic") == {place.manifest(c).as_posix() for c in Category}
    assert outputs("sample") == {place.subset(part).as_posix() for part in SUBSET_PARTS}
    assert outputs("pretrain") == {place.pretrained.as_posix()}
    assert {Path(path).parent for path in outputs("finetune")} == {place.checkpoints}
    assert {Path(path).parent for path in outputs("evaluate")} == {place.evaluation}


def outputs(stage: str) -> set[str]:
    """Paths of all outputs, metrics and plots of a stage."""
    entries = [entry for kind in ("outs", "metrics", "plots") for entry in DVC[stage].get(kind, [])]
    return {path for entry in entries for path in spelled_out(entry if isinstance(entry, str) else next(iter(entry)))}


def spelled_out(path: str) -> list[str]:
    return [path.replace("${item.category}", c) for c in Category] if "${" in path else [path]


def test_git_ignores_what_the_stages_write_and_nothing_that_it_tracks() -> None:
    ignored = {line.strip("/") for line in (ROOT / "data/.gitignore").read_text().split()}
    written = {Path(path).parts[1] for stage in DVC for path in outputs(stage)}
    assert ignored == written | {"raw", "staging", "weights"}


@pytest.mark.parametrize("path", sorted((ROOT / "params").glob("*.yaml")), ids=lambda path: path.stem)
def test_every_preset_is_valid(path: Path) -> None:
    load_parameters(path)


def test_nothing_phones_home() -> None:
    config = (ROOT / ".dvc/config").read_text()
    assert "analytics = false" in config
    assert "check_update = false" in config
    source = (ROOT / "tasks/__init__.py").read_text()
    for variable in ("DO_NOT_TRACK", "PREFECT_SERVER_ANALYTICS_ENABLED", "DVC_NO_ANALYTICS"):
        assert variable in source
