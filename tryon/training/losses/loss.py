"""The training loss: its terms at every scale, with gradients computed scale by scale."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from tryon.training.losses.perceptual import TERM_NETWORKS, Perceptual, upsample_if_small
from tryon.training.losses.pixel_terms import (
    ESTIMATORS_PER_SCALE,
    capture_offsets,
    flow_smoothness,
    image_gradient,
    l1,
    masked_weights,
    resize,
)

if TYPE_CHECKING:
    from tryon.config.training import LossSettings

PERCEPTUAL_TERMS = tuple(TERM_NETWORKS)


@dataclass(frozen=True)
class LossTargets:
    """Ground truth of a batch.

    Shapes: person float (B, 3, H, W) in [-1, 1]; mask bool (B, 1, H, W), pixels masked in the network's input; garment
    bool (B, 1, H, W), pixels of the worn garment.
    """

    person: Tensor
    mask: Tensor
    garment: Tensor


@dataclass
class LossValue:
    """A loss value.

    Args:
        total: float scalar; its backward distributes gradients that are computed already.
        terms: weighted terms by name, float scalars that sum to it.
    """

    total: Tensor
    terms: dict[str, Tensor] = field(default_factory=dict)


class Loss:
    """Weighted sum over scales of the weighted terms.

    The published loss is L1 + LPIPS + 100 style + 0.1 content, scaled by scale + 1 (DAFlow, ECCV 2022, section 3.4
    and the training code). Results are detached, and each scale's gradient is computed before the next scale's
    features, so that only one scale's features are in memory; one backward pass through the network then takes all of
    them. The gradients equal those of the plain sum.

    Args:
        settings: weights of the terms.
        perceptual: networks for `settings.perceptual`; None for `none`.
    """

    def __init__(self, settings: LossSettings, perceptual: Perceptual | None = None) -> None:
        assert (perceptual is None) == (settings.perceptual == "none")
        self.settings, self.perceptual = settings, perceptual

    def to(self, device: torch.device) -> Loss:
        """Move the networks to a device."""
        return Loss(self.settings, self.perceptual and self.perceptual.to(device))

    @property
    def term_names(self) -> tuple[str, ...]:
        """Terms with a nonzero weight, the keys of `LossValue.terms`."""
        names = ("l1", "image_gradient", "flow_smoothness", *(PERCEPTUAL_TERMS if self.perceptual else ()))
        return tuple(name for name in names if getattr(self.settings, name))

    @contextmanager
    def capturing_offsets(self, network: nn.Module) -> Iterator[list[Tensor]]:
        """Capture the flow offsets of a forward pass of `network`, if the loss needs them."""
        if self.settings.flow_smoothness:
            with capture_offsets(network) as offsets:
                yield offsets
        else:
            yield []

    def __call__(self, results: Sequence[Tensor], targets: LossTargets, offsets: Sequence[Tensor] = ()) -> LossValue:
        """Compute the loss of a batch.

        Args:
            results: float (B, 3, h, w), coarsest first.
            targets: resized to each scale like the network's inputs: bilinear, no antialiasing.
            offsets: from `capturing_offsets`, of the same forward pass.
        """
        terms: dict[str, Tensor] = {}
        weights = scale_weights(len(results), self.settings.scale_weight_exponent)
        gradients = [self._scale(scale, result, targets, weights[scale], terms) for scale, result in enumerate(results)]
        for number, offset in enumerate(offsets):
            gradients.append(self._offsets(offset, weights[number // ESTIMATORS_PER_SCALE], terms))
        total = sum(terms.values(), start=results[0].new_zeros(()))
        return LossValue(_PrecomputedGradient.apply(total, *results, *offsets, *gradients), terms)

    def _scale(
        self, scale: int, result: Tensor, targets: LossTargets, scale_weight: float, terms: dict[str, Tensor]
    ) -> Tensor:
        """Add one scale to the terms, and return the gradient with respect to its result."""
        size = (result.shape[-2], result.shape[-1])
        target = resize(targets.person, size)
        leaf = result.detach().requires_grad_()
        with torch.enable_grad():
            pixel_terms = self._pixel_terms(leaf, target, targets, size)
            gradient = _add_terms({name: scale_weight * value for name, value in pixel_terms.items()}, leaf, terms)
            if self.perceptual is None:
                return gradient
            upsampled, upsampled_target = (upsample_if_small(image, scale == 0) for image in (leaf, target))
        weights = {name: scale_weight * getattr(self.settings, name) for name in PERCEPTUAL_TERMS}
        values, upsampled_grad = self.perceptual.value_and_gradient(upsampled.detach(), upsampled_target, weights)
        _accumulate(values, terms)
        if upsampled is leaf:
            return gradient + upsampled_grad
        return gradient + torch.autograd.grad(upsampled, leaf, upsampled_grad)[0]

    def _pixel_terms(
        self, result: Tensor, target: Tensor, targets: LossTargets, size: tuple[int, int]
    ) -> dict[str, Tensor]:
        settings = self.settings
        terms: dict[str, Tensor] = {}
        if settings.l1:
            weight = masked_weights(targets.mask, settings.masked_weight)
            terms["l1"] = settings.l1 * l1(result, target, None if weight is None else resize(weight, size))
        if settings.image_gradient:
            garment = resize(targets.garment.to(result.dtype), size)
            terms["image_gradient"] = settings.image_gradient * image_gradient(result, target, garment)
        return terms

    def _offsets(self, offset: Tensor, scale_weight: float, terms: dict[str, Tensor]) -> Tensor:
        leaf = offset.detach().requires_grad_()
        with torch.enable_grad():
            value = scale_weight * self.settings.flow_smoothness / ESTIMATORS_PER_SCALE * flow_smoothness(leaf)
        return _add_terms({"flow_smoothness": value}, leaf, terms)


def scale_weights(count: int, exponent: float) -> list[float]:
    """Return (n + 1)**exponent for scale n, coarsest first, normalized to the sum at the published exponent 1."""
    weights = [float(n + 1) ** exponent for n in range(count)]
    return [weight * (count * (count + 1) / 2) / sum(weights) for weight in weights]


def _add_terms(values: dict[str, Tensor], leaf: Tensor, terms: dict[str, Tensor]) -> Tensor:
    """Add values to the terms, and return the gradient of their sum with respect to the leaf."""
    _accumulate({name: value.detach() for name, value in values.items()}, terms)
    return torch.autograd.grad([*values.values()], leaf)[0] if values else torch.zeros_like(leaf)


def _accumulate(values: dict[str, Tensor], terms: dict[str, Tensor]) -> None:
    for name, value in values.items():
        terms[name] = terms[name] + value if name in terms else value


class _PrecomputedGradient(torch.autograd.Function):
    """A scalar with known gradients with respect to its inputs."""

    @staticmethod
    def forward(ctx: Any, value: Tensor, *tensors: Tensor) -> Tensor:
        ctx.save_for_backward(
            *tensors[len(tensors) // 2 :]
        )  # the first half are the inputs, the second their gradients
        return value.clone()

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Tensor | None, ...]:  # pyright: ignore[reportIncompatibleMethodOverride]
        gradients = ctx.saved_tensors
        return None, *(grad_outputs[0] * gradient for gradient in gradients), *(None for _ in gradients)
