"""Trousers and skirts: one skirt-like shape from waist to ankles, and all that is parsed as lower garment.

DensePose counts the pelvis as torso, so its leg charts alone miss a third of a pair of trousers; and a mask that
follows trousers leaves a skirt no room. Both are why the shape comes from the joints.
"""

from __future__ import annotations

from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from tryon.agnostic.body import Body, hip_half_width
from tryon.agnostic.limbs import fill_hull, fill_outline
from tryon.agnostic.protection import LEG_PARTS, kept
from tryon.agnostic.regions import Region, below, grow, hidden, ids_of, look_up, without_specks
from tryon.agnostic.upper_body import GARMENT_MARGIN, bare_body
from tryon.categories import Category
from tryon.dresscode.labels import GARMENT_LABELS, Joint, Label

STANDARD_FLARE = 1.9
"""Half-width of the standard shape from the knees down, in half-widths of the hips: what a skirt may measure at its hem
without being told by the outline. Three of four skirts of a catalogue are narrower. Wider ones widen the shape."""

WAIST_RISE = 0.6
"""The shape begins this far above the hip joints, in shoulder widths: at the natural waist, where high trousers do."""

WAIST, HIP, THIGH = 0.8, 1.3, 1.75
"""Half-widths of the shape at waist, hip joints and the middle of the thighs, in half-widths of the hips: room for
pleats, and for short skirts, which have their whole flare at the thigh."""

LEG = 0.5
"""Radius around knees and ankles, in shoulder widths: a wide trouser leg, however far apart the feet stand."""

HEM = 0.1
"""The shape ends this far below the lower ankle, in shoulder widths: trousers touch the shoe."""

SPECK = 0.006
"""Pieces of garment narrower than this, in heights, are a parser's noise and do not widen the shape."""

DRESS_RISE = 0.2
"""Where a dress label stops being the top and starts being the skirt: this far above the hip joints."""

_GARMENT = ids_of(GARMENT_LABELS[Category.LOWER_BODY])
_DRESS = ids_of([Label.DRESS])
_LEG_LABELS = ids_of([Label.LEFT_LEG, Label.RIGHT_LEG])
_CHARTS = ids_of(LEG_PARTS)
_HIPS, _KNEES = (Joint.RIGHT_HIP, Joint.LEFT_HIP), (Joint.RIGHT_KNEE, Joint.LEFT_KNEE)
_ANKLES = (Joint.RIGHT_ANKLE, Joint.LEFT_ANKLE)


def lower_body(label_map: NDArray[np.uint8], dense_pose: NDArray[np.uint8] | None, body: Body) -> Region:
    """Mask for replacing trousers or a skirt; arguments as in `agnostic_mask`."""
    garment, dress = look_up(label_map, _GARMENT), look_up(label_map, _DRESS)
    if cv2.countNonZero(dress):
        garment |= dress & below(label_map.shape, *(body.at(*_HIPS) - DRESS_RISE * body.unit * body.down))
    solid = without_specks(garment)
    near = grow(solid, GARMENT_MARGIN * len(label_map))
    reach = bare_body(label_map, dense_pose, _LEG_LABELS, _CHARTS)
    if not fill_skirt(reach, dense_pose, body, solid):
        reach |= hull_of(reach | solid)
    stays = dress | kept(Category.LOWER_BODY, label_map, dense_pose, body, near)
    return hidden(reach | near, stays, garment)


def fill_skirt(region: Region, dense_pose: NDArray[np.uint8] | None, body: Body, garment: Region) -> bool:
    """Fill the standard shape, made wider where the garment is, so that neither its cut nor its hem is told; in place.

    Args:
        region: uint8 (H, W).
        dense_pose: as in `agnostic_mask`; tells the width of the hips.
        body: the joints.
        garment: what is worn, without specks.

    Returns:
        Whether the joints told where it lies.
    """
    if not np.isfinite(body.at(*_HIPS)).all():
        return False
    hips = hip_half_width(dense_pose, body)
    joints, knees, ankles = body.at(*_HIPS), body.at(*_KNEES), body.at(*_ANKLES)
    thigh = (joints + knees).mean(0) / 2
    first = _row(thigh[1])  # where it is looked for how wide the garment is: below hanging sleeves
    end = _row(max(ankles[:, 1].max(), knees[:, 1].max()) + HEM * body.unit)
    across, level = np.array([body.down[1], -body.down[0]]), np.array([1.0, 0.0])  # a skirt hangs straight down
    corners = [
        _sides(joints.mean(0) - WAIST_RISE * body.unit * body.down, WAIST * hips * across),
        _sides(joints.mean(0), HIP * hips * across),
        _sides(thigh, THIGH * hips * level),
        *(_sides(pair.mean(0), STANDARD_FLARE * hips * level) for pair in (knees, ankles)),
        _widest(garment, first, end),
    ]
    centres = np.concatenate([knees, ankles, *corners])
    radii = np.full(len(centres), GARMENT_MARGIN * len(garment))
    radii[:4] = LEG * body.unit
    fill_hull(region[:end], centres, radii.tolist())
    return True


def _sides(middle: NDArray[np.float64], half: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.stack([middle - half, middle + half])


def _widest(garment: Region, first: int, end: int) -> NDArray[np.float64]:
    """Points (N, 2) around a garment's rows `first` to `end`, and below its widest places at the end."""
    whole = _without_pieces(garment[first:end], len(garment)).view(np.bool_)
    rows = np.flatnonzero(whole.any(1))
    if not len(rows):
        return np.empty((0, 2))
    left, right = whole[rows].argmax(1), whole.shape[1] - 1 - whole[rows, ::-1].argmax(1)
    sides = [np.stack([side, rows + first], 1) for side in (left, right)]
    points = np.concatenate([*sides, [(left.min(), end), (right.max(), end)]])
    return cv2.convexHull(points.astype(np.int32)).reshape(-1, 2).astype(np.float64)


def _row(y: float) -> int:
    return max(0, round(y))


def _without_pieces(region: Region, height: int) -> Region:
    side = max(1, round(SPECK * height))
    kernel = np.ones((side, side), np.uint8)
    return cast(Region, cv2.morphologyEx(region, cv2.MORPH_OPEN, kernel)) if region.size else region


def hull_of(region: Region) -> Region:
    """Convex hull of a region without its specks."""
    hull = np.zeros_like(region)
    points = cv2.findNonZero(_without_pieces(region, len(region)))
    if points is not None:
        fill_outline(hull, points.reshape(-1, 2).astype(np.float64))
    return hull
