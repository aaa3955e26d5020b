"""Shapes along the joints: the convex hull of discs, and chains of them. Unknown points (NaN) draw nothing.

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
_RING = np.cos(_TURN) + 1j * np.sin(_TURN)
_SHIFT = 4  # fractional bits in OpenCV's drawing coordinates


def fill_hull(region: Mask, centers: Sequence[complex], radii: Sequence[float]) -> None:
    """Fill the convex hull of discs, in place; nothing when a center is unknown.

    Args:
        region: uint8 (H, W), set to 1 inside the hull.
        centers: N points.
        radii: N radii in pixels.
    """
    if all(map(cmath.isfinite, centers)):
        _fill(region, _discs(region, centers, radii))


def fill_disc(region: Mask, center: complex, radius: float) -> None:
    """Fill a disc, in place; nothing when its center is unknown. A third of the time of a hull."""
    reach = 4 * max(region.shape)
    if abs(center.real) < reach and abs(center.imag) < reach:
        fixed = (round(center.real * 2**_SHIFT), round(center.imag * 2**_SHIFT))
        cv2.circle(region, fixed, round(min(radius, reach) * 2**_SHIFT), (1,), cv2.FILLED, cv2.LINE_8, _SHIFT)


def fill_outline(region: Mask, points: NDArray[np.floating]) -> None:
    """Fill the convex hull of points (N, 2), x and y in pixels, in place."""
    _fill(region, _fixed(region, points))


def fill_limbs(region: Mask, limbs: Sequence[Sequence[complex]], width: float) -> None:
    """Fill limbs, in place: all that is within half a width of the lines between neighboring points.

    Args:
        region: uint8 (H, W), set to 1 there.
        limbs: points of each; unknown ones are passed over, and a limb of which fewer than two are known is not drawn.
        width: pixels (rounded, at least one).
    """
    known = [[point for point in limb if cmath.isfinite(point)] for limb in limbs]
    lines = [_fixed(region, np.array(limb).view(np.float64)).reshape(-1, 2) for limb in known if len(limb) > 1]
    cv2.polylines(region, lines, False, (1,), max(1, round(width)), cv2.LINE_8, _SHIFT)


def fill_end(region: Mask, last: complex, before: complex, radius: float) -> None:
    """Fill the disc that touches a limb's end from outside (a hand beyond its wrist), in place.

    Args:
        region: uint8 (H, W), set to 1 inside the disc.
        last: the limb's last joint.
        before: the joint before it; gives the direction.
        radius: of the disc, pixels.
    """
    step = last - before
    if cmath.isfinite(step) and step:
        fill_disc(region, last + step / abs(step) * radius, radius)


def _discs(region: Mask, centers: Sequence[complex], radii: Sequence[float]) -> NDArray[np.int32]:
    """Outlines of discs, (N, 16, 2), as OpenCV draws them."""
    discs = np.array(centers)[:, None] + np.array(radii)[:, None] * _RING
    return _fixed(region, discs.view(np.float64).reshape(-1, len(_RING), 2))


def _fixed(region: Mask, points: NDArray[np.floating]) -> NDArray[np.int32]:
    """OpenCV's drawing coordinates."""
    reach = 4 * max(region.shape)  # what lies farther away cannot be told apart, and would overflow
    return np.rint(np.minimum(np.maximum(points, -reach), reach) * 2**_SHIFT).astype(np.int32)


def _fill(region: Mask, fixed: NDArray[np.int32]) -> None:
    cv2.fillConvexPoly(region, cv2.convexHull(fixed.reshape(-1, 2)), (1,), cv2.LINE_8, _SHIFT)
