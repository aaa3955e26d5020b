"""A tiny project, the results of running it without faults, and comparisons with them after a fault."""

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

from tests.faults.stage_processes import CHANGE_COUNT_FILE
from tests.flows.dvc_yaml import first_stages
from tryon.categories import Category
from tryon.runtime.atomic_files import sha256_file

ROOT = Path(__file__).parent.parent.parent

TIMEOUT = 300.0
"""Seconds after which a process counts as stuck; large because the machine may be busy."""

PROJECT_ID_ENV = "TEST_PROJECT_ID"
"""Environment variable that identifies the processes of a project."""

NETWORK = {
    "num_flows": 2,
    "encoder_channels": [8, 8, 8],
    "pyramid_channels": 8,
    "flow_channels": [8, 8, 8],
    "image_encoder_channels": [6, 8],
    "grid_normalization": "identity",
}
TRAINING = {
    "batch_size": 1,
    "lr": 1e-3,
    "loss": {"perceptual": "none"},
    "accelerator": "cpu",
    "checkpoint_every_steps": 2,
}
PARAMETERS = {
    "seed": 3,
    "image": {"size": [64, 48]},
    "download": {"synthetic": {"train_pairs": 3, "test_pairs": 2, "difficulty": "easy"}},
    "agnostic": {},
    "sample": {"val_fraction": 0.34},
    "pretrain": TRAINING | {"network": NETWORK, "epochs": 2},
    "finetune": TRAINING | {"epochs": 2},
    "evaluate": {"num_gallery_samples": 2},
}

DVC_YAML = (
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
"""The first four stages, which are enough for `dvc repro`."""

OUTPUT_FOLDERS = {
    "download": "index",
    "agnostic": "manifests",
    "sample": "subset",
    "pretrain": "pretrained",
    "finetune": "checkpoints",
    "evaluate": "evaluation",
    "export": "export",
}
"""Output folder of each stage below `data/`; that of the export is chosen by its `--out` in `STEPS`."""

MODEL_CARD = "checkpoints/model_card.md"
"""Written by `evaluate` into the folder of `finetune`, which removes it with every new checkpoint."""

ATOMIC_FOLDER_STAGES = ("pretrain", "finetune", "evaluate")
"""Stages that replace their output folder atomically."""

Step = tuple[str, ...]
"""Arguments of a command: a stage, and its category or options."""

STEPS: list[Step] = [
    ("download",),
    *(("agnostic", str(category)) for category in Category),
    ("sample",),
    ("pretrain",),
    ("finetune",),
    ("evaluate",),
    ("export", "--format", "viton-hd", "--out", "data/export"),
]
"""All commands that are run, in order."""

Hashes = dict[str, str]
"""SHA-256 by path below `data/`."""


class ForkServer:
    """The process of `tests.faults.stage_processes`, which forks stage processes."""

    def __init__(self) -> None:
        command = [sys.executable, "-P", str(Path(__file__).with_name("stage_processes.py"))]
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "PREFECT_API_URL": "", "TRYON_WORKERS": "2"}
        environment |= {"OMP_NUM_THREADS": "1", "TRYON_THREADS": "1"}
        self.process = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self._read() == "ready"

    def start(self, **request: Any) -> StageProcess:
        """Fork a process for a request."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        return StageProcess(int(self._read()), self._read, Path(request["log"]))

    def close(self) -> None:
        """Kill the server."""
        self.process.kill()
        self.process.communicate()

    def _read(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()


class StageProcess:
    """A forked stage process.

    Args:
        pid: its process id.
        read_exit_code: function that waits for its end and returns its exit code, negative for a signal.
        log: file with its standard output and error.
    """

    def __init__(self, pid: int, read_exit_code: Callable[[], str], log: Path) -> None:
        self.pid, self.log = pid, log
        self._exit_code: list[str] = []
        self._waiter = threading.Thread(target=lambda: self._exit_code.append(read_exit_code()))
        self._waiter.start()

    def wait(self, seconds: float = TIMEOUT) -> int | None:
        """Wait for its end and return its exit code, or None if it is still running after `seconds`."""
        self._waiter.join(seconds)
        return int(self._exit_code[0]) if self._exit_code else None

    def kill(self) -> None:
        """Send SIGKILL."""
        os.kill(self.pid, signal.SIGKILL)


@dataclass
class Reference:
    """Results of a run without faults.

    Args:
        data: its `data/`.
        hashes: hashes of its outputs.
        seconds: duration of each step.
        changes: number of changes of a folder by the process of each step.
    """

    data: Path
    hashes: Hashes = field(default_factory=dict)
    seconds: dict[Step, float] = field(default_factory=dict)
    changes: dict[Step, int] = field(default_factory=dict)


class Project:
    """A tiny project whose steps are run with faults.

    Args:
        root: its folder, with `params.yaml`.
        fork_server: forks its processes.
    """

    def __init__(self, root: Path, fork_server: ForkServer) -> None:
        self.root, self.fork_server = root, fork_server
        self.data, self.log = root / "data", root / "log"
        self.id = uuid.uuid4().hex
        self.data.mkdir(parents=True, exist_ok=True)
        (root / "params.yaml").write_text(json.dumps(PARAMETERS))

    def start(self, step: Step, **environment: str) -> StageProcess:
        """Start a step."""
        export = step[0] == "export"
        return self.fork_server.start(
            program="tryon" if export else "stage",
            arguments=step,
            root=str(self.root),
            log=str(self.log),
            environment={PROJECT_ID_ENV: self.id, **environment},
        )

    def run(self, step: Step, **environment: str) -> None:
        """Run a step, which must succeed."""
        process = self.start(step, **environment)
        assert process.wait() == 0, process.log.read_text()

    def hashes(self) -> Hashes:
        """Return the hashes of all files below `data/` except raw and work files and the model card."""
        return hash_outputs(self.data)

    def processes(self) -> list[int]:
        """Return the processes that run in this project or were started by one that did."""
        return [int(entry.name) for entry in Path("/proc").glob("[0-9]*") if self._owns(entry)]

    def worker_processes(self) -> list[int]:
        """Return the worker processes of the running stage."""
        return [process for process in self.processes() if b"spawn_main" in _command_line(process)]

    def wait_for_processes(self, seconds: float = 60.0) -> None:
        """Wait until no process of the project is left."""
        deadline = time.monotonic() + seconds
        while running := self.processes():
            assert time.monotonic() < deadline, [_command_line(process) for process in running]
            time.sleep(0.1)

    def _owns(self, entry: Path) -> bool:
        try:
            if (entry / "stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return False
            has_id = f"{PROJECT_ID_ENV}={self.id}".encode() in (entry / "environ").read_bytes().split(b"\0")
            return has_id or (entry / "cwd").readlink().is_relative_to(self.root.resolve())
        except OSError:
            return False


def _command_line(process: int) -> bytes:
    try:
        return Path(f"/proc/{process}/cmdline").read_bytes()
    except OSError:
        return b""


def hash_outputs(data: Path) -> Hashes:
    """Hash all files below `data` except raw and work files and the model card."""
    names = [path.relative_to(data).as_posix() for path in data.rglob("*") if path.is_file()]
    names = [name for name in names if name.partition("/")[0] not in ("work", "raw") and name != MODEL_CARD]
    return {name: sha256_file(data / name) for name in names}


def run_without_faults(root: Path, fork_server: ForkServer) -> Reference:
    """Create a project, run every step once and return the results."""
    project = Project(root, fork_server)
    process = fork_server.start(
        program="tryon", arguments=["refresh-inputs"], root=str(root), log=str(root / "log"), environment={}
    )
    assert process.wait() == 0, process.log.read_text()
    reference = Reference(project.data)
    for step in STEPS:
        count_file, start = root / f"count-{'-'.join(step[:2])}", time.monotonic()
        project.run(step, **{CHANGE_COUNT_FILE: str(count_file)})
        reference.seconds[step] = time.monotonic() - start
        reference.changes[step] = int(count_file.read_text())
    reference.hashes = project.hashes()
    return reference


def project_before(step: Step, reference: Reference, root: Path, fork_server: ForkServer) -> Project:
    """Create a project with the reference's outputs of all steps but `step`.

    Work folders are not copied; raw files only for stages that read them.
    """
    project = Project(root, fork_server)
    skipped = {"work", OUTPUT_FOLDERS[step[0]] if step[0] != "agnostic" else ""}
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


def outputs_of(step: Step, reference: Reference) -> list[str]:
    """Return the output files of a step, relative to `data/`."""
    prefix = f"{OUTPUT_FOLDERS[step[0]]}/{step[1] if step[0] == 'agnostic' else ''}"
    return [name for name in reference.hashes if name.startswith(prefix)]


def write_old_outputs(project: Project, step: Step, reference: Reference) -> None:
    """Write other content to all outputs of a step, as if an earlier run had left it."""
    for name in outputs_of(step, reference):
        (project.data / name).parent.mkdir(parents=True, exist_ok=True)
        (project.data / name).write_text(f"old {name}")


def incomplete_outputs(project: Project, step: Step, reference: Reference, before: Hashes) -> list[str]:
    """Return the outputs that are neither unchanged, nor absent, nor complete."""
    complete = reference.hashes
    current = {
        name: value
        for name, value in project.hashes().items()
        if not any(part.startswith(".") for part in name.split("/"))
    }
    current.pop("export/export.json", None)  # records how far the export has come
    incomplete = [name for name, value in current.items() if value not in (before.get(name), complete.get(name))]
    if step[0] in ATOMIC_FOLDER_STAGES:
        folder = OUTPUT_FOLDERS[step[0]]
        names = {name for name in complete if name.startswith(f"{folder}/")}
        content = {name: current[name] for name in names & current.keys()}
        if content not in ({}, {name: before.get(name) for name in names}, {name: complete[name] for name in names}):
            incomplete.append(f"{folder}: mixture of old and new files")
    return incomplete


def leftover_work_files(project: Project, step: Step, reference: Reference) -> set[str]:
    """Return the files in a step's work folder that a run without faults does not leave there."""
    files, expected = (
        {path.relative_to(data).as_posix() for path in (data / "work" / step[0]).rglob("*")}
        for data in (project.data, reference.data)
    )
    return files - expected
