"""A source that grows: looked at twice, one run, and only the new files and people are worked on."""

from __future__ import annotations

import shutil
from collections import Counter
from pathlib import Path

import pytest

from tests.flows.chain import first_stages
from tryon.categories import Category
from tryon.manifest.schemas import FILE_ROLES
from tryon.workspace import Workspace

HELD_BACK = 5

COUNTING_STAGES = '''"""`python -m flows.stage_command`; it notes files unpacked, files checked, masks made."""
from pathlib import Path

import tryon.agnostic.shards as shards
import tryon.download.validate_files as check
import tryon.download.sync_raw as unpack


def noting(what, work):
    def noted(*given):
        with Path("log").open("a") as log:
            log.writelines(f"{line}\\n" for line in what(*given))
        return work(*given)
    return noted


shards.process_batch = noting(lambda people, making: [f"mask {making.category}"] * len(people), shards.process_batch)
unpack._copy_member = noting(lambda container, member, raw: [f"unpack {member.target.split('/')[0]}"], unpack._copy_member)
check._CHECKS = {role: noting(lambda data, role=role: [f"check {role}"], work) for role, work in check._CHECKS.items()}

if __name__ == "__main__":
    from flows.stage_command import main
    raise SystemExit(main())
'''

LOOK = ("-m", "flows", "--check-source")


@pytest.fixture
def growing(project, tmp_path: Path):
    """A project whose source is a folder with fewer dresses than lie aside, ready to be put there."""
    for key, value in (("image.size", [64, 48]), ("download.source", "../source")):
        project.set(key, value)
    (project.root / "dvc.yaml").write_text(first_stages("python stage.py"))
    (project.root / "stage.py").write_text(COUNTING_STAGES)
    made = project.python(
        "-m", "tryon", "synthesize", "--out", "../source", "--pairs", str(HELD_BACK + 1), "--test-pairs", "2"
    )
    assert made.returncode == 0, made.stderr
    source, aside = tmp_path / "source", tmp_path / "aside"
    shutil.rmtree(tmp_path / "source.truth", ignore_errors=True)
    lines = (source / "dresses/train_pairs.txt").read_text().splitlines(keepends=True)
    for name in [line[:6] for line in lines[-HELD_BACK:]]:
        for file in list((source / "dresses").rglob(f"{name}_*")):
            move(file, aside / file.relative_to(source))
    move(source / "dresses/train_pairs.txt", aside / "dresses/train_pairs.txt")
    (source / "dresses/train_pairs.txt").write_text("".join(lines[:-HELD_BACK]))
    return project


def move(file: Path, to: Path) -> None:
    to.parent.mkdir(parents=True, exist_ok=True)
    file.replace(to)


@pytest.mark.long
def test_only_what_is_new_is_worked_on(growing, server, tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("TRYON_WORKERS", "1")
    source, aside = tmp_path / "source", tmp_path / "aside"

    def look(expected: str) -> Counter[str]:
        """Look at the source once; returns what the stages did."""
        (growing.root / "log").unlink(missing_ok=True)
        done = growing.python(*LOOK, url=server)
        assert done.returncode == 0, done.stderr
        assert expected in done.stderr
        return Counter(growing.log())

    assert not look("seen so 1 of 2 times")
    first = look("a run was started")
    assert {name: first[f"mask {name}"] for name in Category} == {"upper_body": 8, "lower_body": 8, "dresses": 3}

    files = sorted(path for path in aside.rglob("*") if path.is_file())
    for file in files[:10]:
        move(file, source / file.relative_to(aside))
    assert not look("seen so 1 of 2 times")
    for file in files[10:]:
        move(file, source / file.relative_to(aside))
    assert not look("seen so 1 of 2 times")
    grown = look("a run was started")
    assert not look("as it was")

    assert {name: count for name, count in grown.items() if name.startswith("mask")} == {"mask dresses": HELD_BACK}
    checked = {name.removeprefix("check "): count for name, count in grown.items() if name.startswith("check")}
    assert checked == dict.fromkeys((*FILE_ROLES, "skeleton"), HELD_BACK)
    assert {name for name in grown if name.startswith("unpack")} == {"unpack dresses"}
    assert grown["unpack dresses"] == len(files)

    anew = growing.copy(tmp_path / "anew")
    shutil.rmtree(anew.root / "data/work")
    assert anew.python("-m", "dvc", "repro", "--force").returncode == 0
    place = Workspace()
    for category in Category:
        for path in (place.index(category), place.manifest(category), place.mask_images(category)):
            assert (anew.root / path).read_bytes() == (growing.root / path).read_bytes()
