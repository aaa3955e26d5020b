"""Predict the test rows with every method, as a scoring source."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from tryon.categories import SETTINGS, Category
from tryon.evaluate.baselines import MASKED_INPUT, MEAN_COLOR_FILL, ORACLE_WARP, masked_input, mean_color_fill
from tryon.evaluate.garment_texture import texture_of
from tryon.loading.batch_loader import Batch, load_batches
from tryon.loading.packed_dataset import TRAINING_COLUMNS, PackedDataset
from tryon.loading.transforms import check_finite, denormalize, prepare
from tryon.manifest.schemas import SLICE_COLUMNS
from tryon.metrics.image_pair import ImageBatch
from tryon.metrics.regions import Regions, regions_of
from tryon.scoring.fingerprint import ReferenceHashes
from tryon.scoring.measure import ScoringBatch
from tryon.scoring.saved_scores import MODEL
from tryon.workspace import Workspace

METHODS = {
    MODEL: "Model",
    MASKED_INPUT: "Masked input (no model)",
    MEAN_COLOR_FILL: "Mean-color fill",
    ORACLE_WARP: "Oracle warp (upper bound)",
}
"""Methods of every table, with their titles."""


@dataclass(frozen=True)
class GroundTruth:
    """Ground truth of the K rows of a batch that have it.

    Shapes: has_truth bool (B,); images uint8 (K, H, W, 3); regions bool (K, H, W).
    """

    has_truth: NDArray[np.bool_]
    images: ImageBatch
    regions: Regions


@dataclass(frozen=True)
class PredictedBatch:
    """A batch of one category and the results of every method, uint8 (B, H, W, 3)."""

    pair_ids: tuple[str, ...]
    category: Category
    person: ImageBatch
    garment: ImageBatch
    results: dict[str, ImageBatch]
    truth: GroundTruth


def read_rows(workspace: Workspace, setting: str) -> PackedDataset:
    """Open the test rows of a setting.

    Raises:
        MissingInputError: the subset does not exist.
    """
    columns = (*TRAINING_COLUMNS, "truth", "truth_garment_mask", "oracle_warp", "licence", *SLICE_COLUMNS)
    return PackedDataset.read(workspace.subset(SETTINGS[setting]), columns)


def has_oracle(rows: PackedDataset) -> bool:
    """Return whether every row has an oracle warp; otherwise its mean would be over other rows than the model's."""
    return len(rows) > 0 and all(rows.has("oracle_warp", row) for row in range(len(rows)))


def category_counts(rows: PackedDataset) -> dict[Category, int]:
    """Return the number of rows of every category."""
    categories = rows.categories
    return {category: categories.count(category) for category in Category}


def predict_category(
    network: nn.Module,
    rows: PackedDataset,
    setting: str,
    category: Category,
    batch_size: int,
    device: torch.device,
    selected: NDArray[np.int64] | None = None,
) -> Iterator[PredictedBatch]:
    """Yield the rows of one category with the results of the network, the baselines and the oracle warp.

    Args:
        network: in evaluation mode, on `device`.
        rows: of one setting.
        setting: paired or unpaired; selects the ground truth.
        batch_size: rows per forward pass.
        selected: positions among the category's rows, in output order; None for all rows.

    Raises:
        TryOnError: a result is not finite, or an image is damaged.
    """
    oracle = has_oracle(rows)
    category_rows = rows.select_category(category)
    if selected is None:
        selected = np.arange(len(category_rows))
    positions = [selected[start : start + batch_size] for start in range(0, len(selected), batch_size)]
    for batch_positions, batch in zip(positions, load_batches(category_rows, positions), strict=True):
        person, garment = _to_images(batch.person), _to_images(batch.garment)
        mask = batch.mask[:, 0].numpy()
        results = {
            MODEL: try_on(network, batch, device),
            MASKED_INPUT: masked_input(person, mask),
            MEAN_COLOR_FILL: mean_color_fill(person, mask, garment),
        }
        if oracle:
            results[ORACLE_WARP] = np.stack([category_rows.image("oracle_warp", int(row)) for row in batch_positions])
        truth = ground_truth(category_rows, batch_positions, batch, setting)
        yield PredictedBatch(batch.pair_ids, category, person, garment, results, truth)


@dataclass
class PredictionSource:
    """A `ScoringSource` over the test rows of one setting.

    Args:
        network: in evaluation mode, on `device`.
        batch_size: rows per forward pass.
        textures: texture of every garment by pair id, filled by `batches`.
    """

    network: nn.Module
    rows: PackedDataset
    setting: str
    batch_size: int
    device: torch.device
    textures: dict[str, str | None] = field(default_factory=dict)

    @property
    def counts(self) -> Mapping[Category, int]:
        """Number of rows of every category."""
        return category_counts(self.rows)

    def batches(self, category: Category) -> Iterator[ScoringBatch]:
        """Yield the predicted rows of a category."""
        for batch in predict_category(self.network, self.rows, self.setting, category, self.batch_size, self.device):
            self.textures |= {
                pair: texture_of(garment) for pair, garment in zip(batch.pair_ids, batch.garment, strict=True)
            }
            truth = batch.truth
            yield ScoringBatch(
                category,
                batch.pair_ids,
                batch.results,
                truth.has_truth,
                truth.images,
                truth.regions,
                reference_hashes(self.setting, batch),
                batch.person,
            )

    def people(self, category: Category) -> Iterator[ImageBatch]:
        """Yield the person images of a category."""
        rows = self.rows.select_category(category)
        for start in range(0, len(rows), self.batch_size):
            stop = min(start + self.batch_size, len(rows))
            yield np.stack([rows.image("person", row) for row in range(start, stop)])


def reference_hashes(setting: str, batch: PredictedBatch) -> ReferenceHashes:
    """Hash the person images, the ground truth and its regions, as `tryon score` does for the same rows."""
    hashes = ReferenceHashes()
    hashes.add(batch.pair_ids, "person", batch.person)
    with_truth = [pair for pair, known in zip(batch.pair_ids, batch.truth.has_truth, strict=True) if known]
    if setting != "paired":
        hashes.add(with_truth, "truth", batch.truth.images)
    hashes.add_regions(with_truth, batch.truth.regions)
    return hashes


def try_on(network: nn.Module, batch: Batch, device: torch.device) -> ImageBatch:
    """Return the network's results as 8-bit images, uint8 (B, H, W, 3).

    Raises:
        TryOnError: a result is not finite.
    """
    inputs = prepare(batch.to(device))
    with torch.inference_mode():
        result = network(inputs.reference, inputs.garment, inputs.agnostic)
    check_finite(result, batch.pair_ids)
    return _to_images(denormalize(result.float()).cpu())


def ground_truth(rows: PackedDataset, positions: NDArray[np.int64], batch: Batch, setting: str) -> GroundTruth:
    """Return the ground truth of a batch: the person image if paired, else the stored truth image.

    Args:
        rows: of one setting and category.
        positions: of the batch's rows among them.
        batch: these rows.
    """
    if setting == "paired":
        masks = batch.garment_mask[:, 0].numpy()
        has_truth = np.ones(len(batch.pair_ids), np.bool_)
        return GroundTruth(has_truth, _to_images(batch.person), regions_of(masks, _keypoints(rows, positions)))
    has_truth = np.array(
        [rows.has("truth", int(i)) and rows.has("truth_garment_mask", int(i)) for i in positions], np.bool_
    )
    height, width = rows.size
    images = [rows.image("truth", int(i)) for i in positions[has_truth]]
    masks = [rows.mask("truth_garment_mask", int(i)) for i in positions[has_truth]]
    return GroundTruth(
        has_truth,
        np.array(images, np.uint8).reshape(-1, height, width, 3),
        regions_of(np.array(masks, np.bool_).reshape(-1, height, width), _keypoints(rows, positions[has_truth])),
    )


def _keypoints(rows: PackedDataset, positions: NDArray[np.int64]) -> NDArray[np.float32]:
    """Return key points (K, 18, 3) of the rows; the pose is the same in every garment."""
    return np.array([rows.keypoints(int(i)) for i in positions], np.float32).reshape(-1, 18, 3)


def _to_images(tensor: Tensor) -> ImageBatch:
    """Convert (B, 3, H, W) to (B, H, W, 3)."""
    return np.ascontiguousarray(tensor.permute(0, 2, 3, 1).numpy())
