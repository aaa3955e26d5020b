"""Sample grids show the same rows after every epoch."""

from __future__ import annotations

from pathlib import Path

import cv2
import pytest
import torch

from tryon.categories import Category
from tryon.config.training import PretrainSettings
from tryon.loading.packed_dataset import PackedDataset
from tryon.pretrain.initialization import new_network
from tryon.training.sample_grids import GridRows, grid_jpeg, write_grids
from tryon.workspace import Workspace


@pytest.fixture
def grid_rows(workspace: Workspace) -> GridRows:
    return GridRows.select(PackedDataset.read(workspace.subset("val")))


def test_selects_the_first_rows_of_each_category(grid_rows: GridRows) -> None:
    assert grid_rows.positions == {
        Category.UPPER_BODY: [1, 4], Category.LOWER_BODY: [2, 5], Category.DRESSES: [0, 3]
    }  # fmt: skip


def test_grid_row_is_person_garment_agnostic_result(
    grid_rows: GridRows, pretrain_settings: PretrainSettings, tmp_path: Path
) -> None:
    network = new_network(pretrain_settings.network, 1)
    grids = tmp_path / "grids"
    write_grids(grids, 3, network, grid_rows, torch.device("cpu"))
    names = sorted(path.name for path in grids.iterdir())
    assert names == ["epoch_003.png", "epoch_003_dresses.png", "epoch_003_lower_body.png", "epoch_003_upper_body.png"]
    grid = cv2.imread(str(grids / "epoch_003_upper_body.png"))
    assert grid is not None
    assert grid.shape == (2 * 36, 4 * 20, 3)
    sample = grid_rows.rows.sample(1)
    assert (grid[2:34, 2:18, ::-1] == sample.person).all()
    assert (grid[2:34, 22:38, ::-1] == sample.garment).all()
    assert (grid[2:34, 42:58][sample.mask] == 0).all()
    overview = cv2.imread(str(grids / "epoch_003.png"))
    assert overview is not None
    assert overview.shape == (6 * 36, 4 * 20, 3)
    assert grid_jpeg(grids / "epoch_003.png")[:2] == b"\xff\xd8"
