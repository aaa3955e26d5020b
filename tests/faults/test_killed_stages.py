"""kill -9 of stage processes at seeded moments: no orphan, nothing half-written, and the next run ends as undisturbed.

The moment is a share of the time that the stage took undisturbed, or the instant before one of the changes that it
makes to folders: a file put in its place, a file removed. The last ones, where outputs appear, are drawn more often.
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
    WITHIN,
    Forking,
    Project,
    Reference,
    copied,
    left_in_work_area,
    put_old,
    torn,
)
from tryon.runtime.atomic_files import sha256_file

SEED = 20
LAST = 8
"""Changes at the end that are the last ones."""

ATTEMPTS = 6
"""To hit a process before it has finished; each tries earlier."""

KILLS = {"download": 8, "agnostic": 10, "sample": 7, "pretrain": 7, "finetune": 8, "evaluate": 6, "export": 6}
WITH_WORKERS = ("download", "agnostic", "sample", "export")

Case = tuple[str, int, str]


def cases(stage: str, count: int) -> list[Case]:
    """Stage, number and what dies when: `time`, `change`, `last`, or a `worker` before its first or second change."""
    kinds = ("change", "time", "last") if stage not in WITH_WORKERS else ("change", "worker", "time", "last")
    return [(stage, number, kinds[number % len(kinds)]) for number in range(count)]


ALL = [case for stage, count in KILLS.items() for case in cases(stage, count)]
ALWAYS = {("agnostic", 1), ("sample", 3), ("pretrain", 0), ("finetune", 1), ("evaluate", 2), ("export", 0)}
"""What the main suite runs of them."""


@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    ("stage", "number", "kind"),
    [pytest.param(*case, marks=() if case[:2] in ALWAYS else pytest.mark.long) for case in ALL],
)
def test_a_killed_stage(
    stage: str, number: int, kind: str, reference: Reference, forking: Forking, place: Path
) -> None:
    random_one = random.Random(f"{SEED} {stage} {number}")
    step = random_one.choice([step for step in STEPS if step[0] == stage])
    old, share = number % 2 == 1 and stage != "export", random_one.random()
    for _ in range(ATTEMPTS):
        project = copied(reference, place, step, forking)
        if old:
            put_old(project, step, reference)
        before = project.hashes()
        if killed(project, step, kind, share, reference):
            break
        shutil.rmtree(place)
        share *= 0.6
    else:
        pytest.fail("it always finished first")
    project.await_no_orphan()
    assert not torn(project, step, reference, before)
    project.run(step)
    project.await_no_orphan()
    assert project.hashes() == reference.hashes
    assert step[0] != "evaluate" or sha256_file(project.data / CARD) == reference.hashes["evaluation/model_card.md"]
    assert not left_in_work_area(project, step, reference)


def wait_for(there: Callable[[], object]) -> None:
    until = time.monotonic() + WITHIN
    while not there():
        assert time.monotonic() < until, "waited in vain"
        time.sleep(0.02)


def killed(project: Project, step: tuple[str, ...], kind: str, share: float, reference: Reference) -> bool:
    """Run a step that is to be killed; False if it came to its end before."""
    if kind == "time":
        child = project.start(step)
        if child.wait(share * reference.seconds[step]) is None:
            child.kill()
        return child.wait() == -signal.SIGKILL
    changes = reference.changes[step]
    first = 1 if kind == "change" else max(1, changes - LAST)
    number = first + int(share * (changes + 1 - first))
    if kind == "worker":
        child = project.start(step, **{FAULT: f"worker:{1 + int(share * 2)}"})
        if step[0] == "download":  # its workers change no folder
            wait_for(project.workers)
            os.kill(project.workers()[0], signal.SIGKILL)
        code = child.wait()
        said = child.log.read_text()
        assert code == 2, said
        assert "error: a worker process: lives until its work is done." in said
        assert "Traceback" not in said
        return True
    child = project.start(step, **{FAULT: f"stage:{number}"})
    code = child.wait()
    assert code in (0, -signal.SIGKILL), child.log.read_text()
    return code != 0
