"""The mask benchmarks run: every variant, on two people, at a small size."""

from __future__ import annotations

import pytest

from benchmarks import agnostic, mask_scaling
from benchmarks.mask_people import write_index, write_people
from tryon.categories import Category
from tryon.workspace import Workspace


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    folder = Workspace(tmp_path_factory.mktemp("benchmark"))
    write_people(folder, Category.DRESSES, 2)
    write_index(folder, Category.DRESSES, 2, 2)
    return folder


@pytest.mark.parametrize("measure", [agnostic.rows, agnostic.exports])
def test_every_variant_takes_every_person_in_every_round(measure, workspace: Workspace) -> None:
    times = measure(Category.DRESSES, (128, 96), workspace, 2)
    assert len({len(spent) for spent in times.values()}) == 1
    assert all(spent > 0 for values in times.values() for spent in values)


def test_the_cost_of_many_rows_is_of_the_stage_itself(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mask_scaling, "SIZE", (128, 96))
    plan, masks, collect, highest, before = mask_scaling.stage_costs(workspace)
    assert min(plan, masks, collect) > 0
    assert highest >= before > 10
    assert workspace.manifest(Category.DRESSES).exists()
