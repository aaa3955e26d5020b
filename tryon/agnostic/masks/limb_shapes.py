"""Draw shapes along joints: convex hulls of discs, limbs and limb ends. Unknown points (NaN) draw nothing.

Points are complex numbers, x + yi in pixels, as in `tryon.agnostic.masks.body`.
"""

from __future__ import annotations

import cmath
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from tryon.agnostic.masks.regions import Mask

_TURN = np.linspace(0, 2 * np.pi, 17)[:-1]
_CIRCLE = np.cos(_TURN) + 1j * np.sin(_TURN)
_SHIFT = 4  # fractional bits in OpenCV's drawing coordinates


def fill_hull(region: Mask, centers: Sequence[complex], radii: Sequence[float]) -> None:
    """Fill the convex hull of discs, in place; nothing if a center is unknown."""
    if all(map(cmath.isfinite, centers)):
        discs = np.array(centers)[:, None] + np.array(radii)[:, None] * _CIRCLE
        fill_outline(region, discs.view(np.float64).reshape(-1, 2))


def fill_disc(region: Mask, center: complex, radius: float) -> None:
    """Fill a disc, in place; nothing if its center is unknown. It takes a third of the time of a hull."""
    reach = 4 * max(region.shape)
    if abs(center.real) < reach and abs(center.imag) < reach:
        fixed = (round(center.real * 2**_SHIFT), round(center.imag * 2**_SHIFT))
        cv2.circle(region, fixed, round(min(radius, reach) * 2**_SHIFT), (1,), cv2.FILLED, cv2.LINE_8, _SHIFT)


def fill_outline(region: Mask, points: NDArray[np.floating]) -> None:
    """Fill the convex hull of points (N, 2), x and y in pixels, in place."""
    cv2.fillConvexPoly(region, cv2.convexHull(_fixed_point(region, points)), (1,), cv2.LINE_8, _SHIFT)


def fill_limbs(region: Mask, limbs: Sequence[Sequence[complex]], width: float) -> None:
    """Fill limbs, in place: all pixels within half a width of the lines between neighboring points.

    Unknown points are skipped, and limbs with fewer than two known points. The width is rounded, at least one pixel.
    """
    known = [[point for point in limb if cmath.isfinite(point)] for limb in limbs]
    points = [np.array(limb).view(np.float64).reshape(-1, 2) for limb in known if len(limb) > 1]
    lines = [_fixed_point(region, limb) for limb in points]
    cv2.polylines(region, lines, False, (1,), max(1, round(width)), cv2.LINE_8, _SHIFT)


def fill_end(region: Mask, last: complex, before: complex, radius: float) -> None:
    """Fill the disc beyond a limb's last joint, in the direction from the joint before it, in place."""
    step = last - before
    if cmath.isfinite(step) and step:
        fill_disc(region, last + step / abs(step) * radius, radius)


def _fixed_point(region: Mask, points: NDArray[np.floating]) -> NDArray[np.int32]:
    """Convert to OpenCV's drawing coordinates, clipped before they overflow."""
    reach = 4 * max(region.shape)
    return np.rint(np.minimum(np.maximum(points, -reach), reach) * 2**_SHIFT).astype(np.int32)
