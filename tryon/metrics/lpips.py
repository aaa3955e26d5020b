"""LPIPS (Zhang et al. 2018) on AlexNet features, computed by torchmetrics from a local file of weights."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torchmetrics.functional.image.lpips import _NoTrainLpips

from tryon.errors import WeightsError
from tryon.metrics.metric import PICTURE, WHOLE, Measure, Metric, Pictures, Regions, Rows, check_pair, mean

LEAST_SIDE = 31
"""Smaller pictures leave AlexNet's pooling nothing to look at."""


def load(path: Path | None, device: str = "cpu") -> Measure:
    """Make the measuring function from torchvision's AlexNet file.

    The linear layers on top of the features come with torchmetrics.

    Raises:
        WeightsError: the file is not an AlexNet.
    """
    assert path is not None
    network = load_network(path).to(device)

    def lpips(results: Pictures, targets: Pictures, regions: Regions = WHOLE) -> Rows:
        """LPIPS of each picture, 0 (equal) upwards; only over the whole picture."""
        check_pair(results, targets)
        with torch.inference_mode():
            distance = network(_floats(results, device), _floats(targets, device), normalize=True)
        return {PICTURE: distance.reshape(len(results)).double().cpu().numpy()}

    return lpips


def load_network(path: Path) -> nn.Module:
    """Build LPIPS without asking torchvision for weights, which would download them, then fill in those of `path`."""
    network = _NoTrainLpips(net="alex", pnet_rand=True)
    features = {f"net.{name}": value for name, value in _features(path, network).items()}
    missing, unexpected = network.load_state_dict(features, strict=False)
    assert not unexpected, unexpected
    assert not [name for name in missing if name.startswith("net.")], missing
    return network.eval()


def _features(path: Path, network: nn.Module) -> dict[str, Tensor]:
    """Tensors of the file under torchmetrics' names: layer i of AlexNet lies in the slice that ends with its block."""
    wanted = network.get_submodule("net").state_dict()
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
        renamed = {name: state[f"features.{name.split('.', 1)[1]}"] for name in wanted}
    except Exception as error:  # whatever pickle, zip or a missing key say, the file is not what its name says
        remedy = "Remove it and run `tryon weights`."
        raise WeightsError(str(path), rule="holds torchvision's AlexNet", value=str(error), remedy=remedy) from error
    wrong = [name for name, tensor in wanted.items() if renamed[name].shape != tensor.shape]
    if wrong:
        raise WeightsError(str(path), rule="holds torchvision's AlexNet", value=f"other shapes: {wrong}")
    return renamed


def _floats(pictures: Pictures, device: str) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(pictures)).to(device).permute(0, 3, 1, 2).float() / 255


METRIC = Metric(
    "lpips",
    "LPIPS",
    "lower",
    load=load,
    value=mean,
    weights="alexnet",
    regional=False,
    least_side=LEAST_SIDE,
    settings="torchmetrics, AlexNet, at the pictures' own size",
)
