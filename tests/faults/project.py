"""A tiny project, its reference outputs, and checks of a project after a fault."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.faults.forking import COUNT
from tests.flows.chain import first_stages
from tryon.categories import Category
from tryon.runtime.atomic_files import sha256_file

ROOT = Path(__file__).parent.parent.parent

TIMEOUT = 300.0
"""Seconds after which a process counts as stuck; busy machines are slow."""

MARK = "TESTED_BY"
"""Environment variable that identifies the processes of a test."""

NETWORK = {
    "num_flows": 2, "encoder_channels": [8, 8, 8], "pyramid_channels": 8, "flow_channels": [8, 8, 8],
    "image_encoder_channels": [6, 8], "grid_normalization": "identity",
}  # fmt: skip
TRAINING = {
    "batch_size": 1,
    "lr": 1e-3,
    "loss": {"perceptual": "none"},
    "accelerator": "cpu",
    "checkpoint_every_steps": 2,
}
CONTENT = {
    "seed": 3,
    "image": {"size": [64, 48]},
    "download": {"synthetic": {"train_pairs": 3, "test_pairs": 2, "difficulty": "easy"}},
    "agnostic": {},
    "sample": {"val_fraction": 0.34},
    "pretrain": TRAINING | {"network": NETWORK, "epochs": 2},
    "finetune": TRAINING | {"epochs": 2},
    "evaluate": {"num_gallery_samples": 2},
}

CHAIN = (
    first_stages("python -m flows.stage_command")
    + """  sample:
    cmd: exec python -m flows.stage_command sample
    deps:
      - data/manifests/upper_body.parquet
      - data/manifests/lower_body.parquet
      - data/manifests/dresses.parquet
    params: [seed, image.size, sample]
    outs:
      - data/subset/train.arrow
      - data/subset/val.arrow
      - data/subset/test_paired.arrow
      - data/subset/test_unpaired.arrow
  pretrain:
    cmd: exec python -m flows.stage_command pretrain
    deps: [data/subset/train.arrow, data/subset/val.arrow]
    params: [seed, pretrain, {data/weights.json: [start]}]
    outs: [data/pretrained]
"""
)
"""Stages of `dvc repro` in these tests."""

OUTPUTS = {
    "download": "index",
    "agnostic": "manifests",
    "sample": "subset",
    "pretrain": "pretrained",
    "finetune": "checkpoints",
    "evaluate": "evaluation",
    "export": "export",
}
"""Output folder of each step below `data/`."""

CARD = "checkpoints/model_card.md"
"""Output of evaluate in the folder of finetune, which removes it with every new checkpoint."""

ATOMIC = ("pretrain", "finetune", "evaluate")
"""Stages that replace their output folder atomically."""

STEPS = [
    ("download",),
    *(("agnostic", str(category)) for category in Category),
    ("sample",),
    ("pretrain",),
    ("finetune",),
    ("evaluate",),
    ("export", "--format", "viton-hd", "--out", "data/export"),
]
"""Arguments of all commands under test."""

Hashes = dict[str, str]
"""SHA-256 by path below `data/`."""


class Forking:
    """Client of the process that forks stages; see `tests.faults.forking`."""

    def __init__(self) -> None:
        command = [sys.executable, "-P", str(Path(__file__).with_name("forking.py"))]
        env = {**os.environ, "PYTHONPATH": str(ROOT), "PREFECT_API_URL": "", "TRYON_WORKERS": "2"}
        env |= {"OMP_NUM_THREADS": "1", "TRYON_THREADS": "1"}
        self.process = subprocess.Popen(
            command, cwd=ROOT, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self._read() == "ready"

    def start(self, **request: Any) -> Forked:
        """Start a process."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        return Forked(int(self._read()), self._read, Path(request["log"]))

    def close(self) -> None:
        """Kill it."""
        self.process.kill()
        self.process.communicate()

    def _read(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()


class Forked:
    """A stage process.

    Args:
        pid: process id.
        status: waits for its end and returns its exit code, negative for a signal.
        log: file with its output.
    """

    def __init__(self, pid: int, status: Callable[[], str], log: Path) -> None:
        self.pid, self.log = pid, log
        self._status: list[str] = []
        self._waiting = threading.Thread(target=lambda: self._status.append(status()))
        self._waiting.start()

    def wait(self, seconds: float = TIMEOUT) -> int | None:
        """Wait and return the exit code; None if it still runs."""
        self._waiting.join(seconds)
        return int(self._status[0]) if self._status else None

    def kill(self) -> None:
        """Send SIGKILL."""
        os.kill(self.pid, signal.SIGKILL)


@dataclass
class Reference:
    """Outputs of a run without faults.

    Args:
        data: its `data/`.
        hashes: SHA-256 of its files.
        seconds: duration of each step.
        changes: number of folder changes of each step.
    """

    data: Path
    hashes: Hashes = field(default_factory=dict)
    seconds: dict[tuple[str, ...], float] = field(default_factory=dict)
    changes: dict[tuple[str, ...], int] = field(default_factory=dict)


class Project:
    """A project for fault injection.

    Args:
        root: its folder.
        forking: starts its processes.
    """

    def __init__(self, root: Path, forking: Forking) -> None:
        self.root, self.forking = root, forking
        self.data, self.log = root / "data", root / "log"
        self.mark = uuid.uuid4().hex
        self.data.mkdir(parents=True, exist_ok=True)
        (root / "params.yaml").write_text(json.dumps(CONTENT))

    def start(self, step: tuple[str, ...], **environment: str) -> Forked:
        """Start a step."""
        export = step[0] == "export"
        return self.forking.start(
            program="tryon" if export else "stage",
            arguments=step,
            root=str(self.root),
            log=str(self.log),
            environment={MARK: self.mark, **environment},
        )

    def run(self, step: tuple[str, ...], **environment: str) -> None:
        """Run a step successfully."""
        child = self.start(step, **environment)
        assert child.wait() == 0, child.log.read_text()

    def hashes(self) -> Hashes:
        """Hash all files outside work folders."""
        return hashes_in(self.data)

    def orphans(self) -> list[int]:
        """Return the processes that run here or were started by one."""
        return [int(entry.name) for entry in Path("/proc").glob("[0-9]*") if self._is_ours(entry)]

    def workers(self) -> list[int]:
        """Return the worker processes of the running stage."""
        return [process for process in self.orphans() if b"spawn_main" in _command(process)]

    def await_no_orphan(self, seconds: float = 60.0) -> None:
        """Wait until all processes have ended."""
        until = time.monotonic() + seconds
        while left := self.orphans():
            assert time.monotonic() < until, [_command(process) for process in left]
            time.sleep(0.1)

    def _is_ours(self, entry: Path) -> bool:
        try:
            if (entry / "stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return False
            marked = f"{MARK}={self.mark}".encode() in (entry / "environ").read_bytes().split(b"\0")
            return marked or (entry / "cwd").readlink().is_relative_to(self.root.resolve())
        except OSError:
            return False


def _command(process: int) -> bytes:
    try:
        return Path(f"/proc/{process}/cmdline").read_bytes()
    except OSError:
        return b""


def hashes_in(data: Path) -> Hashes:
    """Hash the files below a `data/` except work folders, raw data and the card."""
    names = [path.relative_to(data).as_posix() for path in data.rglob("*") if path.is_file()]
    names = [name for name in names if name.partition("/")[0] not in ("work", "raw") and name != CARD]
    return {name: sha256_file(data / name) for name in names}


def run_reference(root: Path, forking: Forking) -> Reference:
    """Run every step once without faults."""
    project = Project(root, forking)
    child = forking.start(
        program="tryon", arguments=["refresh-inputs"], root=str(root), log=str(root / "log"), environment={}
    )
    assert child.wait() == 0, child.log.read_text()
    reference = Reference(project.data)
    for step in STEPS:
        count, start = root / f"count-{'-'.join(step[:2])}", time.monotonic()
        project.run(step, **{COUNT: str(count)})
        reference.seconds[step] = time.monotonic() - start
        reference.changes[step] = int(count.read_text())
    reference.hashes = project.hashes()
    return reference


def copy_for_step(reference: Reference, root: Path, step: tuple[str, ...], forking: Forking) -> Project:
    """Copy the reference without a step's outputs and work folders; raw files only if the step reads them."""
    project = Project(root, forking)
    skipped = {"work", OUTPUTS[step[0]] if step[0] != "agnostic" else ""}
    if step[0] not in ("agnostic", "sample", "export"):
        skipped.add("raw")
    for entry in reference.data.iterdir():
        if entry.name not in skipped:
            copy = shutil.copytree if entry.is_dir() else shutil.copy
            copy(entry, project.data / entry.name)
    if step[0] == "agnostic":
        for path in outputs_of(step, reference):
            (project.data / path).unlink()
    return project


def outputs_of(step: tuple[str, ...], reference: Reference) -> list[str]:
    """Return the files that a step writes, relative to `data/`."""
    start = f"{OUTPUTS[step[0]]}/{step[1] if step[0] == 'agnostic' else ''}"
    return [name for name in reference.hashes if name.startswith(start)]


def write_old_outputs(project: Project, step: tuple[str, ...], reference: Reference) -> None:
    """Write fake outputs of an earlier run of a step."""
    for name in outputs_of(step, reference):
        (project.data / name).parent.mkdir(parents=True, exist_ok=True)
        (project.data / name).write_text(f"old {name}")


def partial_outputs(project: Project, step: tuple[str, ...], reference: Reference, before: Hashes) -> list[str]:
    """Return the outputs that are neither unchanged, nor absent, nor complete."""
    after, complete = project.hashes(), reference.hashes
    after = {name: value for name, value in after.items() if not any(part.startswith(".") for part in name.split("/"))}
    after.pop("export/export.json", None)  # records whether the export is finished
    partial = [name for name, value in after.items() if value not in (before.get(name), complete.get(name))]
    if step[0] in ATOMIC:
        names = {name for name in complete if name.startswith(f"{OUTPUTS[step[0]]}/")}
        written = {name: after[name] for name in names & after.keys()}
        if written not in ({}, {name: before.get(name) for name in names}, {name: complete[name] for name in names}):
            partial.append(f"{OUTPUTS[step[0]]}: incomplete")
    return partial


def leftover_work_files(project: Project, step: tuple[str, ...], reference: Reference) -> set[str]:
    """Return the files in a step's work folder that the reference run did not leave there."""
    folder, both = Path("work", step[0]), (project.data, reference.data)
    files, expected = ({path.relative_to(data) for path in (data / folder).rglob("*")} for data in both)
    return {path.as_posix() for path in files - expected}
