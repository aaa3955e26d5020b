"""Code, parameters, command line, tasks, flows and `dvc.yaml` agree on stages and their inputs."""

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
"""Entry module of each stage."""

DVC: dict[str, Any] = YAML(typ="safe").load((ROOT / "dvc.yaml").read_text())["stages"]
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def test_all_interfaces_name_the_same_stages() -> None:
    assert list(DVC) == list(STAGES) == list(CODE)
    assert [name for name in Parameters.model_fields if name not in ("seed", "image")] == list(STAGES)
    assert [name for name in cli.COMMANDS if name in STAGES] == list(STAGES)
    assert {stage for stage, entry in DVC.items() if "matrix" in entry} == PER_CATEGORY


@pytest.mark.parametrize("stage", STAGES)
def test_flows_and_tasks_are_named_after_their_stage(stage: str) -> None:
    from prefect import Flow, Task

    flows, tasks = ("agnostic", "agnostic") if stage in PER_CATEGORY else ("stage_flows", "stage_tasks")
    flow = getattr(import_module(f"flows.{flows}"), stage)
    assert isinstance(flow, Flow)
    assert flow.name == stage
    assert stage in [task.name for task in vars(import_module(f"tasks.{tasks}")).values() if isinstance(task, Task)]


@pytest.mark.parametrize("stage", STAGES)
def test_dvc_runs_the_stage_command(stage: str) -> None:
    category = " ${item.category}" if stage in PER_CATEGORY else ""
    assert DVC[stage]["cmd"] == f"exec python -m flows.stage_command {stage}{category}"
    if stage in PER_CATEGORY:
        assert DVC[stage]["matrix"] == {"category": list(Category)}


@pytest.mark.parametrize("stage", STAGES)
def test_dvc_deps_equal_the_import_closure(stage: str) -> None:
    declared = {dep for dep in DVC[stage]["deps"] if not dep.startswith("data/")}
    expected = code_dependencies(CODE[stage])
    diff = [f"+      - {path}" for path in sorted(expected - declared)]
    diff += [f"-      - {path}" for path in sorted(declared - expected)]
    assert not diff, "\n".join([f"dvc.yaml, stage {stage}, deps:", *diff])


def code_dependencies(module: str) -> set[str]:
    """Return the import closure of a module as DVC dependencies; a folder replaces its files if all are included."""
    files = {path.relative_to(ROOT) for path in import_closure(module)}
    folders = {parent for file in files for parent in file.parents if len(parent.parts) > 1}
    complete = {folder for folder in folders if {p.relative_to(ROOT) for p in (ROOT / folder).rglob("*.py")} <= files}
    paths = [path for path in complete | files if not any(parent in complete for parent in path.parents)]
    return {path.as_posix() for path in paths}


@pytest.mark.parametrize("stage", STAGES)
def test_templates_and_data_files_are_dependencies(stage: str) -> None:
    packages = {path.parent for path in import_closure(CODE[stage])} - {ROOT / "tryon"}
    others = {path for package in packages for path in package.rglob("*") if path.suffix in (".j2", ".css", ".npz")}
    folders = [ROOT / dep for dep in DVC[stage]["deps"]]
    assert not [str(path) for path in others if not any(folder in (path, *path.parents) for folder in folders)]


@pytest.mark.parametrize("stage", STAGES)
def test_dvc_params_equal_the_settings_that_the_stage_receives(stage: str) -> None:
    received = set(re.findall(r"parameters\.(\w+)", inspect.getsource(STAGES[stage])))
    assert {entry.partition(".")[0] for entry in DVC[stage]["params"] if isinstance(entry, str)} == received


@pytest.mark.parametrize("stage", STAGES)
def test_dvc_run_cache_sees_all_parameters(stage: str) -> None:
    """DVC's run cache ignores keys called `size` or `nfiles` and would restore the wrong run."""
    content = YAML(typ="safe").load((ROOT / "params.yaml").read_text())
    params = [entry for entry in DVC[stage]["params"] if isinstance(entry, str)]
    for entry in params:
        value = content
        for name in entry.split("."):
            value = value[name]
        assert not {"size", "nfiles"} & set(keys_in(value)), f"{stage}: list the keys of {entry} individually"


def keys_in(value: Any) -> list[str]:
    """Return the keys of nested mappings."""
    return [key for name in value for key in (name, *keys_in(value[name]))] if isinstance(value, dict) else []


@pytest.mark.parametrize("stage", STAGES)
def test_dvc_params_include_the_weights_that_the_stage_reads(stage: str) -> None:
    params = [entry for entry in DVC[stage]["params"] if isinstance(entry, dict)]
    file = Workspace().weights_file.as_posix()
    assert params == ([{file: [WEIGHT_INPUTS[stage]]}] if stage in WEIGHT_INPUTS else [])


def test_index_outputs_are_persistent() -> None:
    assert all(entry[path]["persist"] is True for entry in DVC["download"]["outs"] for path in entry)


def test_every_data_dependency_is_an_output_of_another_stage() -> None:
    written = {path for stage in DVC for path in outputs(stage)}
    for stage in DVC:
        for dep in DVC[stage]["deps"]:
            for path in expand_matrix(dep) if dep.startswith("data/") else []:
                assert path == Workspace().source_file.as_posix() or path in written, f"{stage}: {path}"


def test_outputs_match_the_workspace_paths() -> None:
    workspace = Workspace()
    assert outputs("download") == {workspace.index(c).as_posix() for c in Category} | {workspace.findings.as_posix()}
    manifests = {path for c in Category for path in (workspace.manifest(c), workspace.mask_images(c))}
    assert outputs("agnostic") == {path.as_posix() for path in manifests}
    assert outputs("sample") == {workspace.subset(part).as_posix() for part in SUBSET_PARTS}
    assert outputs("pretrain") == {workspace.pretrained.as_posix()}
    assert {Path(path).parent for path in outputs("finetune")} == {workspace.checkpoints}
    card = (workspace.checkpoints / CARD_FILE).as_posix()
    assert {Path(path).parent for path in outputs("evaluate") - {card}} == {workspace.evaluation}
    assert card in outputs("evaluate")


def outputs(stage: str) -> set[str]:
    """Return the paths of all outputs, metrics and plots of a stage."""
    entries = [entry for kind in ("outs", "metrics", "plots") for entry in DVC[stage].get(kind, [])]
    return {path for entry in entries for path in expand_matrix(entry if isinstance(entry, str) else next(iter(entry)))}


def expand_matrix(path: str) -> list[str]:
    return [path.replace("${item.category}", c) for c in Category] if "${" in path else [path]


def test_git_ignores_stage_outputs_only() -> None:
    ignored = {line.strip("/") for line in (ROOT / "data/.gitignore").read_text().split()}
    written = {Path(path).parts[1] for stage in DVC for path in outputs(stage)}
    assert ignored == written | {"raw", "work", "weights", "champions", "previews", "scores"}


def test_default_preset_is_active() -> None:
    assert (ROOT / "params.yaml").read_bytes() == (ROOT / "params" / "default.yaml").read_bytes()


@pytest.mark.slow
def test_prefect_sends_no_telemetry_and_listens_on_loopback(tmp_path: Path) -> None:
    code = (
        "from prefect.settings import get_current_settings; settings = get_current_settings(); "
        "print(settings.server.analytics_enabled, settings.telemetry.enable_resource_metrics, settings.server.api.host)"
    )
    assert run_in_clean_env(tmp_path, "-c", code) == ["False", "False", "127.0.0.1"]
    code = "import tasks, os; print(os.environ['DO_NOT_TRACK'], os.environ['PREFECT_SERVER_ANALYTICS_ENABLED'])"
    assert run_in_clean_env(tmp_path, "-c", code) == ["1", "false"]


@pytest.mark.slow
def test_dvc_sends_no_telemetry(tmp_path: Path) -> None:
    assert run_in_clean_env(tmp_path, "-m", "dvc", "config", "core.analytics") == ["false"]
    assert run_in_clean_env(tmp_path, "-m", "dvc", "config", "core.check_update") == ["false"]


def run_in_clean_env(home: Path, *arguments: str) -> list[str]:
    """Run this Python in the project folder without this machine's settings; return the words that it prints."""
    removed = ("PREFECT", "DVC", "DO_NOT_TRACK")
    clean = {name: value for name, value in os.environ.items() if not name.startswith(removed)}
    clean |= {"HOME": str(home), "PREFECT_HOME": str(home), "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, env=clean, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


INDIRECT = {"fastapi", "sqlalchemy", "scipy", "torchvision", "aiohttp"}
"""Dependencies that other packages import: Prefect and torch-fidelity need versions within bounds; torchmetrics (LPIPS)
and fsspec (https) have optional dependencies."""

IMPORT_NAMES = {"opencv-python-headless": "cv2", "pillow": "PIL", "clean-fid": "cleanfid"}
"""Import names that differ from the package name."""


def test_every_dependency_is_imported() -> None:
    named = {re.split(r"[^\w-]", line)[0] for line in PROJECT["dependencies"]} - {"dvc"}  # run as a command
    files = [path for part in ("flows", "tasks", "tryon") for path in (ROOT / part).rglob("*.py")]
    imports = [re.findall(r"^\s*(?:from|import) (\w+)", path.read_text(), re.MULTILINE) for path in files]
    imported = {name for names in imports for name in names}
    assert {name for name in named if IMPORT_NAMES.get(name, name.replace("-", "_")) not in imported} <= INDIRECT


@pytest.mark.skipif(shutil.which("make") is None, reason="needs make")
@pytest.mark.parametrize("version", [(3, 10), (3, 14)])
def test_make_rejects_unsupported_python_versions(tmp_path: Path, version: tuple[int, int]) -> None:
    for name in ("Makefile", "pyproject.toml", "constraints.txt"):
        shutil.copy(ROOT / name, tmp_path)
    python = tmp_path / "python"
    script = f"import sys; sys.version_info = (*{version}, 0); exec(sys.argv[1])"
    python.write_text(f'#!/bin/sh\nexec {sys.executable} -c "{script}" "$2"\n')
    python.chmod(0o755)
    done = subprocess.run(
        ["make", "install", f"PYTHON={python}"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "expected Python 3.11 to 3.13" in done.stdout
    assert not (tmp_path / ".venv").exists()
    assert PROJECT["requires-python"] == ">=3.11,<3.14"
