"""Masks for tops: trunk and arms without hands, from key points and DensePose, and all top labels."""

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
"""Margin of the mask around the garment's label, in heights: parsers miss seams, fringes and shadows."""

DENT = 0.02
"""Dents in the garment's edge up to twice this width, in heights, are filled: they come from the parser."""

BODY_MARGIN = 0.01
"""Margin around DensePose's parts, in heights."""

SHOULDER = 0.2
"""Radius around the shoulder joints, in shoulder widths: the seam and the top of a sleeve."""

HEM = 0.3
"""Distance of the shape's end below the hip joints, in shoulder widths: the hem of a long top."""

HEM_WIDTH = 1.35
"""Half-width of the shape from the hip joints down, in half-widths of the hips: a loose top."""

ARM = 0.45
"""Width of the arms in shoulder widths: a loose long sleeve with margin, so that bare arms and sleeves have the same
outline."""

TRUNK_PARTS = (DensePart.TORSO_BACK, DensePart.TORSO_FRONT)
_PARTS = label_set([*TRUNK_PARTS, *ARM_PARTS])


def upper_body(person: ParsedPerson) -> Mask:
    """Compute the mask for replacing a top."""
    coarse = person.downsampled
    expanded = garment_with_margin(median_filter(coarse.cached(top_mask)), coarse.height)
    coverage = coarse.empty_mask()
    draw_top_shape(coverage, coarse)
    coverage[coarse.window.slices] |= expanded | dilated_body(coarse, _PARTS)
    mask = upsample(coverage, person.step)
    part, garment = mask[person.window.slices], person.cached(top_mask)
    apply_mask_rule(part, person.cached(arm_skin), protected(Category.UPPER_BODY, person, expanded), garment)
    return mask


def garment_with_margin(garment: Mask, height: int) -> Mask:
    """Dilate a garment by its margin in an image of this height, and fill dents."""
    margin, dent = (max(1, round(length * height)) for length in (GARMENT_MARGIN, DENT))
    slices = bounding_window(garment, margin + dent + 1).slices  # the rest stays empty
    expanded = np.zeros_like(garment)
    expanded[slices] = cv2.erode(dilate(garment[slices], margin + dent), square(2 * dent + 1))
    return expanded


def dilated_body(person: ParsedPerson, parts: LabelSet) -> Mask:
    """Return DensePose parts with their margin, in the window; any garment may cover them."""
    if person.dense is None:
        return np.zeros_like(person.labels)
    return dilate(median_filter(labels_in(person.dense, parts)), BODY_MARGIN * person.height)


def draw_top_shape(region: Mask, person: ParsedPerson) -> None:
    """Fill the shape of a long, loose top with long sleeves, in place, from the body alone."""
    body = person.body
    _fill_trunk(region, body, person.hips)
    right = body.at(Joint.RIGHT_SHOULDER, Joint.RIGHT_ELBOW, Joint.RIGHT_WRIST)
    left = body.at(Joint.LEFT_SHOULDER, Joint.LEFT_ELBOW, Joint.LEFT_WRIST)
    fill_limbs(region, (right, left), ARM * body.unit)


def _fill_trunk(region: Mask, body: Body, hips: float) -> None:
    """Fill shoulders to hem, in place."""
    radius, across = SHOULDER * body.unit, body.down / 1j
    middle = body.midpoint(Joint.RIGHT_HIP, Joint.LEFT_HIP)
    half = max(HEM_WIDTH * hips - radius, 0.0) * across
    low = (HEM * body.unit - radius) * body.down
    hem = [middle + low - half, middle + low + half, middle - half, middle + half]
    centers = [*body.at(Joint.RIGHT_SHOULDER, Joint.LEFT_SHOULDER), *hem]
    fill_hull(region, centers, [radius] * len(centers))
