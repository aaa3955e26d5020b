"""Inception features for FID and KID from local weights, as computed by torch-fidelity and by clean-fid.

torch-fidelity resizes like TensorFlow 1, without antialiasing; clean-fid like Pillow, bicubic and antialiased. The
resizer moves FID by several points, so the two are separate metrics. Both files hold the same network.
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
"""File name that clean-fid opens in a folder."""


@dataclass(frozen=True)
class FeatureExtractor:
    """Callable that maps images to features.

    Args:
        network: maps prepared images to (N, D).
        prepare: maps uint8 (N, H, W, 3) to the network's input.
        device: of the network.
        identity: library, weights, layer and resizer, which determine the features.
    """

    network: Callable[[Tensor], Tensor]
    prepare: Callable[[ImageBatch], Tensor]
    device: str
    identity: str

    def __call__(self, images: ImageBatch) -> NDArray[np.float32]:
        """Compute the features of each image, float32 (N, D)."""
        with torch.inference_mode():
            return self.network(self.prepare(images).to(self.device)).float().cpu().numpy()


@lru_cache(maxsize=2)
def load_features(path: Path | None, device: str = "cpu") -> FeatureExtractor:
    """Load torch-fidelity's extractor; cached, so that FID and KID share it. Raises WeightsError for other files."""
    assert path is not None
    network = _load_network(path).to(device)
    identity = f"torch-fidelity {version('torch-fidelity')}, {sha256_file(path)}, {LAYER}, {RESIZER}"
    return FeatureExtractor(lambda batch: network(batch)[0], _to_tensor, device, identity)


@lru_cache(maxsize=2)
def load_clean_features(path: Path | None, device: str = "cpu") -> FeatureExtractor:
    """Load clean-fid's extractor, in its mode `clean`. Raises WeightsError for other files."""
    assert path is not None
    network = _load_clean_network(path).to(device)
    identity = f"clean-fid {version('clean-fid')}, {sha256_file(path)}, {LAYER}, {CLEAN_RESIZER}"
    return FeatureExtractor(network, resize_clean, device, identity)


def resize_clean(images: ImageBatch) -> Tensor:
    """Resize like clean-fid: float32 (N, 3, 299, 299), 0 to 255."""
    from cleanfid.resize import build_resizer

    resize = build_resizer("clean")
    resized = np.stack([resize(image) for image in images])
    return torch.from_numpy(resized).permute(0, 3, 1, 2)


def _to_tensor(images: ImageBatch) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(images)).permute(0, 3, 1, 2)


def _load_network(path: Path) -> nn.Module:
    from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3

    try:
        # torch-fidelity unpickles the file without restrictions: first make sure that it holds only tensors.
        torch.load(path, map_location="cpu", weights_only=True)
        return FeatureExtractorInceptionV3("inception-v3-compat", [LAYER], feature_extractor_weights_path=str(path))
    except Exception as error:  # pickle, zip and shape errors alike
        raise _not_inception(path, "torch-fidelity", error) from error


def _load_clean_network(path: Path) -> nn.Module:
    from cleanfid.inception_torchscript import InceptionV3W

    assert path.name == CLEAN_FILE, path
    try:
        # TorchScript is a graph of tensor operations, not a pickle.
        return InceptionV3W(str(path.parent), download=False, resize_inside=False).eval()
    except Exception as error:  # any error of the archive reader
        raise _not_inception(path, "clean-fid", error) from error


def _not_inception(path: Path, library: str, error: Exception) -> WeightsError:
    return WeightsError(
        f"{path} is not {library}'s Inception network",
        found=str(error)[:200],
        hint="Remove it and run `tryon download-weights`.",
    )
