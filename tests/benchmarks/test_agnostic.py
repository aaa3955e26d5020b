"""The mask benchmarks run every variant, on two people at a small size."""

from __future__ import annotations

import pytest

from benchmarks import agnostic, mask_scaling
from benchmarks.mask_people import write_index, write_people
from tryon.categories import Category
from tryon.workspace import Workspace


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    workspace = Workspace(tmp_path_factory.mktemp("benchmark"))
    write_people(workspace, Category.DRESSES, 2)
    write_index(workspace, Category.DRESSES, 2, 2)
    return workspace


@pytest.mark.parametrize("measure", [agnostic.rows, agnostic.exports])
def test_every_variant_is_timed_equally_often(measure, workspace: Workspace) -> None:
    times = measure(Category.DRESSES, (128, 96), workspace, 2)
    assert len({len(seconds) for seconds in times.values()}) == 1
    assert all(value > 0 for seconds in times.values() for value in seconds)


def test_stage_costs_are_measured_on_the_real_stage(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mask_scaling, "SIZE", (128, 96))
    plan, masks, collect, highest, before = mask_scaling.stage_costs(workspace)
    assert min(plan, masks, collect) > 0
    assert highest >= before > 10
    assert workspace.manifest(Category.DRESSES).exists()
