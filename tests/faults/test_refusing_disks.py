"""Full disks and read-only folders: one message, earlier results intact, and the next run succeeds.

The check of disk space before a stage is disabled, so that the disk fills up during the stage.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.disks import filled, read_only, small_disk, why_not_mountable
from tests.faults.forking import FREE_SPACE, MAX_FILE_SIZE
from tests.faults.project import (
    OUTPUTS,
    STEPS,
    Forking,
    Project,
    Reference,
    copy_for_step,
    outputs_of,
    partial_outputs,
    write_old_outputs,
)

SELECTED = [step for step in STEPS if step[0] != "agnostic" or step[1] == "dresses"]
ALWAYS = ("sample",)

FREE_FRACTIONS = {"none": 0.0, "some": 0.15, "much": 0.6}
"""Free space as a fraction of the step's output."""

UNCHECKED = {FREE_SPACE: "unchecked"}


def cases(*variants: str) -> list:
    """Return all combinations of steps and variants; most are marked as long."""
    result = []
    for step in SELECTED:
        for variant in variants or ("",):
            marks = () if step[0] in ALWAYS and variant in ("", "some") else pytest.mark.long
            values = (step, variant) if variants else (step,)
            result.append(pytest.param(*values, marks=marks, id="-".join(filter(None, (step[0], variant)))))
    return result


@pytest.fixture(scope="module")
def mounts() -> None:
    if (reason := why_not_mountable()) is not None:
        pytest.skip(reason)


@pytest.fixture
def disk(tmp_path: Path, mounts: None) -> Iterator[Path]:
    with small_disk(tmp_path / "disk") as folder:
        yield folder


@pytest.mark.parametrize(("step", "free"), cases(*FREE_FRACTIONS))
def test_full_disk(step: tuple[str, ...], free: str, reference: Reference, forking: Forking, disk: Path) -> None:
    project = copy_for_step(reference, disk / "project", step, forking)
    project.log = disk.with_name("log")
    if step[0] != "export":
        write_old_outputs(project, step, reference)
    before = project.hashes()
    with filled(disk, int(FREE_FRACTIONS[free] * size_of(step, reference))):
        message = fail(project, step)
        project.await_no_orphan()
        assert not partial_outputs(project, step, reference, before)
    assert "Free some disk space" in message
    project.run(step)
    assert project.hashes() == reference.hashes


@pytest.mark.parametrize("step", cases())
def test_file_size_limit(step: tuple[str, ...], reference: Reference, forking: Forking, project_root: Path) -> None:
    """A substitute for a full disk where mounting is not permitted."""
    project = copy_for_step(reference, project_root, step, forking)
    if step[0] != "export":
        write_old_outputs(project, step, reference)
    before = project.hashes()
    assert "File too large" in fail(project, step, **{MAX_FILE_SIZE: "1500"})
    project.await_no_orphan()
    assert not partial_outputs(project, step, reference, before)
    project.run(step)
    assert project.hashes() == reference.hashes


@pytest.mark.parametrize("step", cases())
def test_read_only_project(
    step: tuple[str, ...], reference: Reference, forking: Forking, project_root: Path, mounts: None
) -> None:
    project = copy_for_step(reference, project_root, step, forking)
    before = project.hashes()
    with read_only(project.data):
        assert "Mount the disk for writing" in fail(project, step)
    assert project.hashes() == before
    project.run(step)
    assert project.hashes() == reference.hashes


@pytest.mark.parametrize("step", cases())
def test_read_only_outputs(
    step: tuple[str, ...], reference: Reference, forking: Forking, project_root: Path, mounts: None
) -> None:
    """The stage fails at its end; earlier outputs must be unchanged."""
    project = copy_for_step(reference, project_root, step, forking)
    folder = project.data / OUTPUTS[step[0]]
    folder.mkdir(exist_ok=True)
    if step[0] != "export":
        write_old_outputs(project, step, reference)
    before = project.hashes()
    with read_only(folder):
        message = fail(project, step)
    # the second for a folder that would be replaced
    assert "Mount the disk" in message or "Wait for the program that uses it" in message
    assert project.hashes() == before
    project.run(step)
    assert project.hashes() == reference.hashes


@pytest.mark.parametrize("step", cases())
def test_file_at_the_path_of_the_output_folder(
    step: tuple[str, ...], reference: Reference, forking: Forking, project_root: Path
) -> None:
    project = copy_for_step(reference, project_root, step, forking)
    folder = project.data / OUTPUTS[step[0]]
    if step[0] == "agnostic":
        for file in folder.iterdir():
            file.unlink()
        folder.rmdir()
    folder.write_text("user file")
    before = project.hashes()
    message = fail(project, step)
    assert "file that is in the way" in message or (step[0] == "export" and str(folder.name) in message)
    assert project.hashes() == before
    folder.unlink()
    project.run(step)
    names = outputs_of(step, reference)
    hashes = project.hashes()
    assert {name: hashes.get(name) for name in names} == {name: reference.hashes[name] for name in names}


def fail(project: Project, step: tuple[str, ...], **environment: str) -> str:
    """Run a failing step and return its message, which follows lines of progress."""
    child = project.start(step, **UNCHECKED, **environment)
    code, output = child.wait(), child.log.read_text()
    assert code == 2, (code, output)
    assert "Traceback" not in output
    (message,) = [line for line in output.splitlines() if line.startswith("error: ")]
    assert output.rstrip().endswith(message), output
    return message


def size_of(step: tuple[str, ...], reference: Reference) -> int:
    """Return the bytes of a step's outputs, including the data set."""
    files = [reference.data / name for name in outputs_of(step, reference)]
    for folder in ("raw", "work/download") if step[0] == "download" else ():
        files += [path for path in (reference.data / folder).rglob("*") if path.is_file()]
    return sum(path.stat().st_size for path in files)
