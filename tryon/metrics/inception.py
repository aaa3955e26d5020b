"""Inception features, the ground of FID and KID, from a local file of weights, in the two ways that people use.

torch-fidelity resizes as TensorFlow 1 did, without antialiasing; clean-fid like Pillow, bicubic and antialiased. Their
files hold the same network. What is resized how moves FID by several points, so each library's numbers are its own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from tryon.errors import WeightsError
from tryon.metrics.image_pair import ImageBatch
from tryon.runtime.atomic_files import sha256_file

LAYER = "2048"
RESIZER = "torch-fidelity, bilinear to 299x299 as in TensorFlow 1, no antialiasing"
CLEAN_RESIZER = "clean-fid, bicubic to 299x299 as in Pillow, antialiased, not rounded"
CLEAN_FILE = "inception-2015-12-05.pt"
"""clean-fid opens a file of this name in a folder."""


@dataclass(frozen=True)
class FeatureExtractor:
    """Images to features.

    Args:
        network: takes a batch of prepared images, gives (N, D).
        prepare: uint8 (N, H, W, 3) to what the network takes.
        device: where the network lies.
        identity: says what fixes the features: library, weights, layer, resizer.
    """

    network: Callable[[Tensor], Tensor]
    prepare: Callable[[ImageBatch], Tensor]
    device: str
    identity: str

    def __call__(self, images: ImageBatch) -> NDArray[np.float32]:
        """Features of each image, float32 (N, D)."""
        with torch.inference_mode():
            return self.network(self.prepare(images).to(self.device)).float().cpu().numpy()


@lru_cache(maxsize=2)
def load_features(path: Path | None, device: str = "cpu") -> FeatureExtractor:
    """torch-fidelity's features; FID and KID get the same extractor, so each image passes the network once.

    Raises:
        WeightsError: the file is not torch-fidelity's Inception.
    """
    assert path is not None
    network = _load_network(path).to(device)
    identity = f"torch-fidelity {version('torch-fidelity')}, {sha256_file(path)}, {LAYER}, {RESIZER}"
    return FeatureExtractor(lambda batch: network(batch)[0], _bytes, device, identity)


@lru_cache(maxsize=2)
def load_clean_features(path: Path | None, device: str = "cpu") -> FeatureExtractor:
    """clean-fid's features, in its mode `clean`.

    Raises:
        WeightsError: the file is not clean-fid's Inception.
    """
    assert path is not None
    network = _load_clean_network(path).to(device)
    identity = f"clean-fid {version('clean-fid')}, {sha256_file(path)}, {LAYER}, {CLEAN_RESIZER}"
    return FeatureExtractor(network, clean_resized, device, identity)


def clean_resized(images: ImageBatch) -> Tensor:
    """Resized as clean-fid does it: float32 (N, 3, 299, 299), 0 to 255."""
    from cleanfid.resize import build_resizer

    resize = build_resizer("clean")
    resized = np.stack([resize(image) for image in images])
    return torch.from_numpy(resized).permute(0, 3, 1, 2)


def _bytes(images: ImageBatch) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(images)).permute(0, 3, 1, 2)


def _load_network(path: Path) -> nn.Module:
    from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3

    try:
        # torch-fidelity unpickles whatever the file holds; this refuses a file with more than tensors before it does.
        torch.load(path, map_location="cpu", weights_only=True)
        # With a path torch-fidelity downloads nothing.
        return FeatureExtractorInceptionV3("inception-v3-compat", [LAYER], feature_extractor_weights_path=str(path))
    except Exception as error:  # whatever pickle, zip or the shapes say, the file is not what its name says
        raise _not_inception(path, "torch-fidelity", error) from error


def _load_clean_network(path: Path) -> nn.Module:
    from cleanfid.inception_torchscript import InceptionV3W

    assert path.name == CLEAN_FILE, path
    try:
        # TorchScript: a graph of tensor operations, not a pickle. With `download=False` nothing is fetched.
        return InceptionV3W(str(path.parent), download=False, resize_inside=False).eval()
    except Exception as error:  # whatever the archive reader says, the file is not what its name says
        raise _not_inception(path, "clean-fid", error) from error


def _not_inception(path: Path, library: str, error: Exception) -> WeightsError:
    remedy = "Remove it and run `tryon download-weights`."
    return WeightsError(str(path), expected=f"holds {library}'s Inception", found=str(error)[:200], hint=remedy)
