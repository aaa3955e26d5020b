"""The perceptual terms of the published recipe: LPIPS on VGG16, style and content on VGG19, of one scale at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from tryon.errors import WeightsError
from tryon.training.losses import perceptual_terms
from tryon.training.losses.pixel_terms import resize
from tryon.training.losses.vgg import BLOCKS, MIN_SIDE, WIDTHS, FrozenVgg, Term

NETWORKS = {"lpips": "vgg16", "style": "vgg19", "content": "vgg19"}
"""The network that each term looks through; its name in `tryon.pretrained_weights.WEIGHTS` too."""


class Perceptual:
    """LPIPS, style and content of a result, with their gradient.

    Args:
        networks: by their names, those that are needed; on images in [-1, 1]. VGG19 sees them as they are, as the
            published training code has it; VGG16 as LPIPS has it.
        heads: LPIPS' weights of channels, float (1, C, 1, 1), one for each layer.
    """

    def __init__(self, networks: Mapping[str, FrozenVgg], heads: Sequence[Tensor]) -> None:
        self.networks, self.heads = networks, tuple(heads)

    def to(self, device: torch.device, dtype: torch.dtype | None = None) -> Perceptual:
        """The same on a device, in half precision on a GPU and in float32 elsewhere, unless a number format is named.

        Float16 and not bfloat16, whose few digits put many a ReLU on the wrong side: on random networks its gradients
        lay at a cosine of 0.95 to the exact ones, those of float16 at 0.99.
        """
        dtype = dtype or (torch.float16 if device.type == "cuda" else torch.float32)
        wide = torch.promote_types(dtype, torch.float32)
        heads = [head.to(device, wide) for head in self.heads]
        return Perceptual({name: network.to(device, dtype) for name, network in self.networks.items()}, heads)

    def value_and_gradient(
        self, result: Tensor, target: Tensor, weights: Mapping[str, float]
    ) -> tuple[dict[str, Tensor], Tensor]:
        """Each term's weighted value, and the gradient of their sum by the result.

        Args:
            result, target: float (B, 3, h, w) in about [-1, 1].
            weights: of the terms in `NETWORKS`; those without one or with none are not computed.
        """
        values: dict[str, Tensor] = {}
        gradient = torch.zeros_like(result)
        for name, network in self.networks.items():
            layers = self._layers({term: weights.get(term, 0) for term, through in NETWORKS.items() if through == name})
            if layers:
                found, own = network.value_and_gradient(result, target, layers)
                values |= found
                gradient += own
        return values, gradient

    def _layers(self, weights: Mapping[str, float]) -> dict[str, dict[str, Term]]:
        """Terms of one network by layer and name, those that have a weight."""
        layers: dict[str, dict[str, Term]] = {}
        for name, weight in weights.items():
            for layer, term in self._of(name, weight).items() if weight else ():
                layers.setdefault(layer, {})[name] = term
        return layers

    def _of(self, name: str, weight: float) -> dict[str, Term]:
        if name == "style":
            return dict.fromkeys(
                perceptual_terms.STYLE_LAYERS, Term(perceptual_terms.style, weight, mean_over_pixels=False)
            )
        if name == "content":
            return dict.fromkeys(perceptual_terms.CONTENT_LAYERS, Term(perceptual_terms.content, weight))
        pairs = zip(perceptual_terms.LPIPS_LAYERS, self.heads, strict=True)
        return {layer: Term(partial(perceptual_terms.lpips, head=head), weight) for layer, head in pairs}


def upsample_if_small(image: Tensor, coarsest: bool) -> Tensor:
    """The coarsest result is doubled for the networks, bilinear: half the levels of a VGG would see nothing of it."""
    return resize(image, (2 * image.shape[-2], 2 * image.shape[-1])) if coarsest else image


def is_large_enough(coarsest: tuple[int, int]) -> bool:
    """Whether a pyramid whose coarsest result has these sides is large enough for the networks."""
    return min(coarsest) * 2 >= MIN_SIDE


def read_networks(vgg16: Path | None, vgg19: Path | None, heads: Path | None) -> Perceptual:
    """Read torchvision's networks and the LPIPS heads, as data, those that are given.

    Raises:
        WeightsError: a file is not what its name says.
    """
    networks: dict[str, FrozenVgg] = {}
    if vgg16 is not None:
        networks["vgg16"] = _read_vgg(vgg16, "vgg16", perceptual_terms.LPIPS_SHIFT, perceptual_terms.LPIPS_SCALE)
    if vgg19 is not None:
        networks["vgg19"] = _read_vgg(vgg19, "vgg19", (0.0,), (1.0,))
    return Perceptual(networks, [] if heads is None else _read_heads(heads))


def _read_vgg(path: Path, name: str, shift: Sequence[float], scale: Sequence[float]) -> FrozenVgg:
    state = _read(path, name)
    try:
        network = FrozenVgg.from_state(state, name, shift, scale)
    except KeyError as error:
        raise _wrong(path, name, f"no {error}") from error
    found = [tuple(layer.weight.shape) for layer in network.layers]
    widths = [width for width, count in zip(WIDTHS, BLOCKS[name], strict=True) for _ in range(count)]
    if found != [(own, before, 3, 3) for own, before in zip(widths, [3, *widths[:-1]], strict=True)]:
        raise _wrong(path, name, "other shapes")
    return network


def _read_heads(path: Path) -> list[Tensor]:
    state = _read(path, "LPIPS heads")
    try:
        heads = [state[f"lin{number}.model.1.weight"] for number in range(len(perceptual_terms.LPIPS_LAYERS))]
    except KeyError as error:
        raise _wrong(path, "LPIPS heads", f"no {error}") from error
    if [tuple(head.shape) for head in heads] != [(1, width, 1, 1) for width in WIDTHS]:
        raise _wrong(path, "LPIPS heads", "other shapes")
    return heads


def _read(path: Path, what: str) -> dict[str, Any]:
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # whatever pickle or zip say, the file is not what its name says
        raise _wrong(path, what, str(error).splitlines()[0]) from error
    if not isinstance(state, dict):
        raise _wrong(path, what, type(state).__name__)
    return state


def _wrong(path: Path, what: str, value: str) -> WeightsError:
    remedy = "Remove it and run `tryon download-weights`."
    return WeightsError(str(path), expected=f"holds the published {what}", found=value, hint=remedy)
