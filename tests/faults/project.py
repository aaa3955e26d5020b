"""A tiny project, what an undisturbed run of it leaves, and ways to disturb one."""

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

WITHIN = 300.0
"""Seconds after which a process counts as stuck; a crowded machine is slow."""

MARK = "TESTED_BY"
"""Environment variable whose value names one test's processes."""

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
"""All that `dvc repro` runs here."""

OUTPUTS = {
    "download": "index",
    "agnostic": "manifests",
    "sample": "subset",
    "pretrain": "pretrained",
    "finetune": "checkpoints",
    "evaluate": "evaluation",
    "export": "export",
}
"""The folder below `data/` that a stage writes; an export goes to a folder of the test's there."""

CARD = "checkpoints/model_card.md"
"""The evaluation's, in the folder of another stage, which takes it away whenever it makes a checkpoint."""

AS_ONE = ("pretrain", "finetune", "evaluate")
"""Stages whose folder appears as a whole."""

STEPS = [
    ("download",),
    *(("agnostic", str(category)) for category in Category),
    ("sample",),
    ("pretrain",),
    ("finetune",),
    ("evaluate",),
    ("export", "--format", "viton-hd", "--out", "data/export"),
]
"""Everything that is run and disturbed: the arguments of the commands."""

Hashes = dict[str, str]
"""SHA-256 by path below `data/`."""


class Forking:
    """The process that forks stage processes, see `tests.faults.forking`."""

    def __init__(self) -> None:
        command = [sys.executable, "-P", str(Path(__file__).with_name("forking.py"))]
        surroundings = {**os.environ, "PYTHONPATH": str(ROOT), "PREFECT_API_URL": "", "TRYON_WORKERS": "2"}
        surroundings |= {"OMP_NUM_THREADS": "1", "TRYON_THREADS": "1"}
        self.process = subprocess.Popen(
            command, cwd=ROOT, env=surroundings, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self._read() == "ready"

    def start(self, **request: Any) -> Forked:
        """Have a process started."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        return Forked(int(self._read()), self._read, Path(request["log"]))

    def close(self) -> None:
        """End it."""
        self.process.kill()
        self.process.communicate()

    def _read(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()


class Forked:
    """A stage process.

    Args:
        pid: its id.
        status: waits for its end and tells its exit code, negative for a signal.
        log: what it wrote to the terminal.
    """

    def __init__(self, pid: int, status: Callable[[], str], log: Path) -> None:
        self.pid, self.log = pid, log
        self._status: list[str] = []
        self._waiting = threading.Thread(target=lambda: self._status.append(status()))
        self._waiting.start()

    def wait(self, seconds: float = WITHIN) -> int | None:
        """Its exit code, None if it still runs then."""
        self._waiting.join(seconds)
        return int(self._status[0]) if self._status else None

    def kill(self) -> None:
        """kill -9."""
        os.kill(self.pid, signal.SIGKILL)


@dataclass
class Reference:
    """What an undisturbed run left.

    Args:
        data: its `data/`.
        seconds, changes: of each step, how long it took and how often its process changed a folder.
    """

    data: Path
    hashes: Hashes = field(default_factory=dict)
    seconds: dict[tuple[str, ...], float] = field(default_factory=dict)
    changes: dict[tuple[str, ...], int] = field(default_factory=dict)


class Project:
    """A project to disturb.

    Args:
        root: its folder, with `params.yaml`.
        forking: makes its processes.
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
        """Run a step to its good end."""
        child = self.start(step, **environment)
        assert child.wait() == 0, child.log.read_text()

    def hashes(self) -> Hashes:
        """All that is tracked or made for somebody, and what else lies about there; no work areas."""
        return hashes_in(self.data)

    def orphans(self) -> list[int]:
        """Processes that work here or were started by one that did."""
        return [int(entry.name) for entry in Path("/proc").glob("[0-9]*") if self._holds(entry)]

    def workers(self) -> list[int]:
        """Worker processes of the stage that runs."""
        return [one for one in self.orphans() if b"spawn_main" in _command(one)]

    def await_no_orphan(self, seconds: float = 60.0) -> None:
        """Wait until all processes have gone."""
        until = time.monotonic() + seconds
        while left := self.orphans():
            assert time.monotonic() < until, [_command(one) for one in left]
            time.sleep(0.1)

    def _holds(self, entry: Path) -> bool:
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
    """Hashes of files below a `data/`, but for work areas and the card."""
    names = [path.relative_to(data).as_posix() for path in data.rglob("*") if path.is_file()]
    names = [name for name in names if name.partition("/")[0] not in ("work", "raw") and name != CARD]
    return {name: sha256_file(data / name) for name in names}


def undisturbed(root: Path, forking: Forking) -> Reference:
    """Run every step once."""
    project = Project(root, forking)
    child = forking.start(
        program="tryon", arguments=["refresh-inputs"], root=str(root), log=str(root / "log"), environment={}
    )
    assert child.wait() == 0, child.log.read_text()
    reference = Reference(project.data)
    for step in STEPS:
        count, since = root / f"count-{'-'.join(step[:2])}", time.monotonic()
        project.run(step, **{COUNT: str(count)})
        reference.seconds[step] = time.monotonic() - since
        reference.changes[step] = int(count.read_text())
    reference.hashes = project.hashes()
    return reference


def copied(reference: Reference, root: Path, step: tuple[str, ...], forking: Forking) -> Project:
    """A project in which all is there but for a step's outputs and the work areas; raw files only if it reads them."""
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
    """Files that a step makes, below `data/`."""
    start = f"{OUTPUTS[step[0]]}/{step[1] if step[0] == 'agnostic' else ''}"
    return [name for name in reference.hashes if name.startswith(start)]


def put_old(project: Project, step: tuple[str, ...], reference: Reference) -> None:
    """Outputs of an earlier run, as it were, in the place of a step's outputs."""
    for name in outputs_of(step, reference):
        (project.data / name).parent.mkdir(parents=True, exist_ok=True)
        (project.data / name).write_text(f"old {name}")


def torn(project: Project, step: tuple[str, ...], reference: Reference, before: Hashes) -> list[str]:
    """Outputs that are neither as before, nor absent, nor complete."""
    now, made = project.hashes(), reference.hashes
    now = {name: value for name, value in now.items() if not any(part.startswith(".") for part in name.split("/"))}
    now.pop("export/export.json", None)  # says whether the rest is finished
    wrong = [name for name, value in now.items() if value not in (before.get(name), made.get(name))]
    if step[0] in AS_ONE:
        own = {name for name in made if name.startswith(f"{OUTPUTS[step[0]]}/")}
        found = {name: now[name] for name in own & now.keys()}
        if found not in ({}, {name: before.get(name) for name in own}, {name: made[name] for name in own}):
            wrong.append(f"{OUTPUTS[step[0]]}: a part of it")
    return wrong


def left_in_work_area(project: Project, step: tuple[str, ...], reference: Reference) -> set[str]:
    """Files in the work area of a step that an undisturbed run does not leave there."""
    area, places = Path("work", step[0]), (project.data, reference.data)
    found, known = ({path.relative_to(data) for path in (data / area).rglob("*")} for data in places)
    return {path.as_posix() for path in found - known}
