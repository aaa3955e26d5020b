"""SIGKILL of `dvc repro`, of a stage below it, and of `python -m flows` with its server: no process is left."""

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

from tests.faults.project import CHAIN, MARK, ROOT, TIMEOUT, Forking, Hashes, Project, Reference, partial_outputs

SEED = 21
ATTEMPTS = 5
RUN_AGAIN = ("agnostic@dresses", "sample", "pretrain")
"""Stages for DVC to run; the outputs of the others are recorded."""

DVC = ("-m", "dvc", "repro", "--no-run-cache")
FLOWS = ("-m", "flows")
KINDS = ("dvc", "stage", "dvc", "stage", "dvc", "stage", "flows", "flows")


class Commands(Project):
    """A project with the first stages of the chain, and commands in it."""

    def __init__(self, root: Path, forking: Forking) -> None:
        super().__init__(root, forking)
        (root / ".dvc").mkdir(exist_ok=True)
        (root / ".dvc" / "config").write_text("[core]\n    analytics = false\n    no_scm = true\n")
        (root / "dvc.yaml").write_text(CHAIN)

    def command(self, *arguments: str) -> subprocess.Popen[str]:
        """Start this Python in the project."""
        path = os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))
        env = {MARK: self.mark, "PATH": path, "PYTHONPATH": str(ROOT), "PREFECT_API_URL": "", "SHELL": "/bin/sh"}
        env |= {"TRYON_WORKERS": "2", "TRYON_THREADS": "1"}
        with (self.root / "log").open("w") as log:
            return subprocess.Popen(
                [sys.executable, *arguments],
                cwd=self.root,
                env=os.environ | env,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                process_group=0,
                text=True,
            )

    def succeed(self, *arguments: str) -> str:
        """Run this Python in the project successfully and return its output."""
        code = self.command(*arguments).wait(TIMEOUT)
        output = (self.root / "log").read_text()
        assert code == 0, output
        return output

    def stage_process(self, stage: str) -> int | None:
        """Return the process of a stage."""
        name = stage.partition("@")[0].encode()
        for process in self.orphans():
            try:
                words = Path(f"/proc/{process}/cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if b"flows.stage_command" in words and name in words:
                return process
        return None


@pytest.fixture(scope="module")
def recorded(reference: Reference, forking: Forking, tmp_path_factory: pytest.TempPathFactory) -> Commands:
    """A project in which DVC has run everything; the records of `RUN_AGAIN` are deleted."""
    project = Commands(tmp_path_factory.mktemp("recorded") / "project", forking)
    shutil.copytree(reference.data, project.data, dirs_exist_ok=True)
    for later in ("checkpoints", "evaluation", "export"):
        shutil.rmtree(project.data / later)
    before = project.hashes()
    project.succeed(*DVC)
    assert project.hashes() == before
    shutil.rmtree(project.root / ".dvc/cache/runs", ignore_errors=True)
    yaml, lock = YAML(), project.root / "dvc.lock"
    content = yaml.load(lock.read_text())
    for stage in RUN_AGAIN:
        for out in content["stages"].pop(stage)["outs"]:
            path = project.root / out["path"]
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    with lock.open("w") as stream:
        yaml.dump(content, stream)
    return project


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize(("number", "kind"), list(enumerate(KINDS)))
def test_killed_command_leaves_no_process_and_the_next_run_succeeds(
    number: int, kind: str, recorded: Commands, reference: Reference, forking: Forking, project_root: Path
) -> None:
    generator = random.Random(f"{SEED} {number}")
    stage, delay = generator.choice(RUN_AGAIN), generator.random()
    for _ in range(ATTEMPTS):
        shutil.copytree(recorded.root, project_root)
        project = Commands(project_root, forking)
        if kill_stage(project, kind, stage, delay):
            break
        shutil.rmtree(project_root)
        delay /= 2
    else:
        pytest.fail("it always finished before the kill")
    project.await_no_orphan()
    assert not partial_outputs(project, (stage.partition("@")[0],), reference, {})
    project.succeed(*(FLOWS if kind == "flows" else DVC))
    project.await_no_orphan()
    assert project.hashes() == expected(reference)
    assert "up to date" in project.succeed("-m", "dvc", "status")
    if kind == "flows":
        assert {"CRASHED", "COMPLETED"} == run_states(project)  # those of the killed run and of the next one


def run_states(project: Commands) -> set[str]:
    """Return the states of all runs in the database of the project's server."""
    database = project.data / "work" / "prefect" / "prefect.db"
    with closing(sqlite3.connect(database)) as connection:
        return {state for (state,) in connection.execute("select state_type from flow_run")}


def kill_stage(project: Commands, kind: str, stage: str, delay: float) -> bool:
    """Kill while a stage runs, up to a second after its start; return False if it finished before."""
    command = project.command(*(FLOWS if kind == "flows" else DVC))
    until = time.monotonic() + TIMEOUT
    while (process := project.stage_process(stage)) is None:
        assert command.poll() is None, (project.root / "log").read_text()
        assert time.monotonic() < until, "timed out"
        time.sleep(0.02)
    time.sleep(delay)
    victim = process if kind == "stage" else command.pid
    with suppress(ProcessLookupError):
        os.kill(victim, signal.SIGKILL)
    return command.wait(TIMEOUT) != 0


def expected(reference: Reference) -> Hashes:
    later = ("checkpoints/", "evaluation/", "export/")
    return {name: value for name, value in reference.hashes.items() if not name.startswith(later)}
