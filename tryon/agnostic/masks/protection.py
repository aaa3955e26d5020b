"""What stays visible whatever the garment: kept labels, head, hands and feet, also where the label map missed them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import cv2

from tryon.agnostic.masks.label_masks import (
    arm_skin,
    background,
    bottom_mask,
    dress_mask,
    dress_or_outfit,
    foot_charts,
    hand_charts,
    head_charts,
    head_skin,
    leg_skin,
    top_mask,
)
from tryon.agnostic.masks.limb_shapes import fill_disc, fill_end
from tryon.agnostic.masks.parsed_person import ParsedPerson
from tryon.agnostic.masks.regions import (
    Mask,
    dilate,
    half_plane,
    label_set,
    labels_in,
    median_filter,
    remove_isolated_pixels,
    subtract,
    upsample,
)
from tryon.categories import Category
from tryon.dresscode.labels import DensePart, Joint, Label

_ALWAYS = (Label.HAT, Label.HAIR, Label.SUNGLASSES, Label.LEFT_SHOE, Label.RIGHT_SHOE, Label.BAG, Label.SCARF)
_LEGS, _ARMS = (Label.LEFT_LEG, Label.RIGHT_LEG), (Label.LEFT_ARM, Label.RIGHT_ARM)

PROTECTED_LABELS: dict[Category, tuple[Label, ...]] = {
    Category.UPPER_BODY: (*_ALWAYS, Label.SKIRT, Label.PANTS, Label.BELT, *_LEGS),
    Category.LOWER_BODY: (*_ALWAYS, Label.UPPER_CLOTHES, Label.HEAD, *_ARMS),
    Category.DRESSES: _ALWAYS,
}
"""Labels that stay whole. Heads, arms and legs of which only a part stays have functions below."""

_NOT_WHOLE: dict[Category, tuple[Callable[[ParsedPerson], Mask], ...]] = {
    Category.UPPER_BODY: (top_mask, head_skin, arm_skin),
    Category.LOWER_BODY: (bottom_mask, dress_mask, leg_skin),
    Category.DRESSES: (dress_or_outfit, head_skin, arm_skin, leg_skin),
}
"""Labels of `PROTECTED_LABELS` and these are all that there are."""

_ENDS = (DensePart.RIGHT_HAND, DensePart.LEFT_HAND, DensePart.LEFT_FOOT, DensePart.RIGHT_FOOT)
LEG_PARTS = tuple(DensePart(part) for part in range(DensePart.RIGHT_UPPER_LEG_BACK, DensePart.LEFT_UPPER_ARM_INNER))
ARM_PARTS = tuple(DensePart(part) for part in range(DensePart.LEFT_UPPER_ARM_INNER, DensePart.HEAD_RIGHT))

_FEET_PARTS = (DensePart.LEFT_FOOT, DensePart.RIGHT_FOOT)
OUT_OF_SCOPE_PARTS: dict[Category, tuple[DensePart, ...]] = {
    Category.UPPER_BODY: (*_FEET_PARTS, *LEG_PARTS),
    Category.LOWER_BODY: (*_FEET_PARTS, *ARM_PARTS),
    Category.DRESSES: _FEET_PARTS,
}
"""DensePose parts that stay where the label map says background, as head and hands do: it misses limbs, and may be
empty. Beside the garment they do not: there a missed strip is the garment's as likely as not."""

COLLAR = 0.05
"""The head stays down to this far above the line of the shoulders, in shoulder widths; below is a neckline's skin."""

BARE_SHOULDER = 0.3
"""Parsers give bare shoulders to the head as well; within this radius of their joints they do not count as head."""

_FINE = 96
"""Rows from which specks are taken for noise. In smaller images three pixels are a hand and one is a bag's strap."""

_END_MARGIN = 0.008  # how far a hand's skin may lie outside its DensePose chart, in heights
_ANY = label_set([label for label in Label if label is not Label.BACKGROUND])
_OTHER_CHARTS = {category: label_set(parts) for category, parts in OUT_OF_SCOPE_PARTS.items()}

_End = tuple[DensePart, Joint, Joint, float]  # chart, last joint, joint before it, radius of the end in shoulder widths
_HANDS: Sequence[_End] = (
    (DensePart.RIGHT_HAND, Joint.RIGHT_WRIST, Joint.RIGHT_ELBOW, 0.28),
    (DensePart.LEFT_HAND, Joint.LEFT_WRIST, Joint.LEFT_ELBOW, 0.28),
)
_FEET: Sequence[_End] = (
    (DensePart.RIGHT_FOOT, Joint.RIGHT_ANKLE, Joint.RIGHT_KNEE, 0.3),
    (DensePart.LEFT_FOOT, Joint.LEFT_ANKLE, Joint.LEFT_KNEE, 0.3),
)
_ONE_PART = {part: label_set([part]) for part in _ENDS}


def protected(category: Category, scene: ParsedPerson, near: Mask) -> Mask:
    """All that stays visible, in the scene's window.

    Args:
        category: which garment is to be replaced.
        scene: the maps.
        near: the garment with its margin, in the window of the coarse scene.
    """
    region = scene.cached(protected_labels, category).copy()
    dense = scene.downsampled.dense
    if dense is not None:
        parts = subtract(labels_in(dense, _OTHER_CHARTS[category]), near)
        parts |= scene.downsampled.cached(head_charts)
        parts |= scene.downsampled.cached(hand_charts)
        region |= upsample(parts, scene.step) & background(scene)
    if category is not Category.LOWER_BODY:
        region |= scene.cached(protected_head)
        region |= protected_hands(scene)
    if category is not Category.UPPER_BODY:
        region |= protected_feet(scene)
    return remove_isolated_pixels(region) if scene.height >= _FINE else region


def protected_labels(scene: ParsedPerson, category: Category) -> Mask:
    """Labels that stay whole, `PROTECTED_LABELS`."""
    # Scattered ids: it takes half the time to leave out the others, which are looked up anyway.
    kept = labels_in(scene.labels, _ANY)
    for others in _NOT_WHOLE[category]:
        cv2.subtract(kept, scene.cached(others), dst=kept)
    return kept


def protected_head(scene: ParsedPerson) -> Mask:
    """Face and neck without the skin that a neckline shows: above the shoulders, or in DensePose's head."""
    coarse = scene.downsampled
    body, corner = coarse.body, coarse.box.corner
    shoulders = [joint - corner for joint in body.at(Joint.RIGHT_SHOULDER, Joint.LEFT_SHOULDER)]
    raised = COLLAR * body.unit * body.down
    skin = half_plane(coarse.labels.shape, *(shoulder - raised for shoulder in shoulders))
    for shoulder in shoulders:
        fill_disc(skin, shoulder, BARE_SHOULDER * body.unit)
    return subtract(scene.cached(head_skin), upsample(subtract(skin, coarse.cached(head_charts)), scene.step))


def protected_hands(scene: ParsedPerson) -> Mask:
    """Arm labels that are hand: by DensePose, and beyond the wrist on a side that DensePose does not show."""
    return _ends(_HANDS, hand_charts, scene.cached(arm_skin), scene)


def protected_feet(scene: ParsedPerson) -> Mask:
    """Leg labels that are foot: by DensePose, and beyond the ankle on a side that DensePose does not show."""
    return _ends(_FEET, foot_charts, scene.cached(leg_skin), scene)


def _ends(ends: Sequence[_End], charts_of: Callable[[ParsedPerson], Mask], skin: Mask, scene: ParsedPerson) -> Mask:
    """The part of `skin` that is an end of a limb."""
    coarse = scene.downsampled
    body, corner, charts = coarse.body, coarse.box.corner, coarse.cached(charts_of)
    charts = median_filter(charts) if coarse.height >= _FINE else charts
    reach = dilate(charts, _END_MARGIN * coarse.height)
    for part, last, before, radius in ends:
        if coarse.dense is None or not cv2.countNonZero(charts & labels_in(coarse.dense, _ONE_PART[part])):
            fill_end(reach, body.joints[last] - corner, body.joints[before] - corner, radius * body.unit)
    return skin & upsample(reach, scene.step)
