"""The truth that photographs cannot give: surface coordinates, flow of the cloth, and what hides it."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from tryon.synthetic.paint.curves import Array
from tryon.synthetic.paint.raster import Floats, RasterizedMesh, interpolate, upsample

VISIBLE, OCCLUDED = 1, 2
"""Values of `Truth.cover` where the garment is; 0 elsewhere."""


@dataclass(frozen=True)
class GroundTruthPlanes:
    """Exact planes beside a photo.

    Args:
        uv: float32 (H, W, 2), DensePose surface coordinates 0..1; 0 where there is no body.
        flow: float32 (H, W, 2), for every pixel of the garment of the pair the x and y of its thread in the garment's
            catalogue image, also where something painted later hides it; 0 elsewhere.
        cover: uint8 (H, W), 1 where the garment of the pair is seen, 2 where it is but something hides it, else 0.
    """

    uv: Floats
    flow: Floats
    cover: NDArray[np.uint8]


def empty_ground_truth(size: tuple[int, ...]) -> GroundTruthPlanes:
    """Planes on which nothing is painted yet; `size` is (height, width)."""
    return GroundTruthPlanes(
        np.zeros((*size, 2), np.float32), np.zeros((*size, 2), np.float32), np.zeros(size, np.uint8)
    )


def write_ground_truth(
    truth: GroundTruthPlanes,
    placed: RasterizedMesh,
    seen: NDArray[np.uint8],
    body: bool,
    uv: Array | None,
    flat: Array | None,
) -> None:
    """Write one layer's part of the planes.

    Args:
        truth: changed.
        placed: where the layer lies.
        seen: uint8 (h, w), 255 where the layer is seen, 0 elsewhere.
        body: whether the layer is a part of DensePose.
        uv: (R, C, 2), surface coordinates of the mesh's points; 0 where there are none.
        flat: (R, C, 2), pixels of the catalogue image; None for what is not the garment of the pair.
    """
    if body:
        under = placed.window.crop(truth.uv)
        cv2.copyTo(np.zeros_like(under) if uv is None else _known(uv, placed), seen, under)
    cover = placed.window.crop(truth.cover)
    if flat is None:
        hidden = seen & -(cover > 0).view(np.uint8)
        np.bitwise_or(cover & ~hidden, hidden & np.uint8(OCCLUDED), out=cover)
    else:
        np.bitwise_or(cover & ~seen, seen & np.uint8(VISIBLE), out=cover)
        cv2.copyTo(_known(flat, placed), seen, placed.window.crop(truth.flow))


def _known(values: Array, placed: RasterizedMesh) -> Floats:
    x, y = (upsample(plane, placed.window) for plane in interpolate(placed, values[..., 0], values[..., 1]))
    return cv2.merge([x, y])  # pyright: ignore[reportReturnType]
