"""A disk that fills up and a folder that cannot be written: one message, earlier results intact, and then it goes on.

The look at the free disk before a stage is made to find plenty, so that the disk fills up in the middle.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.disks import filled, read_only, refusal, small_disk
from tests.faults.forking import LARGEST, ROOM
from tests.faults.project import (
    OUTPUTS,
    STEPS,
    Forking,
    Project,
    Reference,
    copied,
    outputs_of,
    put_old,
    torn,
)

CHOSEN = [step for step in STEPS if step[0] != "agnostic" or step[1] == "dresses"]
ALWAYS = ("sample",)

ROOMS = {"none": 0.0, "some": 0.15, "much": 0.6}
"""Free bytes as a share of what an undisturbed run of the step leaves."""

PLENTY = {ROOM: "plenty"}


def each(*others: str) -> list:
    """Every step, and every one with each of the others; the main suite has little of it."""
    found = []
    for step in CHOSEN:
        for other in others or ("",):
            marks = () if step[0] in ALWAYS and other in ("", "some") else pytest.mark.long
            values = (step, other) if others else (step,)
            found.append(pytest.param(*values, marks=marks, id="-".join(filter(None, (step[0], other)))))
    return found


@pytest.fixture(scope="module")
def mounts() -> None:
    if (why := refusal()) is not None:
        pytest.skip(why)


@pytest.fixture
def disk(tmp_path: Path, mounts: None) -> Iterator[Path]:
    with small_disk(tmp_path / "disk") as place:
        yield place


@pytest.mark.parametrize(("step", "room"), each(*ROOMS))
def test_a_full_disk(step: tuple[str, ...], room: str, reference: Reference, forking: Forking, disk: Path) -> None:
    project = copied(reference, disk / "project", step, forking)
    project.log = disk.with_name("log")
    if step[0] != "export":
        put_old(project, step, reference)
    before = project.hashes()
    with filled(disk, int(ROOMS[room] * size_of(step, reference))):
        said = failed(project, step)
        project.await_no_orphan()
        assert not torn(project, step, reference, before)
    assert "Make room" in said or "Free some disk space" in said
    project.run(step)
    assert project.hashes() == reference.hashes


@pytest.mark.parametrize("step", each())
def test_a_file_that_may_not_grow(step: tuple[str, ...], reference: Reference, forking: Forking, place: Path) -> None:
    """The next best thing to a full disk where nothing may be mounted."""
    project = copied(reference, place, step, forking)
    if step[0] != "export":
        put_old(project, step, reference)
    before = project.hashes()
    assert "is no larger than the file system allows" in failed(project, step, **{LARGEST: "1500"})
    project.await_no_orphan()
    assert not torn(project, step, reference, before)
    project.run(step)
    assert project.hashes() == reference.hashes


@pytest.mark.parametrize("step", each())
def test_a_project_that_cannot_be_written(
    step: tuple[str, ...], reference: Reference, forking: Forking, place: Path, mounts: None
) -> None:
    project = copied(reference, place, step, forking)
    before = project.hashes()
    with read_only(project.data):
        assert "Mount the disk for writing" in failed(project, step)
    assert project.hashes() == before
    project.run(step)
    assert project.hashes() == reference.hashes


@pytest.mark.parametrize("step", each())
def test_outputs_that_cannot_be_written(
    step: tuple[str, ...], reference: Reference, forking: Forking, place: Path, mounts: None
) -> None:
    """All the work is done before it is noticed; none of it may be lost from where it was."""
    project = copied(reference, place, step, forking)
    folder = project.data / OUTPUTS[step[0]]
    folder.mkdir(exist_ok=True)
    if step[0] != "export":
        put_old(project, step, reference)
    before = project.hashes()
    with read_only(folder):
        said = failed(project, step)
    assert "Mount the disk" in said or "Wait for that program" in said  # the latter of a folder that is to be replaced
    assert project.hashes() == before
    project.run(step)
    assert project.hashes() == reference.hashes


@pytest.mark.parametrize("step", each())
def test_a_file_where_the_folder_should_be(
    step: tuple[str, ...], reference: Reference, forking: Forking, place: Path
) -> None:
    project = copied(reference, place, step, forking)
    folder = project.data / OUTPUTS[step[0]]
    if step[0] == "agnostic":
        for file in folder.iterdir():
            file.unlink()
        folder.rmdir()
    folder.write_text("somebody's")
    before = project.hashes()
    said = failed(project, step)
    assert "file that is in the way" in said or (step[0] == "export" and "is a folder" in said)
    assert project.hashes() == before
    folder.unlink()
    project.run(step)
    made = set(outputs_of(step, reference))
    assert {name: value for name, value in project.hashes().items() if name in made} == {
        name: reference.hashes[name] for name in made
    }


def failed(project: Project, step: tuple[str, ...], **environment: str) -> str:
    """The one message that a step ends with; what was said before it, of progress, is left out."""
    child = project.start(step, **PLENTY, **environment)
    code, said = child.wait(), child.log.read_text()
    assert code == 2, (code, said)
    assert "Traceback" not in said
    (message,) = [line for line in said.splitlines() if line.startswith("error: ")]
    assert said.rstrip().endswith(message), said
    return message


def size_of(step: tuple[str, ...], reference: Reference) -> int:
    """Bytes that a step leaves, those of the data set included."""
    files = [reference.data / name for name in outputs_of(step, reference)]
    for folder in ("raw", "work/download") if step[0] == "download" else ():
        files += [path for path in (reference.data / folder).rglob("*") if path.is_file()]
    return sum(path.stat().st_size for path in files)
