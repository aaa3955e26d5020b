"""The test rows of one setting, tried on by every method, with the true images where there are any."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from tryon.categories import Category
from tryon.evaluate.baselines import COPY, IDEAL, MEAN_COLOR, masked_input, mean_color_fill
from tryon.evaluate.summary import MODEL
from tryon.loading.batch_loader import Batch, load_batches
from tryon.loading.packed_dataset import TRAINING_COLUMNS, PackedDataset
from tryon.loading.transforms import check_finite, denormalize, prepare
from tryon.manifest.schemas import SLICE_COLUMNS
from tryon.metrics.image_pair import ImageBatch
from tryon.metrics.regions import Regions, regions_of
from tryon.workspace import Workspace

SETTINGS = {"paired": "test_paired", "unpaired": "test_unpaired"}
"""Settings by their short names, with the part of the subset that holds their rows."""

METHODS = {MODEL: "Model", COPY: "Agnostic copied", MEAN_COLOR: "Mean garment color", IDEAL: "Ideal warp"}
"""Methods of every table, with their titles."""


@dataclass(frozen=True)
class GroundTruth:
    """True images of some rows of a batch.

    Shapes: known bool (B,), True for the K rows that have one; images uint8 (K, H, W, 3); regions bool (K, H, W).
    """

    known: NDArray[np.bool_]
    images: ImageBatch
    regions: Regions


@dataclass(frozen=True)
class PredictedBatch:
    """A batch of one category with the results of every method, uint8 (B, H, W, 3) each; `IDEAL` where it is known."""

    pair_ids: tuple[str, ...]
    category: Category
    person: ImageBatch
    garment: ImageBatch
    results: dict[str, ImageBatch]
    truth: GroundTruth


def read_rows(workspace: Workspace, setting: str) -> PackedDataset:
    """Open the test rows of a setting.

    Raises:
        MissingInputError: the subset has not been made.
    """
    columns = (*TRAINING_COLUMNS, "truth", "truth_garment_mask", "oracle_warp", "licence", *SLICE_COLUMNS)
    return PackedDataset.read(workspace.subset(SETTINGS[setting]), columns)


def has_oracle(rows: PackedDataset) -> bool:
    """Whether every row of a setting has its ideal warp: no mean is taken over those alone that happen to have one."""
    return len(rows) > 0 and all(rows.has("oracle_warp", row) for row in range(len(rows)))


def category_counts(rows: PackedDataset) -> dict[str, int]:
    """Number of rows of every category, also of those without any."""
    categories = rows.categories
    return {str(category): categories.count(category) for category in Category}


def predict_all(
    network: nn.Module,
    rows: PackedDataset,
    setting: str,
    batch_size: int,
    device: torch.device,
    only: Mapping[Category, NDArray[np.int64]] | None = None,
) -> Iterator[PredictedBatch]:
    """Try on every row, category by category, beside the baselines.

    Args:
        network: in evaluation mode, on `device`.
        rows: of one setting.
        setting: `paired` compares with the person image, `unpaired` with the row's own true image.
        batch_size: pairs per forward pass.
        device: where the network lies.
        only: positions among the rows of each category, in the order wanted; all rows when left out.

    Raises:
        TryOnError: a result is not finite, or a image of a row is damaged.
    """
    ideal = has_oracle(rows)
    for category in Category:
        own = rows.indices_of(category)
        wanted = np.arange(len(own)) if only is None else only[category]
        positions = [wanted[start : start + batch_size] for start in range(0, len(wanted), batch_size)]
        for chosen, batch in zip(positions, load_batches(own, positions), strict=True):
            person, garment = _images(batch.person), _images(batch.garment)
            mask = batch.mask[:, 0].numpy()
            results = {
                MODEL: try_on(network, batch, device),
                COPY: masked_input(person, mask),
                MEAN_COLOR: mean_color_fill(person, mask, garment),
            }
            if ideal:
                results[IDEAL] = np.stack([own.image("oracle_warp", int(row)) for row in chosen])
            yield PredictedBatch(
                batch.pair_ids, category, person, garment, results, ground_truth(own, chosen, batch, setting)
            )


def try_on(network: nn.Module, batch: Batch, device: torch.device) -> ImageBatch:
    """Results as people get them: 8-bit images.

    Raises:
        TryOnError: a result is not finite.
    """
    inputs = prepare(batch.to(device))
    with torch.inference_mode():
        result = network(inputs.reference, inputs.garment, inputs.agnostic)
    check_finite(result, batch.pair_ids)
    return _images(denormalize(result.float()).cpu())


def ground_truth(rows: PackedDataset, positions: NDArray[np.int64], batch: Batch, setting: str) -> GroundTruth:
    """The true images of a batch: paired rows have the person image, unpaired ones their own, where known.

    Args:
        rows: of one setting and category.
        positions: of the batch's rows among them.
        batch: these rows.
        setting: paired or unpaired.
    """
    return _paired_truth(rows, positions, batch) if setting == "paired" else _unpaired_truth(rows, positions)


def _paired_truth(rows: PackedDataset, positions: NDArray[np.int64], batch: Batch) -> GroundTruth:
    known = np.ones(len(batch.pair_ids), np.bool_)
    garment = batch.garment_mask[:, 0].numpy()
    return GroundTruth(known, _images(batch.person), regions_of(garment, _keypoints(rows, positions)))


def _unpaired_truth(rows: PackedDataset, positions: NDArray[np.int64]) -> GroundTruth:
    known = np.array(
        [rows.has("truth", int(i)) and rows.has("truth_garment_mask", int(i)) for i in positions], np.bool_
    )
    height, width = rows.size
    images = [rows.image("truth", int(i)) for i in positions[known]]
    garment = [rows.mask("truth_garment_mask", int(i)) for i in positions[known]]
    return GroundTruth(
        known,
        np.array(images, np.uint8).reshape(-1, height, width, 3),
        regions_of(np.array(garment, np.bool_).reshape(-1, height, width), _keypoints(rows, positions[known])),
    )


def _keypoints(rows: PackedDataset, positions: NDArray[np.int64]) -> NDArray[np.float32]:
    """Key points of some rows, (K, 18, 3); a person stands the same whatever is put on."""
    return np.array([rows.keypoints(int(i)) for i in positions], np.float32).reshape(-1, 18, 3)


def _images(tensor: Tensor) -> ImageBatch:
    """(B, 3, H, W) to (B, H, W, 3)."""
    return np.ascontiguousarray(tensor.permute(0, 2, 3, 1).numpy())
