"""Disk estimates grow with the work, and stop a stage that lacks space."""

from __future__ import annotations

import re
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


def settings(**values: object) -> SyntheticSettings:
    return SyntheticSettings.model_validate({"train_pairs": 10, "test_pairs": 2, **values})


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
def test_more_work_needs_more_space(small: DiskEstimate, large: DiskEstimate) -> None:
    assert 0 < small.bytes < large.bytes


def test_estimates_for_dress_code_have_the_right_magnitude() -> None:
    assert 5e9 < mask_bytes(54_000, (1024, 768)).bytes < 15e9
    assert 50e9 < packed_bytes(54_000, (512, 384)).bytes < 200e9


@pytest.mark.parametrize("stage", STAGES)
def test_stage_without_space_is_rejected(stage, parameters, tmp_path) -> None:
    workspace, category = Workspace(tmp_path), Category.DRESSES if stage == "agnostic" else None
    need = estimate_disk(stage, parameters, workspace, category).bytes
    assert need > 0 or stage == "sample"  # without an index its size is unknown
    check_disk(stage, parameters, workspace, category, lambda _: need)
    if need:
        with pytest.raises(DiskError) as raised:
            check_disk(stage, parameters, workspace, category, lambda _: need - 1)
        error = raised.value
        assert str(tmp_path) in error.problem
        assert stage in error.problem
        assert re.fullmatch(r"about \d.*B for .+", error.expected)
        assert str(error.found).endswith("B free")


def test_run_stage_checks_disk_first(parameters, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("tryon.pipeline.disk_space._free_bytes", lambda _: 1)
    with pytest.raises(DiskError, match="not enough disk space"):
        run_stage("download", parameters, Workspace(tmp_path), None, no_progress)
    assert list(tmp_path.iterdir()) == []


def test_disk_of_the_data_folder_is_checked(parameters, tmp_path) -> None:
    folders: list[Path] = []

    def free(folder: Path) -> int:
        folders.append(folder)
        return 1 << 60

    workspace = Workspace(tmp_path)
    check_disk("evaluate", parameters, workspace, free_at=free)
    workspace.data.mkdir()
    check_disk("evaluate", parameters, workspace, free_at=free)
    assert folders == [tmp_path, workspace.data]
    assert shutil.disk_usage(tmp_path).free > 0
