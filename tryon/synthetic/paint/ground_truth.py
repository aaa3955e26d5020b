"""Compose the dense ground truth: DensePose UV, garment flow and visibility of the garment."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from tryon.synthetic.paint.curves import Array
from tryon.synthetic.paint.raster import Floats, RasterizedMesh, interpolate, upsample

VISIBLE, OCCLUDED = 1, 2
"""Values of `GroundTruthPlanes.cover` on the garment; 0 elsewhere."""


@dataclass(frozen=True)
class GroundTruthPlanes:
    """Dense ground truth of a photo.

    Args:
        uv: float32 (H, W, 2), DensePose surface coordinates 0..1; 0 off the body.
        flow: float32 (H, W, 2), x and y of each pixel of the pair's garment in its catalogue image, also where a later
            layer occludes it; 0 elsewhere.
        cover: uint8 (H, W), `VISIBLE` or `OCCLUDED` on the pair's garment, else 0.
    """

    uv: Floats
    flow: Floats
    cover: NDArray[np.uint8]


def empty_ground_truth(size: tuple[int, ...]) -> GroundTruthPlanes:
    """Return planes of zeros; `size` is (height, width)."""
    uv, flow = (np.zeros((*size, 2), np.float32) for _ in range(2))
    return GroundTruthPlanes(uv, flow, np.zeros(size, np.uint8))


def write_ground_truth(
    truth: GroundTruthPlanes,
    mesh: RasterizedMesh,
    visible: NDArray[np.uint8],
    is_body: bool,
    uv: Array | None,
    flat_coordinates: Array | None,
) -> None:
    """Write the pixels of one layer.

    Args:
        truth: planes to change.
        mesh: the rasterized layer.
        visible: uint8 (h, w), 255 on the layer's pixels, 0 elsewhere.
        is_body: whether the layer has DensePose ids.
        uv: (R, C, 2), surface coordinates at the mesh's points, or None for 0.
        flat_coordinates: (R, C, 2), pixels of the catalogue image; None unless the layer is the pair's garment.
    """
    if is_body:
        target = mesh.window.crop(truth.uv)
        cv2.copyTo(np.zeros_like(target) if uv is None else _interpolate_xy(uv, mesh), visible, target)
    cover = mesh.window.crop(truth.cover)
    if flat_coordinates is None:
        occluded = visible & -(cover > 0).view(np.uint8)
        np.bitwise_or(cover & ~occluded, occluded & np.uint8(OCCLUDED), out=cover)
    else:
        np.bitwise_or(cover & ~visible, visible & np.uint8(VISIBLE), out=cover)
        cv2.copyTo(_interpolate_xy(flat_coordinates, mesh), visible, mesh.window.crop(truth.flow))


def _interpolate_xy(values: Array, mesh: RasterizedMesh) -> Floats:
    x, y = (upsample(plane, mesh.window) for plane in interpolate(mesh, values[..., 0], values[..., 1]))
    return cv2.merge([x, y])  # pyright: ignore[reportReturnType]
