"""Features of the reference images of FID and KID, cached by content."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch_fidelity.metric_fid import fid_features_to_statistics

from tryon.metrics.image_pair import ImageBatch
from tryon.runtime.atomic_files import atomic_file, checksum_ok, write_checksum

if TYPE_CHECKING:
    from tryon.metrics.inception import FeatureExtractor

FeatureStatistics = dict[str, NDArray[np.float64]]
"""Mean `mu` (D,) and covariance `sigma` (D, D) of features, as in torch-fidelity."""


class Reference:
    """Reference features, float32 (N, D), with cached statistics."""

    def __init__(self, features: NDArray[np.float32]) -> None:
        self.features = features

    @cached_property
    def statistics(self) -> FeatureStatistics:
        """Mean and covariance."""
        return statistics_of(self.features)


def statistics_of(features: NDArray[np.float32]) -> FeatureStatistics:
    """Compute mean and covariance of features (N, D) in float64."""
    return fid_features_to_statistics(torch.from_numpy(features).double())


def reference_features(
    extract: FeatureExtractor, content: Iterable[str], batches: Iterator[ImageBatch], folder: Path
) -> NDArray[np.float32]:
    """Compute the features of reference images, float32 (N, D), or read them from the cache.

    Args:
        extract: the extractor; its `identity` is part of the cache key.
        content: hash of each image, in order.
        batches: the images in the same order; consumed only on a cache miss.
        folder: the cache; a damaged file is computed again.
    """
    hashes = list(content)
    key = hashlib.sha256("\n".join([extract.identity, *hashes]).encode()).hexdigest()
    path = folder / f"{key}.npy"
    if checksum_ok(path):
        return np.load(path, allow_pickle=False)
    features = np.concatenate([extract(batch) for batch in batches]).astype(np.float32)
    with atomic_file(path) as temporary, temporary.open("wb") as file:
        np.save(file, features, allow_pickle=False)
    write_checksum(path)
    return features
