"""Masks for trousers and skirts: a skirt-like shape from waist to ankles, and all lower garment labels.

The shape comes from the joints: DensePose counts the pelvis as torso, so its leg parts miss a third of a pair of
trousers, and a mask that follows trousers leaves a skirt no room.
"""

from __future__ import annotations

import cmath
from typing import cast

import cv2
import numpy as np

from tryon.agnostic.masks.label_masks import bottom_mask, dress_mask, leg_skin
from tryon.agnostic.masks.limb_shapes import fill_hull, fill_outline
from tryon.agnostic.masks.parsed_person import ParsedPerson
from tryon.agnostic.masks.protection import LEG_PARTS, protected
from tryon.agnostic.masks.regions import Mask, apply_mask_rule, half_plane, label_set, median_filter, square, upsample
from tryon.agnostic.masks.upper_body import GARMENT_MARGIN, dilated_body, garment_with_margin
from tryon.categories import Category
from tryon.dresscode.labels import Joint

STANDARD_FLARE = 1.9
"""Half-width of the standard shape from the knees down, in half-widths of the hips. Three of four skirts of a catalogue
are narrower, so the outline does not reveal their hem. Wider ones widen the shape."""

WAIST_RISE = 0.6
"""Distance of the shape's top above the hip joints, in shoulder widths: the natural waist, as of high trousers."""

WAIST, HIP, THIGH = 0.8, 1.3, 1.75
"""Half-widths of the shape at waist, hip joints and the middle of the thighs, in half-widths of the hips: room for
pleats, and for short skirts, which have their full flare at the thigh."""

LEG = 0.5
"""Radius around knees and ankles, in shoulder widths: a wide trouser leg, however far apart the feet stand."""

HEM = 0.1
"""Distance of the shape's end below the lower ankle, in shoulder widths: trousers touch the shoe."""

SPECK = 0.006
"""Pieces of garment narrower than this, in heights, are parser noise and do not widen the shape."""

DRESS_RISE = 0.2
"""A dress label counts as skirt from this far above the hip joints, in shoulder widths."""

_PARTS = label_set(LEG_PARTS)
_HIPS, _KNEES = (Joint.RIGHT_HIP, Joint.LEFT_HIP), (Joint.RIGHT_KNEE, Joint.LEFT_KNEE)
_ANKLES = (Joint.RIGHT_ANKLE, Joint.LEFT_ANKLE)


def lower_body(person: ParsedPerson) -> Mask:
    """Compute the mask for replacing trousers or a skirt."""
    coarse = person.downsampled
    filtered = median_filter(coarse.cached(lower_garment))
    expanded = garment_with_margin(filtered, coarse.height)
    bare = dilated_body(coarse, _PARTS) | coarse.cached(leg_skin)
    coverage = skirt_shape(coarse, filtered, bare)
    coverage[coarse.window.slices] |= expanded | bare
    mask = upsample(coverage, person.step)
    visible = person.cached(dress_mask) | protected(Category.LOWER_BODY, person, expanded)
    apply_mask_rule(mask[person.window.slices], person.cached(leg_skin), visible, person.cached(lower_garment))
    return mask


def lower_garment(person: ParsedPerson) -> Mask:
    """Return the worn lower garment in the window, including a dress label from the hips down."""
    skirt, dress = person.cached(bottom_mask), person.cached(dress_mask)
    if not cv2.countNonZero(dress):
        return skirt
    raised = person.window.corner + DRESS_RISE * person.body.unit * person.body.down
    return skirt | (dress & half_plane(dress.shape, *(hip - raised for hip in person.body.at(*_HIPS))))


def skirt_shape(person: ParsedPerson, garment: Mask, bare: Mask, sleeves: bool = False) -> Mask:
    """Draw the standard shape or, without hip joints, the convex hull of garment and legs.

    Args:
        garment: the worn garment without noise, in the window.
        bare: bare limbs and DensePose's parts, in the window.
        sleeves: whether the garment may have sleeves, which reach the thighs and must not count as its width.
    """
    shape = person.empty_mask()
    if all(map(cmath.isfinite, person.body.at(*_HIPS))):
        _fill_skirt(shape, person, garment, sleeves)
    else:
        shape[person.window.slices] = bare | garment
        fill_convex_hull(shape)
    return shape


def _fill_skirt(region: Mask, person: ParsedPerson, garment: Mask, sleeves: bool) -> None:
    """Fill the standard shape, in place, widened to the garment without revealing its cut or its hem."""
    body, hips = person.body, person.hips
    knees, ankles = body.at(*_KNEES), body.at(*_ANKLES)
    hip, knee, ankle = (body.midpoint(*pair) for pair in (_HIPS, _KNEES, _ANKLES))
    thigh = (hip + knee) / 2
    first = _row(thigh.imag) if sleeves else 0  # the garment's width is measured from here
    end = _row(max(joint.imag for joint in (*ankles, *knees)) + HEM * body.unit)
    across = body.down / 1j  # but below the hips a skirt hangs straight down
    corners = [
        *_trapezoid_sides(hip - WAIST_RISE * body.unit * body.down, WAIST * hips * across),
        *_trapezoid_sides(hip, HIP * hips * across),
        *_trapezoid_sides(thigh, THIGH * hips),
        *_trapezoid_sides(knee, STANDARD_FLARE * hips),
        *_trapezoid_sides(ankle, STANDARD_FLARE * hips),
        *_garment_outline(garment, person, first, end),
    ]
    radii = [LEG * body.unit] * 4 + [GARMENT_MARGIN * person.height] * len(corners)
    fill_hull(region[:end], [*knees, *ankles, *corners], radii)


def _trapezoid_sides(middle: complex, half: complex) -> tuple[complex, complex]:
    return middle - half, middle + half


def _garment_outline(garment: Mask, person: ParsedPerson, first: int, end: int) -> list[complex]:
    """Return the hull of a garment's rows `first` to `end`, and its extreme columns at the end."""
    corner = person.window.corner
    top, bottom = (max(row - round(corner.imag), 0) for row in (first, end))
    filtered = _remove_small_pieces(garment[top:bottom], person.height)
    contours = cv2.findContours(filtered, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)[0] if filtered.size else ()
    if not contours:
        return []
    hull = cv2.convexHull(np.concatenate(contours)).reshape(-1, 2).tolist()
    points = [complex(x, y) + corner + top * 1j for x, y in hull]
    columns = [point.real for point in points]
    return [*points, complex(min(columns), end), complex(max(columns), end)]


def _row(y: float) -> int:
    return max(0, round(y))


def _remove_small_pieces(region: Mask, height: int) -> Mask:
    kernel = square(max(1, round(SPECK * height)))
    return cast(Mask, cv2.morphologyEx(region, cv2.MORPH_OPEN, kernel)) if region.size else region


def fill_convex_hull(region: Mask) -> None:
    """Replace a region by its convex hull, ignoring small pieces, in place."""
    points = cv2.findNonZero(_remove_small_pieces(region, len(region)))
    region[:] = 0
    if points is not None:
        fill_outline(region, points.reshape(-1, 2).astype(np.float64))
