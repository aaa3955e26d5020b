"""The test rows of one setting, tried on by every method, with the true pictures where there are any."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from tryon.categories import Category
from tryon.evaluate.baselines import COPY, IDEAL, MEAN_COLOUR, agnostic_copied, mean_colour_painted
from tryon.evaluate.summary import MODEL
from tryon.loading.batch_loader import Batch, load_batches
from tryon.loading.packed_dataset import TRAINING_COLUMNS, PackedRows
from tryon.loading.transforms import check_finite, denormalise, prepare
from tryon.manifest.schemas import SLICE_COLUMNS
from tryon.metrics.image_pair import Pictures
from tryon.metrics.regions import Regions, regions_of
from tryon.workspace import Workspace

SETTINGS = {"paired": "test_paired", "unpaired": "test_unpaired"}
"""Settings by their short names, with the part of the subset that holds their rows."""

METHODS = {MODEL: "Model", COPY: "Agnostic copied", MEAN_COLOUR: "Mean garment colour", IDEAL: "Ideal warp"}
"""Methods of every table, with their titles."""


@dataclass(frozen=True)
class Truth:
    """True pictures of some rows of a batch.

    Shapes: known bool (B,), True for the K rows that have one; pictures uint8 (K, H, W, 3); regions bool (K, H, W).
    """

    known: NDArray[np.bool_]
    pictures: Pictures
    regions: Regions


@dataclass(frozen=True)
class Scored:
    """A batch of one category with the results of every method, uint8 (B, H, W, 3) each; `IDEAL` where it is known."""

    pair_ids: tuple[str, ...]
    category: Category
    person: Pictures
    garment: Pictures
    results: dict[str, Pictures]
    truth: Truth


def read_rows(workspace: Workspace, setting: str) -> PackedRows:
    """Open the test rows of a setting.

    Raises:
        MissingInputError: the subset has not been made.
    """
    columns = (*TRAINING_COLUMNS, "truth", "truth_garment_mask", "ideal", "licence", *SLICE_COLUMNS)
    return PackedRows.read(workspace.subset(SETTINGS[setting]), columns)


def knows_ideal(rows: PackedRows) -> bool:
    """Whether every row of a setting has its ideal warp: no mean is taken over those alone that happen to have one."""
    return len(rows) > 0 and all(rows.has("ideal", row) for row in range(len(rows)))


def category_counts(rows: PackedRows) -> dict[str, int]:
    """Number of rows of every category, also of those without any."""
    categories = rows.categories
    return {str(category): categories.count(category) for category in Category}


def run_methods(
    network: nn.Module,
    rows: PackedRows,
    setting: str,
    batch_size: int,
    device: torch.device,
    only: Mapping[Category, NDArray[np.int64]] | None = None,
) -> Iterator[Scored]:
    """Try on every row, category by category, beside the baselines.

    Args:
        network: in evaluation mode, on `device`.
        rows: of one setting.
        setting: `paired` compares with the person picture, `unpaired` with the row's own true picture.
        batch_size: pairs per forward pass.
        device: where the network lies.
        only: positions among the rows of each category, in the order wanted; all rows when left out.

    Raises:
        TryOnError: a result is not finite, or a picture of a row is damaged.
    """
    ideal = knows_ideal(rows)
    for category in Category:
        own = rows.of(category)
        wanted = np.arange(len(own)) if only is None else only[category]
        positions = [wanted[start : start + batch_size] for start in range(0, len(wanted), batch_size)]
        for chosen, batch in zip(positions, load_batches(own, positions), strict=True):
            person, garment = _pictures(batch.person), _pictures(batch.garment)
            mask = batch.mask[:, 0].numpy()
            results = {
                MODEL: try_on(network, batch, device),
                COPY: agnostic_copied(person, mask),
                MEAN_COLOUR: mean_colour_painted(person, mask, garment),
            }
            if ideal:
                results[IDEAL] = np.stack([own.picture("ideal", int(row)) for row in chosen])
            yield Scored(batch.pair_ids, category, person, garment, results, truth_of(own, chosen, batch, setting))


def try_on(network: nn.Module, batch: Batch, device: torch.device) -> Pictures:
    """Results as people get them: 8-bit pictures.

    Raises:
        TryOnError: a result is not finite.
    """
    inputs = prepare(batch.to(device))
    with torch.inference_mode():
        result = network(inputs.reference, inputs.garment, inputs.agnostic)
    check_finite(result, batch.pair_ids)
    return _pictures(denormalise(result.float()).cpu())


def truth_of(rows: PackedRows, positions: NDArray[np.int64], batch: Batch, setting: str) -> Truth:
    """The true pictures of a batch: paired rows have the person picture, unpaired ones their own, where known.

    Args:
        rows: of one setting and category.
        positions: of the batch's rows among them.
        batch: these rows.
        setting: paired or unpaired.
    """
    return _paired_truth(rows, positions, batch) if setting == "paired" else _unpaired_truth(rows, positions)


def _paired_truth(rows: PackedRows, positions: NDArray[np.int64], batch: Batch) -> Truth:
    known = np.ones(len(batch.pair_ids), np.bool_)
    garment = batch.garment_mask[:, 0].numpy()
    return Truth(known, _pictures(batch.person), regions_of(garment, _keypoints(rows, positions)))


def _unpaired_truth(rows: PackedRows, positions: NDArray[np.int64]) -> Truth:
    known = np.array(
        [rows.has("truth", int(i)) and rows.has("truth_garment_mask", int(i)) for i in positions], np.bool_
    )
    height, width = rows.size
    pictures = [rows.picture("truth", int(i)) for i in positions[known]]
    garment = [rows.mask("truth_garment_mask", int(i)) for i in positions[known]]
    return Truth(
        known,
        np.array(pictures, np.uint8).reshape(-1, height, width, 3),
        regions_of(np.array(garment, np.bool_).reshape(-1, height, width), _keypoints(rows, positions[known])),
    )


def _keypoints(rows: PackedRows, positions: NDArray[np.int64]) -> NDArray[np.float32]:
    """Key points of some rows, (K, 18, 3); a person stands the same whatever is put on."""
    return np.array([rows.keypoints(int(i)) for i in positions], np.float32).reshape(-1, 18, 3)


def _pictures(tensor: Tensor) -> Pictures:
    """(B, 3, H, W) to (B, H, W, 3)."""
    return np.ascontiguousarray(tensor.permute(0, 2, 3, 1).numpy())
