"""Tops: trunk and arms without hands, as key points and DensePose tell them, and all that is parsed as top."""

from __future__ import annotations

import cv2
import numpy as np

from tryon.agnostic.masks.body import Body
from tryon.agnostic.masks.label_masks import arm_skin, worn_top
from tryon.agnostic.masks.limb_shapes import fill_hull, fill_limbs
from tryon.agnostic.masks.parsed_person import Scene
from tryon.agnostic.masks.protection import ARM_PARTS, kept
from tryon.agnostic.masks.regions import (
    Ids,
    Region,
    box_around,
    enlarge,
    grow,
    hide,
    ids_of,
    look_up,
    square,
    without_specks,
)
from tryon.categories import Category
from tryon.dresscode.labels import DensePart, Joint

GARMENT_MARGIN = 0.012
"""How far the mask reaches beyond the garment's label, in heights: parsers miss seams, fringes and shadows."""

DENT = 0.02
"""Dents in the garment's edge up to twice this wide, in heights, are filled: a parser's ragged edge is no shape."""

BODY_MARGIN = 0.01
"""How far it reaches beyond DensePose's charts, in heights."""

SHOULDER = 0.2
"""Radius around the shoulder joints, in shoulder widths: the seam and the top of a sleeve."""

HEM = 0.3
"""How far the shape reaches below the hip joints, in shoulder widths: the hem of a long top."""

HEM_WIDTH = 1.35
"""Half-width of the shape from the hip joints down, in half-widths of the hips: a top that hangs loose."""

ARM = 0.45
"""Width of the arm's corridor in shoulder widths: a loose long sleeve, and the margin around it, so that bare arms and
sleeves give one outline."""

TRUNK_PARTS = (DensePart.TORSO_BACK, DensePart.TORSO_FRONT)
_CHARTS = ids_of([*TRUNK_PARTS, *ARM_PARTS])


def upper_body(scene: Scene) -> Region:
    """Mask for replacing a top."""
    coarse = scene.coarse
    near = around(without_specks(coarse.once(worn_top)), coarse.height)
    reach = coarse.nothing()
    fill_top(reach, coarse)
    reach[coarse.box.window] |= near | bare_body(coarse, _CHARTS)
    mask = enlarge(reach, scene.step)
    part, garment = mask[scene.box.window], scene.once(worn_top)
    hide(part, scene.once(arm_skin), kept(Category.UPPER_BODY, scene, near), garment)
    return mask


def around(garment: Region, height: int) -> Region:
    """A garment without specks and its margin, in a picture of this height. Dents are filled."""
    margin, dent = (max(1, round(length * height)) for length in (GARMENT_MARGIN, DENT))
    window = box_around(garment, margin + dent + 1).window  # all else is empty, and stays so
    near = np.zeros_like(garment)
    near[window] = cv2.erode(grow(garment[window], margin + dent), square(2 * dent + 1))
    return near


def bare_body(scene: Scene, charts: Ids) -> Region:
    """DensePose's charts that any garment may cover, whatever is worn, with their margin; in the scene's window."""
    if scene.dense is None:
        return np.zeros_like(scene.labels)
    return grow(without_specks(look_up(scene.dense, charts)), BODY_MARGIN * scene.height)


def fill_top(region: Region, scene: Scene) -> None:
    """Fill the shape of a long, loose top with long sleeves, in place: it comes from the body alone."""
    body = scene.body
    _fill_trunk(region, body, scene.hips)
    right = body.at(Joint.RIGHT_SHOULDER, Joint.RIGHT_ELBOW, Joint.RIGHT_WRIST)
    left = body.at(Joint.LEFT_SHOULDER, Joint.LEFT_ELBOW, Joint.LEFT_WRIST)
    fill_limbs(region, (right, left), ARM * body.unit)


def _fill_trunk(region: Region, body: Body, hips: float) -> None:
    """Shoulders to hem, in place."""
    radius, across = SHOULDER * body.unit, body.down / 1j
    middle = body.middle(Joint.RIGHT_HIP, Joint.LEFT_HIP)
    half = max(HEM_WIDTH * hips - radius, 0.0) * across
    low = (HEM * body.unit - radius) * body.down
    hem = [middle + low - half, middle + low + half, middle - half, middle + half]
    centres = [*body.at(Joint.RIGHT_SHOULDER, Joint.LEFT_SHOULDER), *hem]
    fill_hull(region, centres, [radius] * len(centres))
