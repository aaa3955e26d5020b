"""The reference images of FID and KID as features: seen once by the network, then kept by content."""

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
"""Mean `mu` (D,) and covariance `sigma` (D, D) of features, as torch-fidelity takes them."""


class Reference:
    """A set of reference features, float32 (N, D), and what FID needs of them, computed once."""

    def __init__(self, features: NDArray[np.float32]) -> None:
        self.features = features

    @cached_property
    def statistics(self) -> FeatureStatistics:
        """Their mean and covariance."""
        return statistics_of(self.features)


def statistics_of(features: NDArray[np.float32]) -> FeatureStatistics:
    """Mean and covariance of features (N, D), in float64."""
    return fid_features_to_statistics(torch.from_numpy(features).double())


def reference_features(
    extract: FeatureExtractor, content: Iterable[str], batches: Iterator[ImageBatch], folder: Path
) -> NDArray[np.float32]:
    """Features of the reference images, from `folder` if the same network saw the same images before.

    Args:
        extract: its `identity` names weights, layer and resizer.
        content: a hash of each image, in order.
        batches: the images in the same order; looked at only when they are new.
        folder: of the kept features, below the staging folder; a damaged file there is made again.

    Returns:
        float32 (N, D), in the order of the images.
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
