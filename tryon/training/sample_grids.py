"""Sample grids: results on the same validation rows after every epoch."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from tryon.categories import Category
from tryon.loading.batch_loader import collate
from tryon.loading.packed_dataset import PackedDataset
from tryon.loading.transforms import denormalize, prepare
from tryon.runtime.atomic_files import write_bytes

ROWS_PER_CATEGORY = 4
"""Rows in the grid of a category."""

OVERVIEW_ROWS = 2
"""Rows per category in the overview grid."""

MAX_CELL_HEIGHT = 192
"""Maximum height of an image in a grid, in pixels."""

GAP = 2


@dataclass(frozen=True)
class GridRows:
    """Validation rows shown in the grids."""

    rows: PackedDataset
    positions: dict[Category, list[int]]

    @classmethod
    def select(cls, rows: PackedDataset) -> GridRows:
        """Select the first `ROWS_PER_CATEGORY` rows of each category."""
        categories = rows.categories
        positions = {c: [i for i, value in enumerate(categories) if value == c][:ROWS_PER_CATEGORY] for c in Category}
        return cls(rows, {category: selected for category, selected in positions.items() if selected})


def write_grids(folder: Path, epoch: int, network: nn.Module, grid_rows: GridRows, device: torch.device) -> None:
    """Write `epoch_<NNN>.png` and, for each category, `epoch_<NNN>_<category>.png`.

    A grid row shows person, garment, agnostic person and result. The network is left in evaluation mode.
    """
    network.eval()
    strips = {
        category: [_strip(network, grid_rows.rows, position, device) for position in positions]
        for category, positions in grid_rows.positions.items()
    }
    overview = [strip for category_strips in strips.values() for strip in category_strips[:OVERVIEW_ROWS]]
    write_bytes(folder / f"{grid_name(epoch)}.png", _png(overview))
    for category, category_strips in strips.items():
        write_bytes(folder / f"{grid_name(epoch)}_{category}.png", _png(category_strips))


def grid_name(epoch: int) -> str:
    """Return the file stem of an epoch's grid."""
    return f"epoch_{epoch:03d}"


def grid_jpeg(path: Path) -> bytes:
    """Convert a grid from PNG to a smaller JPEG, for reports."""
    image = cv2.imread(str(path))
    assert image is not None
    return cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 85])[1].tobytes()


@torch.no_grad()
def _strip(network: nn.Module, rows: PackedDataset, position: int, device: torch.device) -> NDArray[np.uint8]:
    """Return person, garment, agnostic person and result side by side, uint8 (h, 4w + gaps, 3)."""
    inputs = prepare(collate([rows.sample(position)]).to(device))
    result = network(inputs.reference, inputs.garment, inputs.agnostic)
    cells = [_cell(image) for image in (inputs.person, inputs.garment, inputs.agnostic, result)]
    return np.concatenate([np.pad(cell, ((GAP, GAP), (GAP, GAP), (0, 0)), constant_values=255) for cell in cells], 1)


def _cell(images: Tensor) -> NDArray[np.uint8]:
    """Convert a batch of one image to uint8 (h, w, 3), at most `MAX_CELL_HEIGHT` high."""
    image = denormalize(images.float())[0].permute(1, 2, 0).cpu().numpy()
    height, width = image.shape[:2]
    if height <= MAX_CELL_HEIGHT:
        return image
    size = (round(width * MAX_CELL_HEIGHT / height), MAX_CELL_HEIGHT)
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)


def _png(strips: list[NDArray[np.uint8]]) -> bytes:
    image = np.ascontiguousarray(np.concatenate(strips, 0)[..., ::-1])
    return cv2.imencode(".png", image, [cv2.IMWRITE_PNG_COMPRESSION, 6])[1].tobytes()
