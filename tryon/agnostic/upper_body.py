"""Tops: trunk and arms without hands, as key points and DensePose tell them, and all that is parsed as top."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tryon.agnostic.body import Body, hip_half_width
from tryon.agnostic.limbs import fill_chain, fill_hull
from tryon.agnostic.protection import ARM_PARTS, kept
from tryon.agnostic.regions import Ids, Region, grow, hidden, ids_of, look_up, without_specks
from tryon.categories import Category
from tryon.dresscode.labels import GARMENT_LABELS, DensePart, Joint, Label

GARMENT_MARGIN = 0.012
"""How far the mask reaches beyond the garment's label, in heights: parsers miss seams, fringes and shadows."""

BODY_MARGIN = 0.01
"""How far it reaches beyond DensePose's charts, in heights."""

SHOULDER = 0.2
"""Radius around the shoulder joints, in shoulder widths: the seam and the top of a sleeve."""

HEM = 0.3
"""How far the shape reaches below the hip joints, in shoulder widths: the hem of a long top."""

HEM_WIDTH = 1.35
"""Half-width of the shape from the hip joints down, in half-widths of the hips: a top that hangs loose."""

ARM = (0.23, 0.23, 0.2)
"""Half-width of the arm's corridor at shoulder, elbow and wrist, in shoulder widths: a loose long sleeve, and the
margin around it, so that bare arms and sleeves give one outline."""

_GARMENT = ids_of(GARMENT_LABELS[Category.UPPER_BODY])
_ARM_LABELS = ids_of([Label.LEFT_ARM, Label.RIGHT_ARM])
TRUNK_PARTS = (DensePart.TORSO_BACK, DensePart.TORSO_FRONT)
_CHARTS = ids_of([*TRUNK_PARTS, *ARM_PARTS])


def upper_body(label_map: NDArray[np.uint8], dense_pose: NDArray[np.uint8] | None, body: Body) -> Region:
    """Mask for replacing a top; arguments as in `agnostic_mask`."""
    garment = look_up(label_map, _GARMENT)
    near = grow(without_specks(garment), GARMENT_MARGIN * len(label_map))
    reach = bare_body(label_map, dense_pose, _ARM_LABELS, _CHARTS)
    fill_top(reach, dense_pose, body)
    return hidden(reach | near, kept(Category.UPPER_BODY, label_map, dense_pose, body, near), garment)


def bare_body(label_map: NDArray[np.uint8], dense_pose: NDArray[np.uint8] | None, limbs: Ids, charts: Ids) -> Region:
    """What any garment may cover, whatever is worn: bare limbs, and DensePose's charts with their margin."""
    region = look_up(label_map, limbs)
    if dense_pose is not None:
        region |= grow(without_specks(look_up(dense_pose, charts)), BODY_MARGIN * len(label_map))
    return region


def fill_top(region: Region, dense_pose: NDArray[np.uint8] | None, body: Body) -> None:
    """Fill the shape of a long, loose top with long sleeves, in place: it comes from the body alone."""
    _fill_trunk(region, body, hip_half_width(dense_pose, body))
    widths = [radius * body.unit for radius in ARM]
    fill_chain(region, body.at(Joint.RIGHT_SHOULDER, Joint.RIGHT_ELBOW, Joint.RIGHT_WRIST), widths)
    fill_chain(region, body.at(Joint.LEFT_SHOULDER, Joint.LEFT_ELBOW, Joint.LEFT_WRIST), widths)


def _fill_trunk(region: Region, body: Body, hips: float) -> None:
    """Shoulders to hem, in place."""
    radius, across = SHOULDER * body.unit, np.array([body.down[1], -body.down[0]])
    middle = body.at(Joint.RIGHT_HIP, Joint.LEFT_HIP).mean(0)
    half = max(HEM_WIDTH * hips - radius, 0.0) * across
    low = (HEM * body.unit - radius) * body.down
    hem = [middle + low - half, middle + low + half, middle - half, middle + half]
    centres = np.concatenate([body.at(Joint.RIGHT_SHOULDER, Joint.LEFT_SHOULDER), hem])
    fill_hull(region, centres, [radius] * len(centres))
