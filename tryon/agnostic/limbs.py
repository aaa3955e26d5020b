"""Shapes along the joints: the convex hull of discs, and chains of them. Unknown points (NaN) draw nothing."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from tryon.agnostic.regions import Region

_TURN = np.linspace(0, 2 * np.pi, 17)[:-1]
_RING = np.stack([np.cos(_TURN), np.sin(_TURN)], 1)
_SHIFT = 4  # fractional bits in OpenCV's drawing coordinates


def fill_hull(region: Region, centres: NDArray[np.floating], radii: Sequence[float]) -> None:
    """Fill the convex hull of discs, in place; nothing when a centre is unknown.

    Args:
        region: uint8 (H, W), set to 1 inside the hull.
        centres: float (N, 2), x and y in pixels.
        radii: N radii in pixels.
    """
    if not np.isfinite(centres).all():
        return
    outline = (centres[:, None] + np.asarray(radii)[:, None, None] * _RING).reshape(-1, 2)
    fill_outline(region, outline)


def fill_disc(region: Region, centre: NDArray[np.floating], radius: float) -> None:
    """Fill a disc around `centre` (2,), in place; nothing when it is unknown. A third of the time of a hull."""
    reach = 4 * max(region.shape)
    x, y = float(centre[0]), float(centre[1])
    if abs(x) < reach and abs(y) < reach:
        fixed = (round(x * 2**_SHIFT), round(y * 2**_SHIFT))
        cv2.circle(region, fixed, round(min(radius, reach) * 2**_SHIFT), (1,), cv2.FILLED, cv2.LINE_8, _SHIFT)


def fill_outline(region: Region, points: NDArray[np.floating]) -> None:
    """Fill the convex hull of points (N, 2), in place."""
    reach = 4 * max(region.shape)  # what lies farther away cannot be told apart, and would overflow
    fixed = np.round(np.clip(points, -reach, reach) * 2**_SHIFT).astype(np.int32)
    cv2.fillConvexPoly(region, cv2.convexHull(fixed), (1,), cv2.LINE_8, _SHIFT)


def fill_chain(region: Region, points: NDArray[np.floating], radii: Sequence[float]) -> None:
    """Fill a limb, in place: tapered capsules between neighbouring points; unknown points are passed over."""
    known = [index for index in range(len(points)) if np.isfinite(points[index]).all()]
    for start, end in pairwise(known):
        fill_hull(region, points[[start, end]], [radii[start], radii[end]])


def fill_end(
    region: Region, last: NDArray[np.floating], before: NDArray[np.floating], radius: float, gap: float = 0.0
) -> None:
    """Fill the disc that touches a limb's end from outside (a hand beyond its wrist), in place.

    Args:
        region: uint8 (H, W), set to 1 inside the disc.
        last: (2,) the limb's last joint.
        before: (2,) the joint before it; gives the direction.
        radius: of the disc, pixels.
        gap: left free between the joint and the disc, pixels.
    """
    step = last - before
    length = float(np.hypot(*step))
    if np.isfinite(length) and length > 0:
        fill_disc(region, last + step / length * (radius + gap), radius)
