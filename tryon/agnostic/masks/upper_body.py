"""Tops: trunk and arms without hands, as key points and DensePose tell them, and all that is parsed as top."""

from __future__ import annotations

import cv2
import numpy as np

from tryon.agnostic.masks.body import Body
from tryon.agnostic.masks.label_masks import arm_skin, top_mask
from tryon.agnostic.masks.limb_shapes import fill_hull, fill_limbs
from tryon.agnostic.masks.parsed_person import ParsedPerson
from tryon.agnostic.masks.protection import ARM_PARTS, protected
from tryon.agnostic.masks.regions import (
    LabelSet,
    Mask,
    apply_mask_rule,
    bounding_window,
    dilate,
    label_set,
    labels_in,
    median_filter,
    square,
    upsample,
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
_CHARTS = label_set([*TRUNK_PARTS, *ARM_PARTS])


def upper_body(scene: ParsedPerson) -> Mask:
    """Mask for replacing a top."""
    coarse = scene.downsampled
    near = garment_with_margin(median_filter(coarse.cached(top_mask)), coarse.height)
    reach = coarse.empty_mask()
    draw_top_shape(reach, coarse)
    reach[coarse.box.window] |= near | dilated_body(coarse, _CHARTS)
    mask = upsample(reach, scene.step)
    part, garment = mask[scene.box.window], scene.cached(top_mask)
    apply_mask_rule(part, scene.cached(arm_skin), protected(Category.UPPER_BODY, scene, near), garment)
    return mask


def garment_with_margin(garment: Mask, height: int) -> Mask:
    """A garment without specks and its margin, in a image of this height. Dents are filled."""
    margin, dent = (max(1, round(length * height)) for length in (GARMENT_MARGIN, DENT))
    window = bounding_window(garment, margin + dent + 1).window  # all else is empty, and stays so
    near = np.zeros_like(garment)
    near[window] = cv2.erode(dilate(garment[window], margin + dent), square(2 * dent + 1))
    return near


def dilated_body(scene: ParsedPerson, charts: LabelSet) -> Mask:
    """DensePose's charts that any garment may cover, whatever is worn, with their margin; in the scene's window."""
    if scene.dense is None:
        return np.zeros_like(scene.labels)
    return dilate(median_filter(labels_in(scene.dense, charts)), BODY_MARGIN * scene.height)


def draw_top_shape(region: Mask, scene: ParsedPerson) -> None:
    """Fill the shape of a long, loose top with long sleeves, in place: it comes from the body alone."""
    body = scene.body
    _fill_trunk(region, body, scene.hips)
    right = body.at(Joint.RIGHT_SHOULDER, Joint.RIGHT_ELBOW, Joint.RIGHT_WRIST)
    left = body.at(Joint.LEFT_SHOULDER, Joint.LEFT_ELBOW, Joint.LEFT_WRIST)
    fill_limbs(region, (right, left), ARM * body.unit)


def _fill_trunk(region: Mask, body: Body, hips: float) -> None:
    """Shoulders to hem, in place."""
    radius, across = SHOULDER * body.unit, body.down / 1j
    middle = body.midpoint(Joint.RIGHT_HIP, Joint.LEFT_HIP)
    half = max(HEM_WIDTH * hips - radius, 0.0) * across
    low = (HEM * body.unit - radius) * body.down
    hem = [middle + low - half, middle + low + half, middle - half, middle + half]
    centers = [*body.at(Joint.RIGHT_SHOULDER, Joint.LEFT_SHOULDER), *hem]
    fill_hull(region, centers, [radius] * len(centers))
