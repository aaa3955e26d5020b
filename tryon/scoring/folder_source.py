"""Read and preprocess result images and their ground truth by a protocol, as a scoring source."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tryon.categories import Category
from tryon.metrics.regions import WHOLE_IMAGE, Regions, regions_of
from tryon.runtime.process_pool import split_chunks
from tryon.scoring.fingerprint import ReferenceHashes
from tryon.scoring.image_folder import Results, ScoredPair, format_size
from tryon.scoring.measure import ScoringBatch
from tryon.scoring.protocols import Protocol
from tryon.scoring.protocols.preprocessing import read_image
from tryon.scoring.protocols.protocol import ImageArray, PreprocessedImage
from tryon.scoring.references import GroundTruthSource, Role

METHOD = "results"
"""Name of the only method of a folder."""


class ShapeError(Exception):
    """A preprocessed result and its ground truth differ in size, so the protocol cannot compare them."""


@dataclass(frozen=True)
class FolderTask:
    """Pairs of a setting to score, with their results and ground truth."""

    setting: str
    references: GroundTruthSource
    pairs: tuple[ScoredPair, ...]
    results: Results

    @property
    def role(self) -> Role:
        """Role of the image that a result is compared with."""
        return "person" if self.setting == "paired" else "truth"

    @property
    def counts(self) -> dict[Category, int]:
        """Number of pairs of every category that has any."""
        counts = {category: len(self.pairs_of(category)) for category in Category}
        return {category: count for category, count in counts.items() if count}

    def pairs_of(self, category: Category) -> tuple[ScoredPair, ...]:
        """Return the pairs of one category."""
        return tuple(pair for pair in self.pairs if pair.category == category)

    @property
    def has_regions(self) -> bool:
        """Whether the garment's position in the ground truth is known for every pair."""
        return all(pair.pair_id in self.references.pairs_with_garment for pair in self.pairs)


class FolderSource:
    """A `ScoringSource` over a folder of result images.

    Args:
        batch_size: pairs per batch.
        compare_pairs, compare_sets: whether pairwise and set metrics are computed; only required images are read.
    """

    def __init__(
        self, protocol: Protocol, task: FolderTask, batch_size: int, compare_pairs: bool, compare_sets: bool
    ) -> None:
        self.protocol, self.task, self.batch_size = protocol, task, batch_size
        self.compare_pairs, self.compare_sets = compare_pairs, compare_sets

    @property
    def counts(self) -> dict[Category, int]:
        """Number of pairs of every category that has any."""
        return self.task.counts

    def batches(self, category: Category) -> Iterator[ScoringBatch]:
        """Yield the pairs of a category.

        Raises:
            ShapeError: a preprocessed result and its ground truth differ in size.
            MissingInputError: a ground-truth image is absent or differs from the index.
        """
        for pairs in split_chunks(self.task.pairs_of(category), self.batch_size):
            yield self._batch(category, pairs)

    def _batch(self, category: Category, pairs: Sequence[ScoredPair]) -> ScoringBatch:
        task, protocol = self.task, self.protocol
        pair_ids = tuple(pair.pair_id for pair in pairs)
        results = [protocol.result(read_image(task.results.files[name]), task.results.format) for name in pair_ids]
        hashes = ReferenceHashes()
        people = self._read(pairs, "person", hashes)
        sets = np.stack([image.set for image in results])
        compared, targets, regions = sets[:0], sets[:0], WHOLE_IMAGE
        if self.compare_pairs:
            truth = people if task.role == "person" else self._read(pairs, task.role, hashes)
            compared = np.stack([image.pair for image in results])
            targets = np.stack([self._preprocess(image).pair for image in truth])
            if compared.shape != targets.shape:
                a, b = (format_size((images.shape[1], images.shape[2])) for images in (compared, targets))
                raise ShapeError(f"after preprocessing, results are {a} and ground truth {b}")
            regions = self._regions(pairs, hashes)
        return ScoringBatch(
            category,
            pair_ids,
            {METHOD: compared if self.compare_pairs else sets},
            np.full(len(pairs), self.compare_pairs),
            targets,
            regions,
            hashes,
            np.stack([self._preprocess(image).set for image in people]) if self.compare_sets else None,
            {METHOD: sets},
        )

    def people(self, category: Category) -> Iterator[NDArray[np.uint8]]:
        """Yield the photos of the persons, preprocessed for set metrics."""
        for pairs in split_chunks(self.task.pairs_of(category), self.batch_size):
            images = self._read(pairs, "person", ReferenceHashes())
            yield np.stack([self._preprocess(image).set for image in images])

    def _regions(self, pairs: Sequence[ScoredPair], hashes: ReferenceHashes) -> Regions:
        if not (self.protocol.regions and self.task.has_regions):
            return WHOLE_IMAGE
        garments, keypoints = zip(*(self.task.references.garment(pair) for pair in pairs), strict=True)
        regions = regions_of(np.stack(garments), np.stack(keypoints))
        hashes.add_regions([pair.pair_id for pair in pairs], regions)
        return regions

    def _read(self, pairs: Sequence[ScoredPair], role: Role, hashes: ReferenceHashes) -> list[ImageArray]:
        references = self.task.references
        size = references.native_size if self.protocol.sizes == "rows" else self.protocol.size or references.native_size
        if self.protocol.reference == "packed":
            images = [references.packed(pair, role, size) for pair in pairs]
        else:
            images = [references.original(pair, role) for pair in pairs]
        hashes.add([pair.pair_id for pair in pairs], role, images)
        return images

    def _preprocess(self, image: ImageArray) -> PreprocessedImage:
        return self.protocol.true_image(image, self.task.results.size)
