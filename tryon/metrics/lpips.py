"""LPIPS (Zhang et al. 2018) on AlexNet, VGG16 or SqueezeNet, computed by torchmetrics from local weights."""

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
from tryon.metrics.image_pair import BatchScores, ImageBatch, check_pair, mean_inside
from tryon.metrics.metric import Metric, PairwiseScorer
from tryon.metrics.regions import WHOLE_IMAGE, Regions

_SLICE = re.compile(r"^slice(s\.)?\d+\.")


@dataclass(frozen=True)
class Backbone:
    """A network whose features are compared.

    Args:
        net: torchmetrics' name.
        title: display name.
        weights: name of torchvision's file in `tryon.pretrained_weights.WEIGHTS`.
        min_side: smallest side that its pooling layers support.
    """

    net: Literal["alex", "vgg", "squeeze"]
    title: str
    weights: str
    min_side: int


ALEXNET = Backbone("alex", "AlexNet", "alexnet", 31)
VGG = Backbone("vgg", "VGG16", "vgg16", 16)
SQUEEZENET = Backbone("squeeze", "SqueezeNet", "squeezenet", 17)


def load(path: Path | None, device: str = "cpu", backbone: Backbone = ALEXNET) -> PairwiseScorer:
    """Load LPIPS with torchvision's weights of the backbone; raise WeightsError for another network's file."""
    assert path is not None
    network = load_network(path, backbone).to(device)
    layers: list[Tensor] = []

    def capture(head: nn.Module, inputs: tuple[Tensor, ...], distances: Tensor) -> None:
        layers.append(distances)

    for head in network.lins:
        head.register_forward_hook(capture)  # the network returns either means or upsampled maps, both are needed

    def lpips(results: ImageBatch, targets: ImageBatch, regions: Regions = WHOLE_IMAGE) -> BatchScores:
        """Compute LPIPS of each image, 0 (equal) upwards.

        For the complete image: the mean of each layer's distances, summed over layers. In a region: the mean of the
        spatial map, the layers' distances upsampled bilinearly to the image and summed, as `spatial` does in the
        authors' code.
        """
        check_pair(results, targets)
        if not len(results):
            return {name: np.empty(0) for name in regions}
        with torch.inference_mode():
            distances = network(_floats(results, device), _floats(targets, device), normalize=True)
        means: NDArray[np.float64] = distances.reshape(len(results)).double().cpu().numpy()
        if all(region is None for region in regions.values()):
            layers.clear()
            return dict.fromkeys(regions, means)
        local = _spatial(layers, results.shape[1:3])
        layers.clear()
        return {name: means if region is None else _region_means(local, region) for name, region in regions.items()}

    return lpips


def _spatial(layers: list[Tensor], size: tuple[int, ...]) -> NDArray[np.float32]:
    """Sum the layers' distances, (N, 1, h, w) each, to one map, float32 (N, H, W)."""
    with torch.inference_mode():
        upsampled = [F.interpolate(layer, size, mode="bilinear", align_corners=False) for layer in layers]
        return torch.stack(upsampled).sum(0)[:, 0].float().cpu().numpy()


def _region_means(maps: NDArray[np.float32], masks: NDArray[np.bool_]) -> NDArray[np.float64]:
    return np.array([mean_inside(local, mask) for local, mask in zip(maps, masks, strict=True)])


def load_network(path: Path, backbone: Backbone = ALEXNET) -> _NoTrainLpips:
    """Build LPIPS with the weights of `path`, without torchvision's download."""
    network = _NoTrainLpips(net=backbone.net, pnet_rand=True)
    features = {f"net.{name}": value for name, value in _features(path, network, backbone).items()}
    missing, unexpected = network.load_state_dict(features, strict=False)
    assert not unexpected, unexpected
    assert not [name for name in missing if name.startswith("net.")], missing
    return network.eval()


def _features(path: Path, network: nn.Module, backbone: Backbone) -> dict[str, Tensor]:
    """Read the file's tensors under torchmetrics' names, which prefix torchvision's by the slice of the layer."""
    expected = network.get_submodule("net").state_dict()
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
        renamed = {name: state["features." + _SLICE.sub("", name)] for name in expected}
    except Exception as error:  # pickle, zip and key errors alike
        raise _wrong_file(path, backbone, str(error)) from error
    mismatched = [name for name, tensor in expected.items() if renamed[name].shape != tensor.shape]
    if mismatched:
        raise _wrong_file(path, backbone, f"other shapes: {mismatched}")
    return renamed


def _wrong_file(path: Path, backbone: Backbone, found: str) -> WeightsError:
    return WeightsError(
        f"{path} is not torchvision's {backbone.title}", found=found, hint="Remove it and run `tryon download-weights`."
    )


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
