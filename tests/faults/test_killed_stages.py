"""SIGKILL of stage processes at seeded moments leaves no process and no partial output, and the next run recovers.

The moment is a fraction of the duration of the reference run, or just before one of the changes that the stage makes
to folders (files renamed or removed). The last changes, which publish outputs, are chosen more often.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.faults.project import (
    MODEL_CARD,
    STEPS,
    TIMEOUT,
    ForkServer,
    Project,
    Reference,
    Step,
    incomplete_outputs,
    leftover_work_files,
    project_before,
    write_old_outputs,
)
from tests.faults.stage_processes import KILL_AT
from tryon.runtime.atomic_files import sha256_file

pytestmark = pytest.mark.slow

SEED = 20
LAST_CHANGES = 8
"""Number of changes at the end that count as the last ones."""

ATTEMPTS = 6
"""Attempts to kill a process before it finishes; each is earlier than the one before."""

KILLS = {"download": 8, "agnostic": 10, "sample": 7, "pretrain": 7, "finetune": 8, "evaluate": 6, "export": 6}
"""Number of kills per stage."""

STAGES_WITH_WORKERS = ("download", "agnostic", "sample", "export")

Case = tuple[str, int, str]


def cases(stage: str, count: int) -> list[Case]:
    """Return stage, number and kind of each kill.

    Kinds: at a `time`, before any `change` or one of the `last` changes; `worker`: a worker process is killed before
    its first or second change.
    """
    kinds = ("change", "worker", "time", "last") if stage in STAGES_WITH_WORKERS else ("change", "time", "last")
    return [(stage, number, kinds[number % len(kinds)]) for number in range(count)]


CASES = [case for stage, count in KILLS.items() for case in cases(stage, count)]
SHORT_CASES = {("agnostic", 1), ("sample", 3), ("pretrain", 0), ("finetune", 1), ("evaluate", 2), ("export", 0)}
"""Cases that are not marked `long`."""


@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    ("stage", "number", "kind"),
    [pytest.param(*case, marks=() if case[:2] in SHORT_CASES else pytest.mark.long) for case in CASES],
)
def test_killed_stage_leaves_no_partial_outputs_and_recovers(
    stage: str, number: int, kind: str, reference: Reference, fork_server: ForkServer, root: Path
) -> None:
    rng = random.Random(f"{SEED} {stage} {number}")
    step = rng.choice([step for step in STEPS if step[0] == stage])
    has_old_outputs, moment = number % 2 == 1 and stage != "export", rng.random()
    for _ in range(ATTEMPTS):
        project = project_before(step, reference, root, fork_server)
        if has_old_outputs:
            write_old_outputs(project, step, reference)
        before = project.hashes()
        if run_and_kill(project, step, kind, moment, reference):
            break
        shutil.rmtree(root)
        moment *= 0.6
    else:
        pytest.fail("the stage finished before every kill")
    project.wait_for_processes()
    assert not incomplete_outputs(project, step, reference, before)
    project.run(step)
    project.wait_for_processes()
    assert project.hashes() == reference.hashes
    if stage == "evaluate":
        assert sha256_file(project.data / MODEL_CARD) == reference.hashes["evaluation/model_card.md"]
    assert not leftover_work_files(project, step, reference)


def wait_until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + TIMEOUT
    while not condition():
        assert time.monotonic() < deadline, "timed out"
        time.sleep(0.02)


def run_and_kill(project: Project, step: Step, kind: str, moment: float, reference: Reference) -> bool:
    """Run a step and kill it at `moment`, 0 to 1; return False if it finished before."""
    if kind == "time":
        process = project.start(step)
        if process.wait(moment * reference.seconds[step]) is None:
            process.kill()
        return process.wait() == -signal.SIGKILL
    if kind == "worker":
        process = project.start(step, **{KILL_AT: f"worker:{1 + int(moment * 2)}"})
        if step[0] == "download":  # its workers change no folder
            wait_until(project.worker_processes)
            os.kill(project.worker_processes()[0], signal.SIGKILL)
        code = process.wait()
        log = process.log.read_text()
        assert code == 2, log
        assert "error: a worker process was killed, probably for lack of memory" in log
        assert "Traceback" not in log
        return True
    changes = reference.changes[step]
    first = 1 if kind == "change" else max(1, changes - LAST_CHANGES)
    number = first + int(moment * (changes + 1 - first))
    process = project.start(step, **{KILL_AT: f"stage:{number}"})
    code = process.wait()
    assert code in (0, -signal.SIGKILL), process.log.read_text()
    return code != 0
