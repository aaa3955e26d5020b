"""Sample grids: the same validation rows after every epoch, so that one sees the network learn."""

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
"""Rows of a category's own grid."""

OVERVIEW_ROWS = 2
"""Rows of each category in the grid of all."""

MAX_CELL_HEIGHT = 192
"""Largest height of one image in a grid, in pixels."""

GAP = 2


@dataclass(frozen=True)
class GridRows:
    """The validation rows that the grids show: the first few of each category."""

    rows: PackedDataset
    positions: dict[Category, list[int]]

    @classmethod
    def select(cls, rows: PackedDataset) -> GridRows:
        """The first `PER_CATEGORY` rows of each category that has any."""
        categories = rows.categories
        positions = {c: [i for i, own in enumerate(categories) if own == c][:ROWS_PER_CATEGORY] for c in Category}
        return cls(rows, {category: chosen for category, chosen in positions.items() if chosen})


def write_grids(folder: Path, epoch: int, network: nn.Module, grid_rows: GridRows, device: torch.device) -> None:
    """Write `epoch_<NNN>.png` and, for each category, `epoch_<NNN>_<category>.png`.

    A line of a grid is: person, garment, agnostic person, result. The network is left in evaluation mode.
    """
    network.eval()
    lines = {
        category: [_line(network, grid_rows.rows, position, device) for position in positions]
        for category, positions in grid_rows.positions.items()
    }
    overview = [line for category_lines in lines.values() for line in category_lines[:OVERVIEW_ROWS]]
    write_bytes(folder / f"{grid_name(epoch)}.png", _png(_stack(overview)))
    for category, category_lines in lines.items():
        write_bytes(folder / f"{grid_name(epoch)}_{category}.png", _png(_stack(category_lines)))


def grid_name(epoch: int) -> str:
    """File name of an epoch's grid without its ending; up to epoch 999 names sort in time order."""
    return f"epoch_{epoch:03d}"


def grid_jpeg(path: Path) -> bytes:
    """A grid as a JPEG small enough to show in a table of results; the image at `path` is a PNG of ours."""
    image = cv2.imread(str(path))
    assert image is not None
    return cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 85])[1].tobytes()


@torch.no_grad()
def _line(network: nn.Module, rows: PackedDataset, position: int, device: torch.device) -> NDArray[np.uint8]:
    """Person, garment, agnostic person and result side by side, uint8 (h, 4w + gaps, 3)."""
    inputs = prepare(collate([rows.sample(position)]).to(device))
    result = network(inputs.reference, inputs.garment, inputs.agnostic)
    cells = [_cell(image) for image in (inputs.person, inputs.garment, inputs.agnostic, result)]
    return np.concatenate([_padded(cell) for cell in cells], 1)


def _cell(images: Tensor) -> NDArray[np.uint8]:
    """The one image of a batch as uint8 (h, w, 3), no higher than `MAX_HEIGHT`."""
    image = denormalize(images.float())[0].permute(1, 2, 0).cpu().numpy()
    height, width = image.shape[:2]
    if height <= MAX_CELL_HEIGHT:
        return image
    size = (round(width * MAX_CELL_HEIGHT / height), MAX_CELL_HEIGHT)
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)


def _padded(cell: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.pad(cell, ((GAP, GAP), (GAP, GAP), (0, 0)), constant_values=255)


def _stack(lines: list[NDArray[np.uint8]]) -> NDArray[np.uint8]:
    return np.concatenate(lines, 0)


def _png(image: NDArray[np.uint8]) -> bytes:
    return cv2.imencode(".png", np.ascontiguousarray(image[..., ::-1]), [cv2.IMWRITE_PNG_COMPRESSION, 6])[1].tobytes()
