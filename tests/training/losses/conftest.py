"""The published loss in plain autograd, and narrow random networks shaped like VGG16 and VGG19."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import SimpleNamespace

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from tryon.config.training import LossSettings
from tryon.training.losses import LossTargets, Perceptual
from tryon.training.losses.perceptual_terms import LPIPS_SCALE, LPIPS_SHIFT
from tryon.training.losses.vgg import BLOCKS, FrozenVgg

NARROW = (4, 5, 6, 7, 8)


def vgg_state(name: str, widths: tuple[int, ...] = NARROW, seed: int = 0) -> dict[str, Tensor]:
    """Return random weights that keep activations at the scale of the image."""
    random = torch.Generator().manual_seed(seed)
    state, index, inputs = {}, 0, 3
    for count, width in zip(BLOCKS[name], widths, strict=True):
        for _ in range(count):
            weight = torch.randn(width, inputs, 3, 3, generator=random) * (2 / (9 * inputs)) ** 0.5
            state[f"features.{index}.weight"], inputs = weight, width
            state[f"features.{index}.bias"] = torch.randn(width, generator=random) / 10
            index += 2
        index += 1
    return state


def random_heads(widths: tuple[int, ...] = NARROW) -> list[Tensor]:
    random = torch.Generator().manual_seed(9)
    return [torch.rand(1, width, 1, 1, generator=random) for width in widths]


@pytest.fixture(scope="session")
def narrow() -> Perceptual:
    """Narrow networks in float64."""
    vgg16 = FrozenVgg.from_state(vgg_state("vgg16"), "vgg16", LPIPS_SHIFT, LPIPS_SCALE)
    vgg19 = FrozenVgg.from_state(vgg_state("vgg19", seed=1), "vgg19")
    return Perceptual({"vgg16": vgg16, "vgg19": vgg19}, random_heads()).to(torch.device("cpu"), torch.float64)


@pytest.fixture(scope="session")
def make_state() -> Callable[..., dict[str, Tensor]]:
    """State dicts with torchvision's keys."""
    return vgg_state


@pytest.fixture(scope="session")
def make_heads() -> Callable[..., list[Tensor]]:
    return random_heads


@pytest.fixture(scope="session")
def plain() -> SimpleNamespace:
    """Reference implementations in plain autograd."""
    return SimpleNamespace(
        features=features, lpips=plain_lpips, style_and_content=plain_style_and_content, loss=plain_loss
    )


def features(network: FrozenVgg, image: Tensor) -> dict[str, Tensor]:
    outputs, x = {}, (image - network.shift) / network.scale
    for layer in network.layers:
        x = F.max_pool2d(x, 2) if layer.pools else x
        x = outputs[layer.name] = F.conv2d(x, layer.weight, layer.bias, padding=1).relu()
    return outputs


def plain_lpips(perceptual: Perceptual, result: Tensor, target: Tensor) -> Tensor:
    both = [features(perceptual.networks["vgg16"], image) for image in (result, target)]
    total = torch.zeros((), dtype=result.dtype)
    names = ("relu1_2", "relu2_2", "relu3_3", "relu4_3", "relu5_3")
    for name, head in zip(names, perceptual.heads, strict=True):
        first, second = (each[name] / (each[name].square().sum(1, keepdim=True) + 1e-8).sqrt() for each in both)
        total = total + F.conv2d((first - second) ** 2, head).mean()
    return total


def plain_style_and_content(perceptual: Perceptual, result: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    first, second = (features(perceptual.networks["vgg19"], image) for image in (result, target))
    content = [F.l1_loss(first[f"relu{block}_1"], second[f"relu{block}_1"]) for block in range(1, 6)]
    style = []
    for name in ("relu2_2", "relu3_4", "relu4_4", "relu5_2"):
        grams = []
        for each in (first[name], second[name]):
            _, channels, height, width = each.shape
            grams.append(torch.einsum("bihw,bjhw->bij", each, each) / (channels * height * width))
        style.append(F.l1_loss(*grams))
    return torch.stack(style).sum(), torch.stack(content).sum()


def plain_loss(
    settings: LossSettings, perceptual: Perceptual, results: Sequence[Tensor], targets: LossTargets
) -> Tensor:
    """Compute the published recipe, in which scale n has the weight n + 1."""
    total = torch.zeros((), dtype=targets.person.dtype)
    for number, result in enumerate(results):
        halvings = len(results) - 1 - number
        target = targets.person
        if halvings:
            target = F.interpolate(target, scale_factor=0.5**halvings, mode="bilinear", align_corners=False)
        images = [result, target]
        if number == 0:
            images = [F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False) for x in images]
        style, content = plain_style_and_content(perceptual, images[0], images[1])
        distance = plain_lpips(perceptual, images[0], images[1])
        pixels = settings.l1 * F.l1_loss(result, target)
        vgg_terms = settings.lpips * distance + settings.style * style + settings.content * content
        total = total + (number + 1) * (pixels + vgg_terms)
    return total
