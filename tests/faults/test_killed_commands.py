"""SIGKILL of `dvc repro`, of a stage under it, and of `python -m flows` with its own server: no process is left."""

from __future__ import annotations

import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing, suppress
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from tests.faults.project import (
    DVC_YAML,
    PROJECT_ID_ENV,
    ROOT,
    TIMEOUT,
    ForkServer,
    Hashes,
    Project,
    Reference,
    incomplete_outputs,
)

pytestmark = pytest.mark.slow

SEED = 21
ATTEMPTS = 5
"""Attempts to kill a process before it finishes; each is earlier than the one before."""

RERUN_STAGES = ("agnostic@dresses", "sample", "pretrain")
"""Stages that DVC has to run; the outputs of the others exist and are recorded."""

DVC_COMMAND = ("-m", "dvc", "repro", "--no-run-cache")
FLOWS_COMMAND = ("-m", "flows")
TARGETS = ("dvc", "stage", "dvc", "stage", "dvc", "stage", "flows", "flows")
"""Processes to kill: `dvc repro`, a stage under it, or `python -m flows`."""


class DvcProject(Project):
    """A project with the first stages in its `dvc.yaml`, and ways to run commands in it."""

    def __init__(self, root: Path, fork_server: ForkServer) -> None:
        super().__init__(root, fork_server)
        (root / ".dvc").mkdir(exist_ok=True)
        (root / ".dvc" / "config").write_text("[core]\n    analytics = false\n    no_scm = true\n")
        (root / "dvc.yaml").write_text(DVC_YAML)

    def start_python(self, *arguments: str) -> subprocess.Popen[str]:
        """Start this Python in the project."""
        path = os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))
        environment = {PROJECT_ID_ENV: self.id, "PATH": path, "PYTHONPATH": str(ROOT), "PREFECT_API_URL": ""}
        environment |= {"SHELL": "/bin/sh", "TRYON_WORKERS": "2", "TRYON_THREADS": "1"}
        with self.log.open("w") as log:
            return subprocess.Popen(
                [sys.executable, *arguments],
                cwd=self.root,
                env=os.environ | environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                process_group=0,
                text=True,
            )

    def run_python(self, *arguments: str) -> str:
        """Run this Python in the project, which must succeed, and return its output."""
        code = self.start_python(*arguments).wait(TIMEOUT)
        log = self.log.read_text()
        assert code == 0, log
        return log

    def stage_process(self, stage: str) -> int | None:
        """Return the process of a stage, or None if it is not running."""
        name = stage.partition("@")[0].encode()
        for process in self.processes():
            try:
                arguments = Path(f"/proc/{process}/cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if b"flows.stage_command" in arguments and name in arguments:
                return process
        return None


@pytest.fixture(scope="module")
def recorded(reference: Reference, fork_server: ForkServer, tmp_path_factory: pytest.TempPathFactory) -> DvcProject:
    """A project in which DVC has run all stages; records and outputs of `RERUN_STAGES` are then removed."""
    project = DvcProject(tmp_path_factory.mktemp("recorded") / "project", fork_server)
    shutil.copytree(reference.data, project.data, dirs_exist_ok=True)
    for folder in ("checkpoints", "evaluation", "export"):
        shutil.rmtree(project.data / folder)
    before = project.hashes()
    project.run_python(*DVC_COMMAND)
    assert project.hashes() == before
    shutil.rmtree(project.root / ".dvc/cache/runs", ignore_errors=True)
    yaml, lock = YAML(), project.root / "dvc.lock"
    content = yaml.load(lock.read_text())
    for stage in RERUN_STAGES:
        for out in content["stages"].pop(stage)["outs"]:
            path = project.root / out["path"]
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    with lock.open("w") as stream:
        yaml.dump(content, stream)
    return project


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize(("number", "target"), list(enumerate(TARGETS)))
def test_killed_command_leaves_no_partial_outputs_and_recovers(
    number: int, target: str, recorded: DvcProject, reference: Reference, fork_server: ForkServer, root: Path
) -> None:
    rng = random.Random(f"{SEED} {number}")
    stage, delay = rng.choice(RERUN_STAGES), rng.random()
    for _ in range(ATTEMPTS):
        shutil.copytree(recorded.root, root)
        project = DvcProject(root, fork_server)
        if run_and_kill(project, target, stage, delay):
            break
        shutil.rmtree(root)
        delay /= 2
    else:
        pytest.fail("the command finished before every kill")
    project.wait_for_processes()
    assert not incomplete_outputs(project, (stage.partition("@")[0],), reference, {})
    project.run_python(*(FLOWS_COMMAND if target == "flows" else DVC_COMMAND))
    project.wait_for_processes()
    assert project.hashes() == hashes_of_dvc_stages(reference)
    assert "up to date" in project.run_python("-m", "dvc", "status")
    if target == "flows":
        assert run_states(project) == {"CRASHED", "COMPLETED"}  # of the killed run and of the next one


def run_states(project: DvcProject) -> set[str]:
    """Return the states of all runs in the database of the server that `python -m flows` starts."""
    database = project.data / "work" / "prefect" / "prefect.db"
    with closing(sqlite3.connect(database)) as connection:
        return {state for (state,) in connection.execute("select state_type from flow_run")}


def run_and_kill(project: DvcProject, target: str, stage: str, delay: float) -> bool:
    """Kill `target` up to a second after `stage` has started; return False if the command finished before."""
    command = project.start_python(*(FLOWS_COMMAND if target == "flows" else DVC_COMMAND))
    deadline = time.monotonic() + TIMEOUT
    while (process := project.stage_process(stage)) is None:
        assert command.poll() is None, project.log.read_text()
        assert time.monotonic() < deadline, "timed out"
        time.sleep(0.02)
    time.sleep(delay)
    with suppress(ProcessLookupError):
        os.kill(process if target == "stage" else command.pid, signal.SIGKILL)
    return command.wait(TIMEOUT) != 0


def hashes_of_dvc_stages(reference: Reference) -> Hashes:
    """Return the reference hashes of the stages in `DVC_YAML`."""
    others = ("checkpoints/", "evaluation/", "export/")
    return {name: value for name, value in reference.hashes.items() if not name.startswith(others)}
