"""A growing source starts one run, which processes only new files and people."""

from __future__ import annotations

import shutil
from collections import Counter
from pathlib import Path

import pytest

from tests.flows.dvc_yaml import first_stages
from tryon.categories import Category
from tryon.manifest.schemas import FILE_ROLES
from tryon.workspace import Workspace

pytestmark = pytest.mark.slow

HELD_BACK = 5

COUNTING_STAGES = '''"""`python -m flows.stage_command`; logs files unpacked, files checked, masks made."""
from pathlib import Path

import tryon.agnostic.shards as shards
import tryon.download.validate_files as validate_files
import tryon.download.sync_raw as sync_raw


def logged(lines, function):
    def wrapper(*args):
        with Path("log").open("a") as log:
            log.writelines(f"{line}\\n" for line in lines(*args))
        return function(*args)
    return wrapper


def unpack_lines(container, member, raw):
    return [f"unpack {member.target.split('/')[0]}"]


shards.process_batch = logged(lambda people, job: [f"mask {job.category}"] * len(people), shards.process_batch)
sync_raw._copy_member = logged(unpack_lines, sync_raw._copy_member)
validate_files._CHECKS = {
    role: logged(lambda data, role=role: [f"check {role}"], check) for role, check in validate_files._CHECKS.items()
}

if __name__ == "__main__":
    from flows.stage_command import main
    raise SystemExit(main())
'''

CHECK_SOURCE = ("-m", "flows", "--check-source")


@pytest.fixture
def growing(project, tmp_path: Path):
    """A project whose source is a folder from which some dresses were moved to another folder."""
    for key, value in (("image.size", [64, 48]), ("download.source", "../source")):
        project.set(key, value)
    (project.root / "dvc.yaml").write_text(first_stages("python stage.py"))
    (project.root / "stage.py").write_text(COUNTING_STAGES)
    done = project.python(
        "-m", "tryon", "synthesize", "--out", "../source", "--pairs", str(HELD_BACK + 1), "--test-pairs", "2"
    )
    assert done.returncode == 0, done.stderr
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
def test_only_new_items_are_processed(growing, server, tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("TRYON_WORKERS", "1")
    source, aside = tmp_path / "source", tmp_path / "aside"

    def check(expected: str) -> Counter[str]:
        """Check the source once; return what the stages did."""
        (growing.root / "log").unlink(missing_ok=True)
        done = growing.python(*CHECK_SOURCE, url=server)
        assert done.returncode == 0, done.stderr
        assert expected in done.stderr
        return Counter(growing.log())

    assert not check("stable in 1 of 2 checks")
    first = check("a run was started")
    assert {name: first[f"mask {name}"] for name in Category} == {"upper_body": 8, "lower_body": 8, "dresses": 3}

    files = sorted(path for path in aside.rglob("*") if path.is_file())
    for file in files[:10]:
        move(file, source / file.relative_to(aside))
    assert not check("stable in 1 of 2 checks")
    for file in files[10:]:
        move(file, source / file.relative_to(aside))
    assert not check("stable in 1 of 2 checks")
    grown = check("a run was started")
    assert not check("Source unchanged")

    assert {name: count for name, count in grown.items() if name.startswith("mask")} == {"mask dresses": HELD_BACK}
    checked = {name.removeprefix("check "): count for name, count in grown.items() if name.startswith("check")}
    assert checked == dict.fromkeys((*FILE_ROLES, "skeleton"), HELD_BACK)
    assert {name for name in grown if name.startswith("unpack")} == {"unpack dresses"}
    assert grown["unpack dresses"] == len(files)

    fresh = growing.copy(tmp_path / "fresh")
    shutil.rmtree(fresh.root / "data/work")
    assert fresh.python("-m", "dvc", "repro", "--force").returncode == 0
    workspace = Workspace()
    for category in Category:
        for path in (workspace.index(category), workspace.manifest(category), workspace.mask_images(category)):
            assert (fresh.root / path).read_bytes() == (growing.root / path).read_bytes()
