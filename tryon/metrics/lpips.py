"""LPIPS (Zhang et al. 2018) on AlexNet, VGG16 or SqueezeNet, computed by torchmetrics from local files of weights."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F
from torchmetrics.functional.image.lpips import _NoTrainLpips

from tryon.errors import WeightsError
from tryon.metrics.image_pair import ImageBatch, Rows, check_pair, mean_inside
from tryon.metrics.metric import Measure, Metric
from tryon.metrics.regions import WHOLE_IMAGE, Regions

_SLICE = re.compile(r"^slice(s\.)?\d+\.")


@dataclass(frozen=True)
class Backbone:
    """A network whose features are compared.

    Args:
        net: torchmetrics' name.
        title: what people call it.
        weights: name of torchvision's file in `tryon.pretrained_weights.WEIGHTS`.
        min_side: smaller images leave its pooling nothing to look at.
    """

    net: Literal["alex", "vgg", "squeeze"]
    title: str
    weights: str
    min_side: int


ALEXNET = Backbone("alex", "AlexNet", "alexnet", 31)
VGG = Backbone("vgg", "VGG16", "vgg16", 16)
SQUEEZENET = Backbone("squeeze", "SqueezeNet", "squeezenet", 17)


def load(path: Path | None, device: str = "cpu", backbone: Backbone = ALEXNET) -> Measure:
    """Make the measuring function from torchvision's file of the backbone.

    The linear layers on top of the features come with torchmetrics.

    Raises:
        WeightsError: the file is not of that network.
    """
    assert path is not None
    network = load_network(path, backbone).to(device)
    layers: list[Tensor] = []

    def keep(head: nn.Module, inputs: tuple[Tensor, ...], distances: Tensor) -> None:
        layers.append(distances)

    for head in network.lins:
        head.register_forward_hook(keep)  # the network hands out means or enlarged maps, and here both are needed

    def lpips(results: ImageBatch, targets: ImageBatch, regions: Regions = WHOLE_IMAGE) -> Rows:
        """LPIPS of each image, 0 (equal) upwards.

        Of the whole image: the mean of each layer's distances over the layer's own grid, summed over layers. In a
        region: the mean over its pixels of the spatial map, that is the layers' distances enlarged to the image's
        size (bilinear, as `spatial` does in the authors' code) and summed.
        """
        check_pair(results, targets)
        if not len(results):
            return {name: np.empty(0) for name in regions}
        with torch.inference_mode():
            whole = network(_floats(results, device), _floats(targets, device), normalize=True)
        means: NDArray[np.float64] = whole.reshape(len(results)).double().cpu().numpy()
        if all(region is None for region in regions.values()):
            layers.clear()
            return dict.fromkeys(regions, means)
        local = _spatial(layers, results.shape[1:3])
        layers.clear()
        return {name: means if own is None else _inside(local, own) for name, own in regions.items()}

    return lpips


def _spatial(layers: list[Tensor], size: tuple[int, ...]) -> NDArray[np.float32]:
    """The layers' distances, (N, 1, h, w) each, as one map, float32 (N, H, W)."""
    with torch.inference_mode():
        enlarged = [F.interpolate(each, size, mode="bilinear", align_corners=False) for each in layers]
        return torch.stack(enlarged).sum(0)[:, 0].float().cpu().numpy()


def _inside(local: NDArray[np.float32], region: NDArray[np.bool_]) -> NDArray[np.float64]:
    return np.array([mean_inside(*each) for each in zip(local, region, strict=True)])


def load_network(path: Path, backbone: Backbone = ALEXNET) -> _NoTrainLpips:
    """Build LPIPS without asking torchvision for weights, which would download them, then fill in those of `path`."""
    network = _NoTrainLpips(net=backbone.net, pnet_rand=True)
    features = {f"net.{name}": value for name, value in _features(path, network, backbone).items()}
    missing, unexpected = network.load_state_dict(features, strict=False)
    assert not unexpected, unexpected
    assert not [name for name in missing if name.startswith("net.")], missing
    return network.eval()


def _features(path: Path, network: nn.Module, backbone: Backbone) -> dict[str, Tensor]:
    """Tensors of the file under torchmetrics' names: layer i of the backbone lies in the slice that ends its block."""
    wanted = network.get_submodule("net").state_dict()
    rule = f"holds torchvision's {backbone.title}"
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
        renamed = {name: state["features." + _SLICE.sub("", name)] for name in wanted}
    except Exception as error:  # whatever pickle, zip or a missing key say, the file is not what its name says
        remedy = "Remove it and run `tryon download-weights`."
        raise WeightsError(str(path), expected=rule, found=str(error), hint=remedy) from error
    wrong = [name for name, tensor in wanted.items() if renamed[name].shape != tensor.shape]
    if wrong:
        raise WeightsError(str(path), expected=rule, found=f"other shapes: {wrong}")
    return renamed


def _floats(images: ImageBatch, device: str) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(images)).to(device).permute(0, 3, 1, 2).float() / 255


def _metric(name: str, title: str, backbone: Backbone) -> Metric:
    return Metric(
        name,
        title,
        "lower",
        measure=partial(load, backbone=backbone),
        weights=backbone.weights,
        min_side=backbone.min_side,
        settings=f"torchmetrics, {backbone.title}, at the images' own size",
    )


METRIC = _metric("lpips", "LPIPS", ALEXNET)
VGG_METRIC = _metric("lpips_vgg", "LPIPS (VGG)", VGG)
SQUEEZENET_METRIC = _metric("lpips_squeeze", "LPIPS (Squeeze)", SQUEEZENET)
