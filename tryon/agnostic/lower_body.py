"""Trousers and skirts: one skirt-like shape from waist to ankles, and all that is parsed as lower garment.

DensePose counts the pelvis as torso, so its leg charts alone miss a third of a pair of trousers; and a mask that
follows trousers leaves a skirt no room. Both are why the shape comes from the joints.
"""

from __future__ import annotations

from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from tryon.agnostic.body import Body
from tryon.agnostic.limbs import fill_hull, fill_outline
from tryon.agnostic.protection import LEG_PARTS, kept_feet, kept_whole
from tryon.agnostic.regions import Region, below, carried_down, grow, hidden, ids_of, look_up
from tryon.agnostic.upper_body import BODY_MARGIN, GARMENT_MARGIN
from tryon.categories import Category
from tryon.dresscode.labels import GARMENT_LABELS, Joint, Label

WAIST_RISE = 0.45
"""The shape begins this far above the hip joints, in shoulder widths: high waists are hidden like low ones."""

WAIST, HIP, KNEE, ANKLE = 0.22, 0.32, 0.5, 0.5
"""Radii of the shape's corners, in shoulder widths."""

HEM = 0.1
"""The shape ends this far below the lower ankle, in shoulder widths."""

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
    dress = look_up(label_map, _DRESS)
    skirt_part = dress & below(label_map.shape, *(body.at(*_HIPS) - DRESS_RISE * body.unit * body.down))
    garment = look_up(label_map, _GARMENT) | skirt_part
    reach = lower_reach(label_map, dense_pose, body, garment) | grow(garment, GARMENT_MARGIN * len(label_map))
    kept = kept_whole(Category.LOWER_BODY, label_map, dense_pose) | (dress ^ skirt_part)
    kept |= kept_feet(label_map, dense_pose, body)
    return hidden(reach, kept, garment)


def lower_reach(
    label_map: NDArray[np.uint8], dense_pose: NDArray[np.uint8] | None, body: Body, garment: Region
) -> Region:
    """Where trousers or a skirt may lie on this body, whatever is worn; feet and the rest not yet taken out.

    Args:
        label_map: as in `agnostic_mask`.
        dense_pose: as in `agnostic_mask`.
        body: the joints.
        garment: what is worn; widens the shape, and gives it when no joint is known.
    """
    legs = look_up(label_map, _LEG_LABELS)
    if dense_pose is not None:
        legs |= grow(look_up(dense_pose, _CHARTS), BODY_MARGIN * len(label_map))
    if np.isfinite(body.at(*_HIPS)).all():
        return legs | _skirt(body, garment)
    return legs | _hull_of(legs | garment)


def _skirt(body: Body, garment: Region) -> Region:
    """The standard shape, and a garment that is wider carried on down to the ankles, so that its hem is not told."""
    region = np.zeros_like(garment)
    hips, knees, ankles = body.at(*_HIPS), body.at(*_KNEES), body.at(*_ANKLES)
    waist = hips - WAIST_RISE * body.unit * body.down
    corners = np.concatenate([waist, hips, knees, ankles])
    fill_hull(region, corners, [radius * body.unit for radius in (WAIST, HIP, KNEE, ANKLE) for _ in range(2)])
    middle_thigh = _row((hips[:, 1] + knees[:, 1]).mean() / 2)  # below hanging sleeves
    lowest = _row(max(ankles[:, 1].max(), knees[:, 1].max()) + HEM * body.unit)
    region[lowest:] = 0
    skirt = region[middle_thigh:lowest]
    skirt |= carried_down(_without_specks(garment[middle_thigh:lowest]))
    return region


def _row(y: float) -> int:
    return max(0, round(y))


def _without_specks(region: Region) -> Region:
    return cast(Region, cv2.morphologyEx(region, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))) if region.size else region


def _hull_of(region: Region) -> Region:
    """Convex hull of a region without its specks."""
    hull = np.zeros_like(region)
    points = cv2.findNonZero(_without_specks(region))
    if points is not None:
        fill_outline(hull, points.reshape(-1, 2).astype(np.float64))
    return hull
