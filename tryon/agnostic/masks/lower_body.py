"""Trousers and skirts: one skirt-like shape from waist to ankles, and all that is parsed as lower garment.

DensePose counts the pelvis as torso, so its leg charts alone miss a third of a pair of trousers; and a mask that
follows trousers leaves a skirt no room. Both are why the shape comes from the joints.
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

_CHARTS = label_set(LEG_PARTS)
_HIPS, _KNEES = (Joint.RIGHT_HIP, Joint.LEFT_HIP), (Joint.RIGHT_KNEE, Joint.LEFT_KNEE)
_ANKLES = (Joint.RIGHT_ANKLE, Joint.LEFT_ANKLE)


def lower_body(scene: ParsedPerson) -> Mask:
    """Mask for replacing trousers or a skirt."""
    coarse = scene.downsampled
    solid = median_filter(coarse.cached(lower_garment))
    near = garment_with_margin(solid, coarse.height)
    bare = dilated_body(coarse, _CHARTS) | coarse.cached(leg_skin)
    reach = skirt_shape(coarse, solid, bare)
    reach[coarse.box.window] |= near | bare
    mask = upsample(reach, scene.step)
    part, staying = mask[scene.box.window], scene.cached(dress_mask) | protected(Category.LOWER_BODY, scene, near)
    apply_mask_rule(part, scene.cached(leg_skin), staying, scene.cached(lower_garment))
    return mask


def lower_garment(scene: ParsedPerson) -> Mask:
    """What is worn below, in the scene's window: also what is parsed as dress from the hips down."""
    skirt, dress = scene.cached(bottom_mask), scene.cached(dress_mask)
    if not cv2.countNonZero(dress):
        return skirt
    raised = scene.box.corner + DRESS_RISE * scene.body.unit * scene.body.down
    return skirt | (dress & half_plane(dress.shape, *(hip - raised for hip in scene.body.at(*_HIPS))))


def skirt_shape(scene: ParsedPerson, garment: Mask, bare: Mask, sleeves: bool = False) -> Mask:
    """The standard shape, or where the joints do not tell where it lies, the hull of garment and legs.

    Args:
        scene: the maps.
        garment: what is worn, without specks, in the scene's window.
        bare: bare limbs and DensePose's charts, in the window.
        sleeves: whether the garment may have some. They hang to the thighs and must not count as its width.

    Returns:
        uint8 (H, W), 1 inside.
    """
    shape = scene.empty_mask()
    if all(map(cmath.isfinite, scene.body.at(*_HIPS))):
        _fill_skirt(shape, scene, garment, sleeves)
    else:
        shape[scene.box.window] = bare | garment
        fill_convex_hull(shape)
    return shape


def _fill_skirt(region: Mask, scene: ParsedPerson, garment: Mask, sleeves: bool) -> None:
    """Fill the standard shape, in place, made wider where the garment is: neither its cut nor its hem is told."""
    body, hips = scene.body, scene.hips
    knees, ankles = body.at(*_KNEES), body.at(*_ANKLES)
    hip, knee, ankle = (body.midpoint(*pair) for pair in (_HIPS, _KNEES, _ANKLES))
    thigh = (hip + knee) / 2
    first = _row(thigh.imag) if sleeves else 0  # where it is looked for how wide the garment is
    end = _row(max(joint.imag for joint in (*ankles, *knees)) + HEM * body.unit)
    across = body.down / 1j  # but below the hips a skirt hangs straight down
    corners = [
        *_trapezoid_sides(hip - WAIST_RISE * body.unit * body.down, WAIST * hips * across),
        *_trapezoid_sides(hip, HIP * hips * across),
        *_trapezoid_sides(thigh, THIGH * hips),
        *_trapezoid_sides(knee, STANDARD_FLARE * hips),
        *_trapezoid_sides(ankle, STANDARD_FLARE * hips),
        *_widest(garment, scene, first, end),
    ]
    centers = [*knees, *ankles, *corners]
    radii = [LEG * body.unit] * 4 + [GARMENT_MARGIN * scene.height] * len(corners)
    fill_hull(region[:end], centers, radii)


def _trapezoid_sides(middle: complex, half: complex) -> tuple[complex, complex]:
    return middle - half, middle + half


def _widest(garment: Mask, scene: ParsedPerson, first: int, end: int) -> list[complex]:
    """Points around a garment's rows `first` to `end`, and below its widest places at the end."""
    corner = scene.box.corner
    top, bottom = (max(row - round(corner.imag), 0) for row in (first, end))
    whole = _remove_small_pieces(garment[top:bottom], scene.height)
    contours = cv2.findContours(whole, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)[0] if whole.size else ()
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
    """Make a region the convex hull of what is in it, specks left out, in place."""
    points = cv2.findNonZero(_remove_small_pieces(region, len(region)))
    region[:] = 0
    if points is not None:
        fill_outline(region, points.reshape(-1, 2).astype(np.float64))
