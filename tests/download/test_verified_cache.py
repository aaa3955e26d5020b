"""Verified files are not decoded again, and the index does not depend on the cache."""

from __future__ import annotations

import shutil
from collections import Counter

import pytest

from tryon.categories import Category
from tryon.download import sync_raw, validate_files, verified_cache
from tryon.dresscode.layout import relative_path
from tryon.errors import SourceError
from tryon.manifest.schemas import FILE_ROLES
from tryon.workspace import Workspace

ROLES = (*FILE_ROLES, "skeleton")
"""Files of each of the fifteen people of the small data set."""


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Count decoded files by role, and unpacked files."""
    counts: Counter[str] = Counter()

    def counting(role, work):
        return lambda *args: (counts.update([role]), work(*args))[1]

    checks = {role: counting(role, work) for role, work in validate_files._CHECKS.items()}
    monkeypatch.setattr(validate_files, "_CHECKS", checks)
    monkeypatch.setattr(sync_raw, "_copy_member", counting("unpacked", sync_raw._copy_member))
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
    assert f" {len(ROLES)} of {len(ROLES) * 15} files are new or changed." in summary.summary
    grown = outputs(workspace)
    shutil.rmtree(workspace.work_dir("checks"))
    assert "are new" not in run(data_set).summary
    assert outputs(workspace) == grown


def test_changed_file_is_decoded_again(run, data_set, workspace, counted) -> None:
    run(data_set)
    counted.clear()
    file = workspace.raw / relative_path("label_map", Category.DRESSES, "000200")
    before = file.stat()
    (data_set / relative_path("label_map", Category.DRESSES, "000200")).write_bytes(b"no image")
    with pytest.raises(SourceError, match="1 of"):
        run(data_set, max_invalid_fraction=0.0)
    assert counted == {"unpacked": 1, "label_map": 1}
    assert before.st_size != file.stat().st_size
    counted.clear()
    with pytest.raises(SourceError, match="1 of"):
        run(data_set, max_invalid_fraction=0.0)
    assert counted == {"label_map": 1}  # invalid files are not cached


def test_other_code_version_invalidates_the_cache(run, data_set, workspace, counted, monkeypatch) -> None:
    run(data_set)
    first = Counter(counted)
    counted.clear()
    monkeypatch.setattr(verified_cache, "_code", lambda: "other code")
    run(data_set)
    assert counted == {role: count for role, count in first.items() if role != "unpacked"}


@pytest.mark.parametrize("content", [b"", b"no table"])
def test_damaged_cache_is_ignored(run, data_set, workspace, counted, content) -> None:
    run(data_set)
    counted.clear()
    (workspace.work_dir("checks") / "passed.parquet").write_bytes(content)
    run(data_set)
    assert sum(counted.values()) == len(ROLES) * 15
