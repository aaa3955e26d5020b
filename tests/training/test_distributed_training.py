"""Two processes on the CPU, on one machine or two, equal one process with twice the accumulation; only rank 0 writes.

Two machines are two folders here, whose processes connect over the loopback interface.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from ruamel.yaml import YAML

from tryon.config.training import FinetuneSettings, PretrainSettings
from tryon.errors import MissingInputError
from tryon.finetune.stage import finetune
from tryon.pretrain.stage import pretrain
from tryon.runtime.code_version import ROOT
from tryon.runtime.progress import no_progress
from tryon.training.checkpoint import Checkpoint, load_checkpoint
from tryon.training.distributed import LOOPBACK, free_port
from tryon.workspace import Workspace

pytestmark = pytest.mark.slow

EXACT = {"precision": "64-true", "freeze_bn_stats": True, "batch_size": 3, "ema_decay": 0.9, "epochs": 1}
"""Three batches: a step of two, and one with a dummy batch on the second process."""


@pytest.fixture
def started(workspace: Workspace, pretrain_settings: PretrainSettings, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))  # for the worker, which has another current directory
    pretrain(pretrain_settings, 7, workspace, no_progress)
    return workspace


def write_parameters(workspace: Workspace, settings: FinetuneSettings) -> None:
    """Write the `params.yaml` that the worker process reads."""
    content = YAML(typ="safe").load((ROOT / "params" / "default.yaml").read_text())
    content["finetune"] = settings.model_dump(mode="json")
    with workspace.params_file.open("w") as stream:
        YAML(typ="safe").dump(content, stream)


def last_checkpoint(workspace: Workspace) -> Checkpoint:
    return load_checkpoint(workspace.checkpoints / "last.ckpt")


@pytest.mark.parametrize("interrupted", [False, pytest.param(True, marks=pytest.mark.long)])
def test_two_processes_equal_one_with_twice_the_accumulation(
    interrupted: bool, started: Workspace, finetune_settings: FinetuneSettings
) -> None:
    finetune(finetune_settings.model_copy(update={**EXACT, "grad_accumulation_steps": 2}), 7, started, no_progress)
    expected = last_checkpoint(started)
    distributed = finetune_settings.model_copy(update={**EXACT, "devices": 2})
    write_parameters(started, distributed)
    files = set(started.root.rglob("*"))

    def terminate(done: int, total: int, label: str) -> None:
        if done == 1:
            os.kill(os.getpid(), signal.SIGTERM)

    if interrupted:
        with pytest.raises(SystemExit):
            finetune(distributed, 7, started, terminate)
    finetune(distributed, 7, started, no_progress)
    assert not torch.distributed.is_initialized()
    assert set(started.root.rglob("*")) <= files | {started.work_dir("finetune")}
    check_equal(last_checkpoint(started), expected)


TORCHRUN = {"LOCAL_RANK": "0", "WORLD_SIZE": "2", "TORCHELASTIC_RUN_ID": "none"}
MACHINES: dict[str, list[tuple[list[str], dict[str, str]]]] = {
    "torchrun": [([], {**TORCHRUN, "RANK": "0"}), ([], {**TORCHRUN, "RANK": "1"})],
    "by hand": [([], {"NODE_RANK": "0"}), (["--worker"], {"NODE_RANK": "1"})],
}
"""Arguments and environment of each machine's process, started by `torchrun --nnodes 2` or by hand."""


@pytest.mark.parametrize("launcher", ["torchrun", pytest.param("by hand", marks=pytest.mark.long)])
def test_two_machines_equal_one_with_twice_the_accumulation(
    launcher: str, started: Workspace, finetune_settings: FinetuneSettings, tmp_path_factory: pytest.TempPathFactory
) -> None:
    finetune(finetune_settings.model_copy(update={**EXACT, "grad_accumulation_steps": 2}), 7, started, no_progress)
    expected = last_checkpoint(started)
    shutil.rmtree(started.checkpoints)
    write_parameters(started, finetune_settings.model_copy(update={**EXACT, "num_nodes": 2}))
    second = tmp_path_factory.mktemp("machine") / "1"
    shutil.copytree(started.root, second)
    before = {path: path.stat().st_mtime_ns for path in second.rglob("*")}
    master = {"MASTER_ADDR": LOOPBACK, "MASTER_PORT": str(free_port())}
    processes = [
        start_finetune(root, arguments, {**master, **environment})
        for root, (arguments, environment) in zip((started.root, second), MACHINES[launcher], strict=True)
    ]
    try:
        assert [process.wait(120) for process in processes] == [0, 0]
    finally:
        for process in processes:
            process.kill()
    assert {path: path.stat().st_mtime_ns for path in second.rglob("*")} == before
    check_equal(last_checkpoint(started), expected)


def start_finetune(root: Path, arguments: list[str], environment: dict[str, str]) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "tryon", "finetune", "--root", str(root), *arguments]
    return subprocess.Popen(command, env={**os.environ, **environment})


def check_equal(result: Checkpoint, expected: Checkpoint) -> None:
    assert [row["step"] for row in result.history] == [0, 2]
    for key, tensor in expected.model.items():
        assert (result.model[key] - tensor).abs().max() <= 1e-9, key
    for row, expected_row in zip(result.history, expected.history, strict=True):
        assert row == pytest.approx(expected_row, abs=1e-9)


@pytest.mark.long
def test_processes_of_different_runs_stop(started: Workspace, finetune_settings: FinetuneSettings) -> None:
    settings = finetune_settings.model_copy(update={**EXACT, "devices": 2})
    write_parameters(started, settings.model_copy(update={"lr": 1e-4}))
    with pytest.raises(MissingInputError, match="differ between the processes"):
        finetune(settings, 7, started, no_progress)
    assert not started.checkpoints.exists()
