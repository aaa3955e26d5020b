"""Flows as sampling grids: conversion from pixel offsets, composition and upsampling.

Source: arXiv 2207.09161, section 3, the deformable flows and their composition from one scale to the next.

Shape legend:
    B batch, k flows, h x w sides. Offsets and grids are (B·k, 2, h, w), channel 0 = x, channel 1 = y, flow-major
    per sample. Offsets are in pixels; grids in the normalized coordinates of `grid_sample`, about [-1, 1] inside
    the frame.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from tryon.daflow.config import GridKind


class Flow(NamedTuple):
    """Sampling grids of one branch (garment or person), and the weights of its k samples."""

    grid: Tensor
    """(B·k, 2, h, w), normalized coordinates."""
    attention: Tensor
    """(B, k, h, w). Sums to one over the flows after a cross or self step, over both branches after a refinement."""

    def upsample(self) -> Flow:
        """Double the sides, bilinear. Normalized coordinates need no scaling."""
        return Flow(_doubled(self.grid), _doubled(self.attention))


class Flows(NamedTuple):
    """Flows of both branches, passed from one scale to the next."""

    garment: Flow
    person: Flow

    def upsample(self) -> Flows:
        """Double the sides of both."""
        return Flows(self.garment.upsample(), self.person.upsample())


def offsets_to_grid(offsets: Tensor, kind: GridKind) -> Tensor:
    """Convert pixel offsets to the grid that samples each pixel p at p + offset.

    "published" maps pixel x to x / ((w - 1) / 2) - 1, although sampling uses align_corners=False: zero offsets then
    stretch the image by w / (w - 1). That mismatch is part of the published network and its weights. "identity"
    maps x to (2x + 1) / w - 1, under which zero offsets sample every pixel exactly at itself.

    Args:
        offsets: (B·k, 2, h, w), pixels, sides of at least 2. Half precision is widened: it cannot resolve pixels.
        kind: normalization convention.

    Returns:
        (B·k, 2, h, w), normalized coordinates, float32 or float64.
    """
    if offsets.dtype in (torch.float16, torch.bfloat16):
        offsets = offsets.float()
    height, width = offsets.shape[-2:]
    scale_x, start_x = _pixel_map(width, kind)
    scale_y, start_y = _pixel_map(height, kind)
    columns = torch.arange(width, dtype=offsets.dtype, device=offsets.device) * scale_x + start_x
    rows = torch.arange(height, dtype=offsets.dtype, device=offsets.device).view(height, 1) * scale_y + start_y
    x = torch.add(columns, offsets[:, 0], alpha=scale_x)
    y = torch.add(rows, offsets[:, 1], alpha=scale_y)
    return torch.stack((x, y), dim=1)


def _pixel_map(side: int, kind: GridKind) -> tuple[float, float]:
    """Return scale and offset of the map from a pixel's index to its normalized coordinate."""
    return (2 / (side - 1), -1.0) if kind == "published" else (2 / side, 1 / side - 1)


def sample(maps: Tensor, grid: Tensor) -> Tensor:
    """Sample maps at a grid: bilinear, the border replicated outside the frame.

    This also composes flows: a grid is itself a map of two channels, and `sample(previous, grid)` follows `grid`
    first and `previous` from there.

    Args:
        maps: (N, c, h, w).
        grid: (N, 2, H, W), normalized coordinates.

    Returns:
        (N, c, H, W).
    """
    return F.grid_sample(maps, grid.permute(0, 2, 3, 1), mode="bilinear", padding_mode="border", align_corners=False)


def _doubled(maps: Tensor) -> Tensor:
    return F.interpolate(maps, scale_factor=2.0, mode="bilinear", align_corners=False)
