"""Bytes to the network's inputs, on the device and a batch at a time: mirroring, normalizing, hiding the garment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from tryon.errors import TryOnError, format_list
from tryon.loading.batch_loader import Batch

HIDDEN = -1.0
"""Value of hidden pixels: black. The released network and its recipe expect it."""


@dataclass(frozen=True)
class Inputs:
    """What the network takes and what it is compared with.

    Shapes: reference float (B, 6, H, W), the pose image then the agnostic person; garment, agnostic, person float
    (B, 3, H, W); all in [-1, 1]. mask (True = hidden), garment_mask bool (B, 1, H, W).
    """

    reference: Tensor
    garment: Tensor
    agnostic: Tensor
    person: Tensor
    mask: Tensor
    garment_mask: Tensor


def prepare(batch: Batch) -> Inputs:
    """Turn a batch into the network's inputs on the device it lies on, mirrored where it says so."""
    mask = mirror(batch.mask, batch.mirrored)
    person = normalize(mirror(batch.person, batch.mirrored))
    agnostic = apply_mask(person, mask)
    return Inputs(
        reference=torch.cat([normalize(batch.pose), agnostic], 1),
        garment=normalize(mirror(batch.garment, batch.mirrored)),
        agnostic=agnostic,
        person=person,
        mask=mask,
        garment_mask=mirror(batch.garment_mask, batch.mirrored),
    )


def normalize(images: Tensor) -> Tensor:
    """Bytes 0..255 to float32 -1..1; black is exactly -1 and white exactly 1."""
    return images.float().div_(127.5).sub_(1)


def denormalize(images: Tensor) -> Tensor:
    """Finite floats, clamped to -1..1, to bytes 0..255. The inverse of `normalize`."""
    return ((images.clamp(-1, 1) + 1) * 127.5).round().to(torch.uint8)


def check_finite(results: Tensor, pair_ids: Sequence[str]) -> None:
    """Stop when a network's result holds a number that is none: as bytes it would look like a black pixel.

    Args:
        results: float (B, 3, H, W).
        pair_ids: of the B rows.

    Raises:
        TryOnError: NaN or infinity in a result; the pairs are named.
    """
    finite = torch.isfinite(results).flatten(1).all(1).tolist()
    wrong = [pair_id for pair_id, fine in zip(pair_ids, finite, strict=True) if not fine]
    if wrong:
        remedy = (
            "The training of this network went astray: lower its lr or max_grad_norm in params.yaml and run it again."
        )
        raise TryOnError(f"the network's result for pairs {format_list(wrong)}", expected="is finite", hint=remedy)


def apply_mask(person: Tensor, mask: Tensor) -> Tensor:
    """The agnostic person: (B, 3, H, W) in [-1, 1] with the pixels of the mask, bool (B, 1, H, W), made black."""
    return person.masked_fill(mask, HIDDEN)


def mirror(images: Tensor, which: Tensor) -> Tensor:
    """Mirror the images (B, C, H, W) of which `which`, bool (B,) on the host, is True."""
    if not which.any():
        return images
    if which.all():
        return images.flip(-1)
    return torch.where(which.to(images.device)[:, None, None, None], images.flip(-1), images)
