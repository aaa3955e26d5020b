"""Inception features, the ground of FID and KID, extracted by torch-fidelity from a local file of weights."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3

from tryon.errors import WeightsError
from tryon.metrics.metric import PICTURE, WHOLE, Measure, Pictures, Regions, Rows

LAYER = "2048"
RESIZER = "torch-fidelity, bilinear to 299x299 as in TensorFlow 1, no antialiasing"


@lru_cache(maxsize=2)
def load_features(path: Path | None, device: str = "cpu") -> Measure:
    """Make the measuring function; FID and KID get the same one, so each picture passes the network once.

    Raises:
        WeightsError: the file is not torch-fidelity's Inception.
    """
    assert path is not None
    return _Features(_load_network(path).to(device), device)


class _Features:
    """The measuring function. It keeps the people of its last call: every method of a batch is compared with them."""

    def __init__(self, network: nn.Module, device: str) -> None:
        self.network, self.device = network, device
        self.people: tuple[Pictures, np.ndarray] | None = None

    def __call__(self, results: Pictures, people: Pictures, regions: Regions = WHOLE) -> Rows:
        """Features of each result and of each reference picture, float32 (N, 2, 2048)."""
        if self.people is None or not np.array_equal(self.people[0], people):
            self.people = people.copy(), _extract(self.network, people, self.device)
        return {PICTURE: np.stack([_extract(self.network, results, self.device), self.people[1]], 1)}


def _load_network(path: Path) -> nn.Module:
    try:
        # torch-fidelity unpickles whatever the file holds; this refuses a file with more than tensors before it does.
        torch.load(path, map_location="cpu", weights_only=True)
        # With a path torch-fidelity downloads nothing.
        return FeatureExtractorInceptionV3("inception-v3-compat", [LAYER], feature_extractor_weights_path=str(path))
    except Exception as error:  # whatever pickle, zip or the shapes say, the file is not what its name says
        rule, remedy = "holds torch-fidelity's Inception", "Remove it and run `tryon weights`."
        raise WeightsError(str(path), rule=rule, value=str(error)[:200], remedy=remedy) from error


def _extract(network: nn.Module, pictures: Pictures, device: str) -> np.ndarray:
    batch = torch.from_numpy(np.ascontiguousarray(pictures)).to(device).permute(0, 3, 1, 2)
    with torch.inference_mode():
        return network(batch)[0].cpu().numpy()
