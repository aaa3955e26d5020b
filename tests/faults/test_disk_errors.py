"""Full, read-only and blocked output folders end in one message, preserve earlier results, and can be recovered from.

The disk check before a stage is disabled, so that the disk fills up while the stage runs.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.failing_disk import filled, mount_problem, read_only, small_disk
from tests.faults.project import (
    OUTPUT_FOLDERS,
    STEPS,
    ForkServer,
    Project,
    Reference,
    Step,
    incomplete_outputs,
    outputs_of,
    project_before,
    write_old_outputs,
)
from tests.faults.stage_processes import MAX_FILE_SIZE, SKIP_DISK_CHECK

pytestmark = pytest.mark.slow

TESTED_STEPS = [step for step in STEPS if step[0] != "agnostic" or step[1] == "dresses"]
SHORT_STAGES = ("sample",)
"""Stages whose cases are not marked `long`."""

FREE_FRACTIONS = {"none": 0.0, "some": 0.15, "much": 0.6}
"""Free space as a fraction of the bytes that the step leaves in the reference run."""


def step_cases() -> list:
    """Return every step."""
    return [
        pytest.param(step, marks=() if step[0] in SHORT_STAGES else pytest.mark.long, id=step[0])
        for step in TESTED_STEPS
    ]


def full_disk_cases() -> list:
    """Return every step with every amount of free space."""
    return [
        pytest.param(
            step,
            space,
            marks=() if step[0] in SHORT_STAGES and space == "some" else pytest.mark.long,
            id=f"{step[0]}-{space}",
        )
        for step in TESTED_STEPS
        for space in FREE_FRACTIONS
    ]


@pytest.fixture(scope="module")
def mounts() -> None:
    if (problem := mount_problem()) is not None:
        pytest.skip(problem)


@pytest.fixture
def disk(tmp_path: Path, mounts: None) -> Iterator[Path]:
    with small_disk(tmp_path / "disk") as path:
        yield path


@pytest.mark.parametrize(("step", "space"), full_disk_cases())
def test_full_disk_leaves_no_partial_outputs(
    step: Step, space: str, reference: Reference, fork_server: ForkServer, disk: Path
) -> None:
    project = project_before(step, reference, disk / "project", fork_server)
    project.log = disk.with_name("log")
    if step[0] != "export":
        write_old_outputs(project, step, reference)
    before = project.hashes()
    with filled(disk, int(FREE_FRACTIONS[space] * step_bytes(step, reference))):
        message = error_of(project, step)
        project.wait_for_processes()
        assert not incomplete_outputs(project, step, reference, before)
    assert "Free some disk space" in message
    project.run(step)
    assert project.hashes() == reference.hashes


@pytest.mark.parametrize("step", step_cases())
def test_file_size_limit_leaves_no_partial_outputs(
    step: Step, reference: Reference, fork_server: ForkServer, root: Path
) -> None:
    """A write error like that of a full disk, which needs no mount."""
    project = project_before(step, reference, root, fork_server)
    if step[0] != "export":
        write_old_outputs(project, step, reference)
    before = project.hashes()
    assert "Use a file system that allows larger files" in error_of(project, step, **{MAX_FILE_SIZE: "1500"})
    project.wait_for_processes()
    assert not incomplete_outputs(project, step, reference, before)
    project.run(step)
    assert project.hashes() == reference.hashes


@pytest.mark.parametrize("step", step_cases())
def test_read_only_project_is_unchanged(
    step: Step, reference: Reference, fork_server: ForkServer, root: Path, mounts: None
) -> None:
    project = project_before(step, reference, root, fork_server)
    before = project.hashes()
    with read_only(project.data):
        assert "Mount the disk for writing" in error_of(project, step)
    assert project.hashes() == before
    project.run(step)
    assert project.hashes() == reference.hashes


@pytest.mark.parametrize("step", step_cases())
def test_read_only_output_folder_is_unchanged(
    step: Step, reference: Reference, fork_server: ForkServer, root: Path, mounts: None
) -> None:
    """The error occurs only when the finished outputs are published; the old ones must survive."""
    project = project_before(step, reference, root, fork_server)
    folder = project.data / OUTPUT_FOLDERS[step[0]]
    folder.mkdir(exist_ok=True)
    if step[0] != "export":
        write_old_outputs(project, step, reference)
    before = project.hashes()
    with read_only(folder):
        message = error_of(project, step)
    # A mounted folder that is replaced atomically is busy.
    assert "Mount the disk for writing" in message or "Wait for the program that uses it" in message
    assert project.hashes() == before
    project.run(step)
    assert project.hashes() == reference.hashes


@pytest.mark.parametrize("step", step_cases())
def test_file_in_place_of_output_folder_is_kept(
    step: Step, reference: Reference, fork_server: ForkServer, root: Path
) -> None:
    project = project_before(step, reference, root, fork_server)
    folder = project.data / OUTPUT_FOLDERS[step[0]]
    if step[0] == "agnostic":
        for file in folder.iterdir():
            file.unlink()
        folder.rmdir()
    folder.write_text("a file of the user")
    before = project.hashes()
    message = error_of(project, step)
    assert "file that is in the way" in message or (step[0] == "export" and "is not a folder" in message)
    assert project.hashes() == before
    folder.unlink()
    project.run(step)
    outputs = outputs_of(step, reference)
    hashes = project.hashes()
    assert {name: hashes[name] for name in outputs if name in hashes} == {
        name: reference.hashes[name] for name in outputs
    }


def error_of(project: Project, step: Step, **environment: str) -> str:
    """Run a failing step and return its one-line message, which must end the log."""
    process = project.start(step, **{SKIP_DISK_CHECK: "1"}, **environment)
    code, log = process.wait(), process.log.read_text()
    assert code == 2, (code, log)
    assert "Traceback" not in log
    (message,) = [line for line in log.splitlines() if line.startswith("error: ")]
    assert log.rstrip().endswith(message), log
    return message


def step_bytes(step: Step, reference: Reference) -> int:
    """Return the bytes that a step leaves, including the raw files of `download`."""
    files = [reference.data / name for name in outputs_of(step, reference)]
    for folder in ("raw", "work/download") if step[0] == "download" else ():
        files += [path for path in (reference.data / folder).rglob("*") if path.is_file()]
    return sum(path.stat().st_size for path in files)
