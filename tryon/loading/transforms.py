"""From batches of bytes to network inputs, on the device: mirroring, normalization and masking."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from tryon.errors import TryOnError, format_list
from tryon.loading.batch_loader import Batch

MASKED_VALUE = -1.0
"""Value of masked pixels: black, as the published network expects."""


@dataclass(frozen=True)
class Inputs:
    """Inputs of the network, and the person as ground truth.

    Shapes: reference float (B, 6, H, W), the pose image then the agnostic person; garment, agnostic, person float
    (B, 3, H, W); all in [-1, 1]. mask (True = masked), garment_mask bool (B, 1, H, W).
    """

    reference: Tensor
    garment: Tensor
    agnostic: Tensor
    person: Tensor
    mask: Tensor
    garment_mask: Tensor


def prepare(batch: Batch) -> Inputs:
    """Convert a batch to network inputs on its device, mirroring the rows that are marked."""
    mask = mirror(batch.mask, batch.mirrored)
    person = normalize(mirror(batch.person, batch.mirrored))
    agnostic = mask_person(person, mask)
    return Inputs(
        reference=torch.cat([normalize(batch.pose), agnostic], 1),
        garment=normalize(mirror(batch.garment, batch.mirrored)),
        agnostic=agnostic,
        person=person,
        mask=mask,
        garment_mask=mirror(batch.garment_mask, batch.mirrored),
    )


def normalize(images: Tensor) -> Tensor:
    """Convert bytes 0..255 to float32 in [-1, 1]."""
    return images.float().div_(127.5).sub_(1)


def denormalize(images: Tensor) -> Tensor:
    """Convert finite floats, clamped to [-1, 1], to bytes 0..255."""
    return ((images.clamp(-1, 1) + 1) * 127.5).round().to(torch.uint8)


def check_finite(results: Tensor, pair_ids: Sequence[str]) -> None:
    """Raise TryOnError, naming the pairs, if results, float (B, 3, H, W), are not finite: NaN would become black."""
    finite = torch.isfinite(results).flatten(1).all(1).tolist()
    invalid = [pair_id for pair_id, is_finite in zip(pair_ids, finite, strict=True) if not is_finite]
    if invalid:
        raise TryOnError(
            f"network output is not finite for pairs {format_list(invalid)}",
            hint="Training diverged: lower lr or max_grad_norm in params.yaml and train again.",
        )


def mask_person(person: Tensor, mask: Tensor) -> Tensor:
    """Paint the masked pixels, bool (B, 1, H, W), of a person (B, 3, H, W) in [-1, 1] black."""
    return person.masked_fill(mask, MASKED_VALUE)


def mirror(images: Tensor, selected: Tensor) -> Tensor:
    """Mirror the images (B, C, H, W) that are `selected`, bool (B,) on the host."""
    if not selected.any():
        return images
    if selected.all():
        return images.flip(-1)
    return torch.where(selected.to(images.device)[:, None, None, None], images.flip(-1), images)
