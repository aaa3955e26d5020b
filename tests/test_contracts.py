"""One word per stage: code, parameters, command line, tasks, flows and `dvc.yaml` name the same stages and inputs."""

from __future__ import annotations

import inspect
import os
import re
import shutil
import subprocess
import sys
import tomllib
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from tryon import cli
from tryon.categories import Category
from tryon.config.parameters import Parameters
from tryon.evaluate.stage import CARD_FILE
from tryon.pipeline.external_inputs import WEIGHT_INPUTS
from tryon.pipeline.stages import PER_CATEGORY, STAGES
from tryon.runtime.code_version import ROOT, import_closure
from tryon.workspace import SUBSET_PARTS, Workspace

CODE = {
    "download": "tryon.download.stage",
    "agnostic": "tryon.agnostic.stage",
    "sample": "tryon.sample.stage",
    "pretrain": "tryon.pretrain.stage",
    "finetune": "tryon.finetune.stage",
    "evaluate": "tryon.evaluate.stage",
}
"""The module that holds each stage's entry."""

DVC: dict[str, Any] = YAML(typ="safe").load((ROOT / "dvc.yaml").read_text())["stages"]


PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def test_every_place_names_the_same_stages() -> None:
    assert list(DVC) == list(STAGES) == list(CODE)
    assert [name for name in Parameters.model_fields if name not in ("seed", "image")] == list(STAGES)
    assert [name for name in cli.COMMANDS if name in STAGES] == list(STAGES)
    assert {stage for stage, written in DVC.items() if "matrix" in written} == PER_CATEGORY


@pytest.mark.parametrize("stage", STAGES)
def test_flows_and_tasks_are_called_after_their_stage(stage: str) -> None:
    from prefect import Flow, Task

    module = "agnostic" if stage in PER_CATEGORY else "stages"
    flow = getattr(import_module(f"flows.{module}"), stage)
    assert isinstance(flow, Flow)
    assert flow.name == stage
    assert [task.name for task in vars(import_module(f"tasks.{module}")).values() if isinstance(task, Task)].count(
        stage
    )


@pytest.mark.parametrize("stage", STAGES)
def test_dvc_runs_the_stage_command(stage: str) -> None:
    category = " ${item.category}" if stage in PER_CATEGORY else ""
    assert DVC[stage]["cmd"] == f"exec python -m flows.stage_command {stage}{category}"
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
    assert {entry.partition(".")[0] for entry in DVC[stage]["params"] if isinstance(entry, str)} == given


@pytest.mark.parametrize("stage", STAGES)
def test_dvc_tells_runs_apart_by_all_parameters(stage: str) -> None:
    """DVC leaves out keys called `size` or `nfiles` when it looks for an earlier run, and would take a wrong one."""
    content = YAML(typ="safe").load((ROOT / "params.yaml").read_text())
    watched = [entry for entry in DVC[stage]["params"] if isinstance(entry, str)]
    for entry in watched:
        value = content
        for name in entry.split("."):
            value = value[name]
        assert not {"size", "nfiles"} & set(keys_in(value)), f"{stage}: list the keys of {entry} one by one"


def keys_in(value: Any) -> list[str]:
    """Keys of a mapping and of all mappings in it."""
    return [key for name in value for key in (name, *keys_in(value[name]))] if isinstance(value, dict) else []


@pytest.mark.parametrize("stage", STAGES)
def test_dvc_watches_the_weights_that_the_stage_reads(stage: str) -> None:
    watched = [entry for entry in DVC[stage]["params"] if isinstance(entry, dict)]
    file = Workspace().weights_file.as_posix()
    assert watched == ([{file: [WEIGHT_INPUTS[stage]]}] if stage in WEIGHT_INPUTS else [])


def test_the_index_is_never_restored_without_the_files_that_it_describes() -> None:
    assert all(entry[path]["persist"] is True for entry in DVC["download"]["outs"] for path in entry)


def test_what_a_stage_reads_another_one_writes() -> None:
    written = {path for stage in DVC for path in outputs(stage)}
    for stage in DVC:
        for dep in DVC[stage]["deps"]:
            for path in spelled_out(dep) if dep.startswith("data/") else []:
                assert path == Workspace().source_file.as_posix() or path in written, f"{stage}: {path}"


def test_outputs_lie_where_the_workspace_says() -> None:
    place = Workspace()
    assert outputs("download") == {place.index(c).as_posix() for c in Category} | {place.findings.as_posix()}
    made = {path for c in Category for path in (place.manifest(c), place.mask_images(c))}
    assert outputs("agnostic") == {path.as_posix() for path in made}
    assert outputs("sample") == {place.subset(part).as_posix() for part in SUBSET_PARTS}
    assert outputs("pretrain") == {place.pretrained.as_posix()}
    assert {Path(path).parent for path in outputs("finetune")} == {place.checkpoints}
    card = (place.checkpoints / CARD_FILE).as_posix()
    assert {Path(path).parent for path in outputs("evaluate") - {card}} == {place.evaluation}
    assert card in outputs("evaluate")


def outputs(stage: str) -> set[str]:
    """Paths of all outputs, metrics and plots of a stage."""
    entries = [entry for kind in ("outs", "metrics", "plots") for entry in DVC[stage].get(kind, [])]
    return {path for entry in entries for path in spelled_out(entry if isinstance(entry, str) else next(iter(entry)))}


def spelled_out(path: str) -> list[str]:
    return [path.replace("${item.category}", c) for c in Category] if "${" in path else [path]


def test_git_ignores_what_the_stages_write_and_nothing_that_it_tracks() -> None:
    ignored = {line.strip("/") for line in (ROOT / "data/.gitignore").read_text().split()}
    written = {Path(path).parts[1] for stage in DVC for path in outputs(stage)}
    assert ignored == written | {"raw", "work", "weights", "champions", "previews", "scores"}


def test_the_embedded_default_is_active() -> None:
    assert (ROOT / "params.yaml").read_bytes() == (ROOT / "params" / "default.yaml").read_bytes()


def test_prefect_started_by_hand_reports_nothing_home_and_listens_here_only(tmp_path: Path) -> None:
    code = (
        "from prefect.settings import get_current_settings; settings = get_current_settings(); "
        "print(settings.server.analytics_enabled, settings.telemetry.enable_resource_metrics, settings.server.api.host)"
    )
    assert said_here(tmp_path, "-c", code) == ["False", "False", "127.0.0.1"]
    code = "import tasks, os; print(os.environ['DO_NOT_TRACK'], os.environ['PREFECT_SERVER_ANALYTICS_ENABLED'])"
    assert said_here(tmp_path, "-c", code) == ["1", "false"]


def test_dvc_reports_nothing_home(tmp_path: Path) -> None:
    assert said_here(tmp_path, "-m", "dvc", "config", "core.analytics") == ["false"]
    assert said_here(tmp_path, "-m", "dvc", "config", "core.check_update") == ["false"]


def said_here(home: Path, *arguments: str) -> list[str]:
    """Words that this Python prints in the project's folder, without anything that is set on this machine."""
    own = ("PREFECT", "DVC", "DO_NOT_TRACK")
    clean = {name: value for name, value in os.environ.items() if not name.startswith(own)}
    clean |= {"HOME": str(home), "PREFECT_HOME": str(home), "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, env=clean, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


PULLED_IN = {"fastapi", "sqlalchemy", "scipy", "torchvision", "aiohttp"}
"""Dependencies that need not be imported by us: Prefect and torch-fidelity need theirs within bounds; torchmetrics
and fsspec want one for LPIPS and for https."""

OTHER_NAMES = {"opencv-python-headless": "cv2", "pillow": "PIL", "clean-fid": "cleanfid"}
"""Dependencies that are imported by another name."""


def test_every_dependency_is_needed() -> None:
    named = {re.split(r"[^\w-]", line)[0] for line in PROJECT["dependencies"]} - {"dvc"}  # run as a command
    files = [path for part in ("flows", "tasks", "tryon") for path in (ROOT / part).rglob("*.py")]
    imports = [re.findall(r"^\s*(?:from|import) (\w+)", path.read_text(), re.MULTILINE) for path in files]
    imported = {name for found in imports for name in found}
    assert {name for name in named if OTHER_NAMES.get(name, name.replace("-", "_")) not in imported} <= PULLED_IN


@pytest.mark.skipif(shutil.which("make") is None, reason="needs make")
@pytest.mark.parametrize("version", [(3, 10), (3, 14)])
def test_a_python_that_does_not_fit_is_told_before_anything_is_made(tmp_path: Path, version: tuple[int, int]) -> None:
    for name in ("Makefile", "pyproject.toml", "constraints.txt"):
        shutil.copy(ROOT / name, tmp_path)
    python = tmp_path / "python"
    pretend = f"import sys; sys.version_info = (*{version}, 0); exec(sys.argv[1])"
    python.write_text(f'#!/bin/sh\nexec {sys.executable} -c "{pretend}" "$2"\n')
    python.chmod(0o755)
    done = subprocess.run(
        ["make", "install", f"PYTHON={python}"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "Python 3.11, 3.12 or 3.13 is needed" in done.stdout
    assert not (tmp_path / ".venv").exists()
    assert PROJECT["requires-python"] == ">=3.11,<3.14"
