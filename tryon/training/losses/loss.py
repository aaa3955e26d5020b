"""The loss of a training step: its terms at every scale, and their gradients, one scale after the other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from tryon.training.losses.perceptual import Perceptual, upsample_if_small
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


@dataclass(frozen=True)
class LossTargets:
    """What results are compared with.

    Shapes: person float (B, 3, H, W) in [-1, 1], the true image; hidden bool (B, 1, H, W), pixels that the network
    was not shown; garment bool (B, 1, H, W), pixels of the worn garment.
    """

    person: Tensor
    mask: Tensor
    garment: Tensor


@dataclass
class LossValue:
    """A loss.

    Args:
        total: float scalar; going back through it hands every result its gradient, computed already.
        terms: the shares of its terms by name, float scalars that sum to it.
    """

    total: Tensor
    terms: dict[str, Tensor] = field(default_factory=dict)


class Loss:
    """Sum over scales of (scale + 1) times the terms at that scale, each as much as the settings say.

    The published recipe is L1 + LPIPS + 100 style + 0.1 content (DAFlow, ECCV 2022, section 3.4 and the training
    code). Results are detached and each scale's gradient is computed before the next scale's features are, so that
    there is never more than one scale's in memory; one pass back through the network then takes all of them. The
    gradients are those of the plain sum.

    Args:
        settings: which terms, how much of each.
        perceptual: the networks that `settings.perceptual` asks for; None for `none`.
    """

    def __init__(self, settings: LossSettings, perceptual: Perceptual | None = None) -> None:
        assert (perceptual is None) == (settings.perceptual == "none")
        self.settings, self.perceptual = settings, perceptual

    def to(self, device: torch.device) -> Loss:
        """The same on a device."""
        return Loss(self.settings, self.perceptual and self.perceptual.to(device))

    @property
    def term_names(self) -> tuple[str, ...]:
        """Terms that have a weight, those in `LossValue.terms`."""
        pixels = ("l1", "image_gradient", "flow_smoothness")
        seen = ("lpips", "style", "content") if self.perceptual else ()
        return tuple(name for name in (*pixels, *seen) if getattr(self.settings, name))

    @contextmanager
    def capturing_offsets(self, network: nn.Module) -> Iterator[list[Tensor]]:
        """Around a forward pass of `network`: a list that takes what the loss needs besides the results."""
        if self.settings.flow_smoothness:
            with capture_offsets(network) as offsets:
                yield offsets
        else:
            yield []

    def __call__(self, results: Sequence[Tensor], targets: LossTargets, offsets: Sequence[Tensor] = ()) -> LossValue:
        """Loss of a batch.

        Args:
            results: float (B, 3, h, w), coarsest first.
            truth: brought to each scale as the network brings its own inputs there: bilinear, no antialiasing.
            offsets: what `watching` gave, from the same forward pass.
        """
        terms: dict[str, Tensor] = {}
        shares = scale_weights(len(results), self.settings.scale_weight_exponent)
        gradients = [self._scale(scale, result, targets, shares[scale], terms) for scale, result in enumerate(results)]
        for number, offset in enumerate(offsets):
            gradients.append(self._offsets(offset, shares[number // ESTIMATORS_PER_SCALE], terms))
        total = sum(terms.values(), start=results[0].new_zeros(()))
        return LossValue(_PrecomputedGradient.apply(total, *results, *offsets, *gradients), terms)

    def _scale(self, scale: int, result: Tensor, truth: LossTargets, share: float, terms: dict[str, Tensor]) -> Tensor:
        """Add one scale's share to the terms; its gradient by the result."""
        size = (result.shape[-2], result.shape[-1])
        target = resize(truth.person, size)
        leaf = result.detach().requires_grad_()
        with torch.enable_grad():
            found = self._pixel_terms(leaf, target, truth, size)
            gradient = _backward_term({name: share * value for name, value in found.items()}, leaf, terms)
            if self.perceptual is None:
                return gradient
            seen, wanted = (upsample_if_small(image, scale == 0) for image in (leaf, target))
        weights = {name: share * getattr(self.settings, name) for name in ("lpips", "style", "content")}
        values, by_seen = self.perceptual.value_and_gradient(seen.detach(), wanted, weights)
        _accumulate(values, terms)
        return gradient + (by_seen if seen is leaf else torch.autograd.grad(seen, leaf, by_seen)[0])

    def _pixel_terms(
        self, result: Tensor, target: Tensor, truth: LossTargets, size: tuple[int, int]
    ) -> dict[str, Tensor]:
        settings = self.settings
        found: dict[str, Tensor] = {}
        if settings.l1:
            weight = masked_weights(truth.mask, settings.masked_weight)
            found["l1"] = settings.l1 * l1(result, target, None if weight is None else resize(weight, size))
        if settings.image_gradient:
            found["image_gradient"] = settings.image_gradient * image_gradient(
                result, target, resize(truth.garment.to(result.dtype), size)
            )
        return found

    def _offsets(self, offset: Tensor, share: float, terms: dict[str, Tensor]) -> Tensor:
        leaf = offset.detach().requires_grad_()
        with torch.enable_grad():
            bend = share * self.settings.flow_smoothness / ESTIMATORS_PER_SCALE * flow_smoothness(leaf)
        return _backward_term({"flow_smoothness": bend}, leaf, terms)


def scale_weights(count: int, exponent: float) -> list[float]:
    """Weights of the scales, coarsest first: (n + 1)**power, brought to the sum that they have at the published 1."""
    weights = [float(n + 1) ** exponent for n in range(count)]
    return [weight * (count * (count + 1) / 2) / sum(weights) for weight in weights]


def _backward_term(found: dict[str, Tensor], leaf: Tensor, terms: dict[str, Tensor]) -> Tensor:
    """Add values to the terms; the gradient of their sum by the leaf."""
    _accumulate({name: value.detach() for name, value in found.items()}, terms)
    return torch.autograd.grad([*found.values()], leaf)[0] if found else torch.zeros_like(leaf)


def _accumulate(values: dict[str, Tensor], terms: dict[str, Tensor]) -> None:
    for name, value in values.items():
        terms[name] = terms[name] + value if name in terms else value


class _PrecomputedGradient(torch.autograd.Function):
    """A number whose gradients by the tensors that it came from are known."""

    @staticmethod
    def forward(ctx: Any, value: Tensor, *tensors: Tensor) -> Tensor:
        ctx.save_for_backward(*tensors[len(tensors) // 2 :])  # the first half is what they are the gradients by
        return value.clone()

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *outer: Tensor) -> tuple[Tensor | None, ...]:  # pyright: ignore[reportIncompatibleMethodOverride]
        gradients = ctx.saved_tensors
        return None, *(outer[0] * gradient for gradient in gradients), *(None for _ in gradients)
