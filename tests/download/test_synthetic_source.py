from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from tryon.categories import Category
from tryon.config.download import SyntheticSettings
from tryon.download import synthetic_source
from tryon.download.synthetic_source import synthetic_archive
from tryon.manifest import INDEX, read_table
from tryon.runtime.progress import Progress, no_progress
from tryon.runtime.stage_result import StageResult
from tryon.synthetic.archive import write_archive, write_folder
from tryon.workspace import Workspace

pytestmark = pytest.mark.slow


@pytest.fixture
def made_seeds(data_set: Path, truth: Path, zipped: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Replace the renderer; return the seeds of the archives that are made."""
    seeds: list[int] = []
    archive, truth_archive = zipped(data_set).read_bytes(), zipped(truth).read_bytes()

    def write_archive(target: Path, settings: SyntheticSettings, seed: int, progress: Progress) -> None:
        del settings, progress
        seeds.append(seed)
        target.write_bytes(archive)
        target.with_name(f"{target.stem}.truth.zip").write_bytes(truth_archive)

    module = ModuleType("tryon.synthetic.archive")
    module.__dict__["write_archive"] = write_archive
    monkeypatch.setitem(sys.modules, "tryon.synthetic.archive", module)
    return seeds


def test_archive_is_reused_for_the_same_settings_seed_and_code(
    workspace: Workspace, made_seeds: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = SyntheticSettings(train_pairs=3, test_pairs=2)
    first = synthetic_archive(settings, 1, workspace, no_progress)
    assert synthetic_archive(settings, 1, workspace, no_progress) == first
    assert made_seeds == [1]
    assert synthetic_archive(settings, 2, workspace, no_progress) != first
    assert synthetic_archive(SyntheticSettings(train_pairs=4, test_pairs=2), 2, workspace, no_progress).exists()
    monkeypatch.setattr(synthetic_source, "code_version", lambda module: "other code")
    last = synthetic_archive(SyntheticSettings(train_pairs=4, test_pairs=2), 2, workspace, no_progress)
    assert made_seeds == [1, 2, 2, 2]
    assert sorted(path.name for path in last.parent.iterdir()) == sorted(
        [f"{last.stem}{suffix}{checksum}" for suffix in (".zip", ".truth.zip") for checksum in ("", ".sha256")]
    )


def test_damaged_archive_is_made_again(workspace: Workspace, made_seeds: list[int]) -> None:
    settings = SyntheticSettings(train_pairs=3, test_pairs=2)
    archive = synthetic_archive(settings, 1, workspace, no_progress)
    complete = archive.read_bytes()
    for part in (archive, archive.with_name(f"{archive.stem}.truth.zip")):
        part.write_bytes(b"half")
        synthetic_archive(settings, 1, workspace, no_progress)
    archive.with_name(f"{archive.name}.sha256").unlink()
    synthetic_archive(settings, 1, workspace, no_progress)
    assert len(made_seeds) == 4
    assert archive.read_bytes() == complete


def test_synthetic_data_set_is_valid(run: Callable[..., StageResult], workspace: Workspace) -> None:
    summary = run("synthetic", synthetic={"train_pairs": 1, "test_pairs": 2})
    assert summary.summary == "15 pairs, 0 of them quarantined; 0 findings."
    for category in Category:
        for row in read_table(workspace.index(category), INDEX).to_pylist():
            assert row["worn"]
            assert (row["truth"] is not None) is (row["split"] == "test_unpaired")


def test_folder_and_zip_give_the_same_index(
    run: Callable[..., StageResult], workspace: Workspace, tmp_path: Path
) -> None:
    """They are siblings: the folder, which contains its ground truth, must not use that of the zip."""
    settings = SyntheticSettings(train_pairs=1, test_pairs=2, difficulty="easy", parsing_noise_fraction=1.0)
    write_archive(tmp_path / "twin.zip", settings, 7, no_progress)
    write_folder(tmp_path / "twin", settings, 7, no_progress)
    indexes = []
    for source in (tmp_path / "twin.zip", tmp_path / "twin"):
        assert run(source).summary.startswith("15 pairs, 0 of them quarantined; 0 findings.")
        indexes.append([workspace.index(category).read_bytes() for category in Category])
        for category in Category:
            for row in read_table(workspace.index(category), INDEX).to_pylist():
                assert row["worn"]
                assert row["pattern"]
                assert row["arm_pose"] in ("side", "bent", "crossed", "hidden")
                assert (row["truth"] is not None) is (row["split"] == "test_unpaired")
                assert (row["truth_label_map"] is not None) is (row["split"] == "test_unpaired")
    assert indexes[0] == indexes[1]


@pytest.mark.parametrize("flow", ["none", "test", "all"])
def test_index_contains_the_flow_of_test_pairs(
    run: Callable[..., StageResult], workspace: Workspace, tmp_path: Path, flow: str
) -> None:
    settings = SyntheticSettings.model_validate({"train_pairs": 1, "test_pairs": 2, "difficulty": "easy", "flow": flow})
    write_archive(tmp_path / "twin.zip", settings, 7, no_progress)
    assert run(tmp_path / "twin.zip").summary.startswith("15 pairs, 0 of them quarantined; 0 findings.")
    for category in Category:
        for row in read_table(workspace.index(category), INDEX).to_pylist():
            flow_path = f"{category}/flow/{row['pair_id']}.png" if flow != "none" and row["split"] != "train" else None
            assert row["flow"] == flow_path
            assert (row["flow_sha256"] is None) is (flow_path is None)


def test_boolean_flow_means_none_or_all() -> None:
    for switch, flow in ((False, "none"), (True, "all")):
        assert SyntheticSettings.model_validate({"flow": switch}).flow == flow


def test_synthetic_data_set_is_recognized_under_any_name(
    run: Callable[..., StageResult], workspace: Workspace, tmp_path: Path
) -> None:
    write_archive(tmp_path / "bought.zip", SyntheticSettings(train_pairs=1, test_pairs=2), 7, no_progress)
    (tmp_path / "bought.truth.zip").unlink()
    run(tmp_path / "bought.zip")
    for category in Category:
        rows = read_table(workspace.index(category), INDEX).to_pylist()
        assert {row["licence"] for row in rows} == {"synthetic"}


def test_synthetic_source_is_indexed_like_an_archive(
    run: Callable[..., StageResult], workspace: Workspace, made_seeds: list[int]
) -> None:
    run("synthetic")
    assert made_seeds == [7]
    rows = read_table(workspace.index(Category.DRESSES), INDEX).to_pylist()
    assert {row["licence"] for row in rows} == {"synthetic"}
    assert all(row["truth"] for row in rows if row["split"] == "test_unpaired")
