"""Files that have passed are not decoded again, others are; the index is the same either way."""

from __future__ import annotations

import shutil
from collections import Counter

import pytest

from tryon.categories import Category
from tryon.download import sync_raw as unpack
from tryon.download import validate_files as check
from tryon.download import verified_cache as passed
from tryon.dresscode.layout import relative_path
from tryon.errors import SourceError
from tryon.manifest.schemas import FILE_ROLES
from tryon.workspace import Workspace

ROLES = (*FILE_ROLES, "skeleton")
"""Of the files that the small data set has for each of its fifteen people."""


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How many files of each role are decoded, and how many files are unpacked, from now on."""
    counts: Counter[str] = Counter()

    def counting(role, work):
        return lambda *given: (counts.update([role]), work(*given))[1]

    monkeypatch.setattr(check, "_CHECKS", {role: counting(role, work) for role, work in check._CHECKS.items()})
    monkeypatch.setattr(unpack, "_copy_member", counting("unpacked", unpack._copy_member))
    return counts


def outputs(workspace: Workspace) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(workspace.findings.parent.iterdir())}


def test_only_new_files_are_unpacked_and_decoded(run, data_set, workspace, counted, tmp_path) -> None:
    pairs = data_set / "dresses/train_pairs.txt"
    text = pairs.read_text()
    new = [data_set / relative_path(role, Category.DRESSES, text.splitlines()[-1][:6]) for role in ROLES]
    for file in new:
        file.rename(tmp_path / f"{file.parent.name}-{file.name}")
    pairs.write_text("".join(text.splitlines(keepends=True)[:-1]))
    run(data_set)
    counted.clear()
    for file in new:
        (tmp_path / f"{file.parent.name}-{file.name}").rename(file)
    pairs.write_text(text)
    summary = run(data_set)
    assert counted == {**dict.fromkeys(ROLES, 1), "unpacked": len(ROLES) + 1}
    assert f" {len(ROLES)} of {len(ROLES) * 15} files are new or changed." in summary.headline
    grown = outputs(workspace)
    shutil.rmtree(workspace.work_dir("checks"))
    assert "are new" not in run(data_set).headline
    assert outputs(workspace) == grown


def test_a_file_whose_content_changed_is_decoded_again(run, data_set, workspace, counted) -> None:
    run(data_set)
    counted.clear()
    file = workspace.raw / relative_path("label_map", Category.DRESSES, "000200")
    stamp = file.stat()
    (data_set / relative_path("label_map", Category.DRESSES, "000200")).write_bytes(b"no image")
    with pytest.raises(SourceError, match="1 of"):
        run(data_set, max_invalid_fraction=0.0)
    assert counted == {"unpacked": 1, "label_map": 1}
    assert stamp.st_size != file.stat().st_size
    counted.clear()
    with pytest.raises(SourceError, match="1 of"):
        run(data_set, max_invalid_fraction=0.0)
    assert counted == {"label_map": 1}  # what was wrong is looked at each time


def test_other_code_checks_all_files_again(run, data_set, workspace, counted, monkeypatch) -> None:
    run(data_set)
    whole = Counter(counted)
    counted.clear()
    monkeypatch.setattr(passed, "_code", lambda: "other code")
    run(data_set)
    assert counted == {role: count for role, count in whole.items() if role != "unpacked"}


@pytest.mark.parametrize("content", [b"", b"no table"])
def test_a_damaged_memory_counts_for_nothing(run, data_set, workspace, counted, content) -> None:
    run(data_set)
    counted.clear()
    (workspace.work_dir("checks") / "passed.parquet").write_bytes(content)
    run(data_set)
    assert sum(counted.values()) == len(ROLES) * 15
