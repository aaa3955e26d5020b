"""Perceptual terms of the published loss: LPIPS on VGG16, style and content on VGG19."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from tryon.errors import WeightsError
from tryon.training.losses.perceptual_terms import (
    CONTENT_LAYERS,
    LPIPS_LAYERS,
    LPIPS_SCALE,
    LPIPS_SHIFT,
    STYLE_LAYERS,
    content,
    lpips,
    style,
)
from tryon.training.losses.pixel_terms import resize
from tryon.training.losses.vgg import BLOCKS, MIN_SIDE, WIDTHS, FrozenVgg, Term

TERM_NETWORKS = {"lpips": "vgg16", "style": "vgg19", "content": "vgg19"}
"""Network of each term, by its name in `tryon.pretrained_weights.WEIGHTS`."""


class Perceptual:
    """LPIPS, style and content of a result, with their gradient.

    Args:
        networks: the needed networks by name, for images in [-1, 1]. As in the published code, VGG19 takes them
            unnormalized; VGG16 normalizes as LPIPS does.
        heads: channel weights of LPIPS, float (1, C, 1, 1), one per layer.
    """

    def __init__(self, networks: Mapping[str, FrozenVgg], heads: Sequence[Tensor]) -> None:
        self.networks, self.heads = networks, tuple(heads)

    def to(self, device: torch.device, dtype: torch.dtype | None = None) -> Perceptual:
        """Move to a device, by default in float16 on a GPU and float32 elsewhere.

        bfloat16 rounds many ReLU inputs across zero: on random networks the cosine of its gradients to the exact ones
        was 0.95, that of float16 0.99.
        """
        dtype = dtype or (torch.float16 if device.type == "cuda" else torch.float32)
        wide = torch.promote_types(dtype, torch.float32)
        heads = [head.to(device, wide) for head in self.heads]
        return Perceptual({name: network.to(device, dtype) for name, network in self.networks.items()}, heads)

    def value_and_gradient(
        self, result: Tensor, target: Tensor, weights: Mapping[str, float]
    ) -> tuple[dict[str, Tensor], Tensor]:
        """Compute each weighted term, and the gradient of their sum with respect to the result.

        Args:
            result, target: float (B, 3, h, w) in about [-1, 1].
            weights: of the terms in `NETWORKS`; terms without a weight are not computed.
        """
        values: dict[str, Tensor] = {}
        gradient = torch.zeros_like(result)
        for name, network in self.networks.items():
            layers = self._layers({term: weights.get(term, 0) for term, used in TERM_NETWORKS.items() if used == name})
            if layers:
                network_values, network_grad = network.value_and_gradient(result, target, layers)
                values |= network_values
                gradient += network_grad
        return values, gradient

    def _layers(self, weights: Mapping[str, float]) -> dict[str, dict[str, Term]]:
        """Return the terms with a weight by layer and name."""
        layers: dict[str, dict[str, Term]] = {}
        for name, weight in weights.items():
            for layer, term in self._layer_terms(name, weight).items() if weight else ():
                layers.setdefault(layer, {})[name] = term
        return layers

    def _layer_terms(self, name: str, weight: float) -> dict[str, Term]:
        if name == "style":
            return dict.fromkeys(STYLE_LAYERS, Term(style, weight, mean_over_pixels=False))
        if name == "content":
            return dict.fromkeys(CONTENT_LAYERS, Term(content, weight))
        pairs = zip(LPIPS_LAYERS, self.heads, strict=True)
        return {layer: Term(partial(lpips, head=head), weight) for layer, head in pairs}


def upsample_if_small(image: Tensor, coarsest: bool) -> Tensor:
    """Double the coarsest result, bilinear, which is too small for half the levels of a VGG."""
    return resize(image, (2 * image.shape[-2], 2 * image.shape[-1])) if coarsest else image


def is_large_enough(coarsest: tuple[int, int]) -> bool:
    """Return whether the networks support a coarsest result of these sides."""
    return min(coarsest) * 2 >= MIN_SIDE


def read_networks(vgg16: Path | None, vgg19: Path | None, heads: Path | None) -> Perceptual:
    """Read torchvision's networks and the LPIPS heads; None skips a file. Raises WeightsError for other files."""
    networks: dict[str, FrozenVgg] = {}
    if vgg16 is not None:
        networks["vgg16"] = _read_vgg(vgg16, "vgg16", LPIPS_SHIFT, LPIPS_SCALE)
    if vgg19 is not None:
        networks["vgg19"] = _read_vgg(vgg19, "vgg19", (0.0,), (1.0,))
    return Perceptual(networks, [] if heads is None else _read_heads(heads))


def _read_vgg(path: Path, name: str, shift: Sequence[float], scale: Sequence[float]) -> FrozenVgg:
    state = _read(path, name)
    try:
        network = FrozenVgg.from_state(state, name, shift, scale)
    except KeyError as error:
        raise _wrong_file(path, name, f"no {error}") from error
    shapes = [tuple(layer.weight.shape) for layer in network.layers]
    widths = [width for width, count in zip(WIDTHS, BLOCKS[name], strict=True) for _ in range(count)]
    if shapes != [(outputs, inputs, 3, 3) for outputs, inputs in zip(widths, [3, *widths[:-1]], strict=True)]:
        raise _wrong_file(path, name, "other shapes")
    return network


def _read_heads(path: Path) -> list[Tensor]:
    state = _read(path, "LPIPS heads")
    try:
        heads = [state[f"lin{number}.model.1.weight"] for number in range(len(LPIPS_LAYERS))]
    except KeyError as error:
        raise _wrong_file(path, "LPIPS heads", f"no {error}") from error
    if [tuple(head.shape) for head in heads] != [(1, width, 1, 1) for width in WIDTHS]:
        raise _wrong_file(path, "LPIPS heads", "other shapes")
    return heads


def _read(path: Path, kind: str) -> dict[str, Any]:
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # any error of pickle or zip
        raise _wrong_file(path, kind, str(error).splitlines()[0]) from error
    if not isinstance(state, dict):
        raise _wrong_file(path, kind, type(state).__name__)
    return state


def _wrong_file(path: Path, kind: str, found: str) -> WeightsError:
    return WeightsError(
        f"{path} does not hold the published {kind}", found=found, hint="Remove it and run `tryon download-weights`."
    )
