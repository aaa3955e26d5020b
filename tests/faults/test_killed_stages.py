"""SIGKILL of stage processes at seeded moments: no orphan, no partial output, and the next run gives the reference.

The moment is a fraction of the stage's duration, or just before one of its folder changes (a file renamed or removed).
The last changes, where outputs appear, are sampled more often.
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

from tests.faults.forking import FAULT
from tests.faults.project import (
    CARD,
    STEPS,
    TIMEOUT,
    Forking,
    Project,
    Reference,
    copy_for_step,
    leftover_work_files,
    partial_outputs,
    write_old_outputs,
)
from tryon.runtime.atomic_files import sha256_file

SEED = 20
LAST = 8
"""Number of changes at the end that count as the last ones."""

ATTEMPTS = 6
"""Attempts to kill a process before it finishes; each is earlier."""

KILLS = {"download": 8, "agnostic": 10, "sample": 7, "pretrain": 7, "finetune": 8, "evaluate": 6, "export": 6}
WITH_WORKERS = ("download", "agnostic", "sample", "export")

Case = tuple[str, int, str]


def cases(stage: str, count: int) -> list[Case]:
    """Return stage, number and kind: `time`, `change`, `last`, or a `worker` before its first or second change."""
    kinds = ("change", "time", "last") if stage not in WITH_WORKERS else ("change", "worker", "time", "last")
    return [(stage, number, kinds[number % len(kinds)]) for number in range(count)]


ALL = [case for stage, count in KILLS.items() for case in cases(stage, count)]
ALWAYS = {("agnostic", 1), ("sample", 3), ("pretrain", 0), ("finetune", 1), ("evaluate", 2), ("export", 0)}
"""Cases of the main suite."""


@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    ("stage", "number", "kind"),
    [pytest.param(*case, marks=() if case[:2] in ALWAYS else pytest.mark.long) for case in ALL],
)
def test_killed_stage_leaves_no_partial_output_and_can_be_rerun(
    stage: str, number: int, kind: str, reference: Reference, forking: Forking, project_root: Path
) -> None:
    generator = random.Random(f"{SEED} {stage} {number}")
    step = generator.choice([step for step in STEPS if step[0] == stage])
    old, fraction = number % 2 == 1 and stage != "export", generator.random()
    for _ in range(ATTEMPTS):
        project = copy_for_step(reference, project_root, step, forking)
        if old:
            write_old_outputs(project, step, reference)
        before = project.hashes()
        if kill_step(project, step, kind, fraction, reference):
            break
        shutil.rmtree(project_root)
        fraction *= 0.6
    else:
        pytest.fail("it always finished before the kill")
    project.await_no_orphan()
    assert not partial_outputs(project, step, reference, before)
    project.run(step)
    project.await_no_orphan()
    assert project.hashes() == reference.hashes
    assert step[0] != "evaluate" or sha256_file(project.data / CARD) == reference.hashes["evaluation/model_card.md"]
    assert not leftover_work_files(project, step, reference)


def wait_for(condition: Callable[[], object]) -> None:
    until = time.monotonic() + TIMEOUT
    while not condition():
        assert time.monotonic() < until, "timed out"
        time.sleep(0.02)


def kill_step(project: Project, step: tuple[str, ...], kind: str, fraction: float, reference: Reference) -> bool:
    """Run and kill a step; return False if it finished before."""
    if kind == "time":
        child = project.start(step)
        if child.wait(fraction * reference.seconds[step]) is None:
            child.kill()
        return child.wait() == -signal.SIGKILL
    changes = reference.changes[step]
    first = 1 if kind == "change" else max(1, changes - LAST)
    number = first + int(fraction * (changes + 1 - first))
    if kind == "worker":
        child = project.start(step, **{FAULT: f"worker:{1 + int(fraction * 2)}"})
        if step[0] == "download":  # its workers change no folders
            wait_for(project.workers)
            os.kill(project.workers()[0], signal.SIGKILL)
        code = child.wait()
        output = child.log.read_text()
        assert code == 2, output
        assert "error: a worker process was killed" in output
        assert "Traceback" not in output
        return True
    child = project.start(step, **{FAULT: f"stage:{number}"})
    code = child.wait()
    assert code in (0, -signal.SIGKILL), child.log.read_text()
    return code != 0
