"""Disk needs grow with what is made, hold for what the stages really write, and stop a stage that has no room."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tryon.categories import Category
from tryon.config.download import SyntheticSettings
from tryon.config.parameters import Parameters, load_parameters
from tryon.errors import DiskError
from tryon.pipeline.disk_space import (
    DiskEstimate,
    check_disk,
    estimate_disk,
    mask_bytes,
    packed_bytes,
    synthetic_bytes,
    training_bytes,
)
from tryon.pipeline.stages import STAGES, run_stage
from tryon.runtime.code_version import ROOT
from tryon.runtime.progress import no_progress
from tryon.workspace import Workspace

SIZE = (128, 96)


@pytest.fixture(scope="module")
def parameters() -> Parameters:
    return load_parameters(ROOT / "params" / "default.yaml")


def settings(**given: object) -> SyntheticSettings:
    return SyntheticSettings.model_validate({"train_pairs": 10, "test_pairs": 2, **given})


@pytest.mark.parametrize(
    ("small", "large"),
    [
        (synthetic_bytes(settings(), False), synthetic_bytes(settings(train_pairs=11), False)),
        (synthetic_bytes(settings(), False), synthetic_bytes(settings(uv=True), False)),
        (synthetic_bytes(settings(uv=True), False), synthetic_bytes(settings(uv=True), True)),
        (synthetic_bytes(settings(), False), synthetic_bytes(settings(flow="test"), False)),
        (synthetic_bytes(settings(flow="test"), False), synthetic_bytes(settings(flow="all"), False)),
        (mask_bytes(10, SIZE), mask_bytes(11, SIZE)),
        (mask_bytes(10, SIZE), mask_bytes(10, (256, 192))),
        (packed_bytes(10, SIZE), packed_bytes(11, SIZE)),
        (packed_bytes(10, SIZE), packed_bytes(10, SIZE, flow=True)),
        (training_bytes(10**6, 5, False, SIZE), training_bytes(10**6, 5, True, SIZE)),
        (training_bytes(10**6, 5, False, SIZE), training_bytes(2 * 10**6, 5, False, SIZE)),
        (training_bytes(10**6, 5, False, SIZE), training_bytes(10**6, 6, False, SIZE)),
    ],
)
def test_more_work_needs_more_room(small: DiskEstimate, large: DiskEstimate) -> None:
    assert 0 < small.bytes < large.bytes


def test_the_real_data_set_is_told_in_the_right_order_of_size() -> None:
    assert 5e9 < mask_bytes(54_000, (1024, 768)).bytes < 15e9
    assert 50e9 < packed_bytes(54_000, (512, 384)).bytes < 200e9


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_without_room_is_not_started(stage, parameters, tmp_path) -> None:
    workspace, category = Workspace(tmp_path), Category.DRESSES if stage == "agnostic" else None
    need = estimate_disk(stage, parameters, workspace, category).bytes
    assert need > 0 or stage == "sample"  # of which nothing is known before there is an index
    check_disk(stage, parameters, workspace, category, lambda _: need)
    if need:
        with pytest.raises(DiskError, match=rf"room for {stage}.*some \d.* for .*B free.*Make room") as told:
            check_disk(stage, parameters, workspace, category, lambda _: need - 1)
        assert str(tmp_path) in str(told.value)


def test_running_a_stage_looks_first(parameters, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("tryon.pipeline.disk_space._free", lambda _: 1)
    with pytest.raises(DiskError, match="the disk of"):
        run_stage("download", parameters, Workspace(tmp_path), None, no_progress)
    assert list(tmp_path.iterdir()) == []


def test_the_disk_is_that_of_the_data(parameters, tmp_path) -> None:
    asked: list[Path] = []

    def free(folder: Path) -> int:
        asked.append(folder)
        return 1 << 60

    workspace = Workspace(tmp_path)
    check_disk("evaluate", parameters, workspace, free_at=free)
    workspace.data.mkdir()
    check_disk("evaluate", parameters, workspace, free_at=free)
    assert asked == [tmp_path, workspace.data]
    assert shutil.disk_usage(tmp_path).free > 0
