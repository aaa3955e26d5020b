"""Protected regions, which stay visible: labels, head, hands and feet, also where the label map misses them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import cv2

from tryon.agnostic.masks.label_masks import (
    arm_skin,
    background,
    bottom_mask,
    dress_mask,
    dress_or_outfit,
    foot_parts,
    hand_parts,
    head_parts,
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
"""Labels that are protected entirely. Heads, arms and legs are protected in part, by the functions below."""

_OTHER_LABELS: dict[Category, tuple[Callable[[ParsedPerson], Mask], ...]] = {
    Category.UPPER_BODY: (top_mask, head_skin, arm_skin),
    Category.LOWER_BODY: (bottom_mask, dress_mask, leg_skin),
    Category.DRESSES: (dress_or_outfit, head_skin, arm_skin, leg_skin),
}
"""Masks of all labels that are not in `PROTECTED_LABELS`."""

_END_PARTS = (DensePart.RIGHT_HAND, DensePart.LEFT_HAND, DensePart.LEFT_FOOT, DensePart.RIGHT_FOOT)
LEG_PARTS = tuple(DensePart(part) for part in range(DensePart.RIGHT_UPPER_LEG_BACK, DensePart.LEFT_UPPER_ARM_INNER))
ARM_PARTS = tuple(DensePart(part) for part in range(DensePart.LEFT_UPPER_ARM_INNER, DensePart.HEAD_RIGHT))

_FEET_PARTS = (DensePart.LEFT_FOOT, DensePart.RIGHT_FOOT)
OUT_OF_SCOPE_PARTS: dict[Category, tuple[DensePart, ...]] = {
    Category.UPPER_BODY: (*_FEET_PARTS, *LEG_PARTS),
    Category.LOWER_BODY: (*_FEET_PARTS, *ARM_PARTS),
    Category.DRESSES: _FEET_PARTS,
}
"""DensePose parts that are protected, like head and hands, where the label map, which misses limbs and may be empty,
says background. Not next to the garment: there a missed strip is as likely the garment's."""

COLLAR = 0.05
"""The head is protected down to this far above the line of the shoulders, in shoulder widths; below is a neckline."""

BARE_SHOULDER = 0.3
"""Radius around the shoulder joints, in shoulder widths, without head: parsers label bare shoulders as head."""

_FINE_HEIGHT = 96
"""Height from which specks are noise. In smaller images three pixels are a hand and one is a bag's strap."""

_END_MARGIN = 0.008  # distance of a hand's skin from its DensePose part, in heights
_ANY = label_set([label for label in Label if label is not Label.BACKGROUND])
_PROTECTED_PARTS = {category: label_set(parts) for category, parts in OUT_OF_SCOPE_PARTS.items()}

_LimbEnd = tuple[DensePart, Joint, Joint, float]  # part, last joint, joint before it, radius in shoulder widths
_HANDS: Sequence[_LimbEnd] = (
    (DensePart.RIGHT_HAND, Joint.RIGHT_WRIST, Joint.RIGHT_ELBOW, 0.28),
    (DensePart.LEFT_HAND, Joint.LEFT_WRIST, Joint.LEFT_ELBOW, 0.28),
)
_FEET: Sequence[_LimbEnd] = (
    (DensePart.RIGHT_FOOT, Joint.RIGHT_ANKLE, Joint.RIGHT_KNEE, 0.3),
    (DensePart.LEFT_FOOT, Joint.LEFT_ANKLE, Joint.LEFT_KNEE, 0.3),
)
_END_SETS = {part: label_set([part]) for part in _END_PARTS}


def protected(category: Category, person: ParsedPerson, expanded: Mask) -> Mask:
    """Compute the protected region, in the window.

    Args:
        expanded: the garment with its margin, in the downsampled window.
    """
    region = person.cached(protected_labels, category).copy()
    dense = person.downsampled.dense
    if dense is not None:
        parts = subtract(labels_in(dense, _PROTECTED_PARTS[category]), expanded)
        parts |= person.downsampled.cached(head_parts)
        parts |= person.downsampled.cached(hand_parts)
        region |= upsample(parts, person.step) & background(person)
    if category is not Category.LOWER_BODY:
        region |= person.cached(protected_head)
        region |= protected_hands(person)
    if category is not Category.UPPER_BODY:
        region |= protected_feet(person)
    return remove_isolated_pixels(region) if person.height >= _FINE_HEIGHT else region


def protected_labels(person: ParsedPerson, category: Category) -> Mask:
    """Return the pixels of `PROTECTED_LABELS`."""
    # The ids are scattered: subtracting the others, which are cached, takes half the time.
    region = labels_in(person.labels, _ANY)
    for others in _OTHER_LABELS[category]:
        cv2.subtract(region, person.cached(others), dst=region)
    return region


def protected_head(person: ParsedPerson) -> Mask:
    """Return face and neck above the shoulders or in DensePose's head, without the skin in a neckline."""
    coarse = person.downsampled
    body, corner = coarse.body, coarse.window.corner
    shoulders = [joint - corner for joint in body.at(Joint.RIGHT_SHOULDER, Joint.LEFT_SHOULDER)]
    raised = COLLAR * body.unit * body.down
    skin = half_plane(coarse.labels.shape, *(shoulder - raised for shoulder in shoulders))
    for shoulder in shoulders:
        fill_disc(skin, shoulder, BARE_SHOULDER * body.unit)
    return subtract(person.cached(head_skin), upsample(subtract(skin, coarse.cached(head_parts)), person.step))


def protected_hands(person: ParsedPerson) -> Mask:
    """Return the arm labels in DensePose's hands or, where DensePose lacks a hand, beyond the wrist."""
    return _limb_ends(_HANDS, hand_parts, person.cached(arm_skin), person)


def protected_feet(person: ParsedPerson) -> Mask:
    """Return the leg labels in DensePose's feet or, where DensePose lacks a foot, beyond the ankle."""
    return _limb_ends(_FEET, foot_parts, person.cached(leg_skin), person)


def _limb_ends(
    ends: Sequence[_LimbEnd], dense_parts: Callable[[ParsedPerson], Mask], skin: Mask, person: ParsedPerson
) -> Mask:
    coarse = person.downsampled
    body, corner, parts = coarse.body, coarse.window.corner, coarse.cached(dense_parts)
    parts = median_filter(parts) if coarse.height >= _FINE_HEIGHT else parts
    region = dilate(parts, _END_MARGIN * coarse.height)
    for part, last, before, radius in ends:
        if coarse.dense is None or not cv2.countNonZero(parts & labels_in(coarse.dense, _END_SETS[part])):
            fill_end(region, body.joints[last] - corner, body.joints[before] - corner, radius * body.unit)
    return skin & upsample(region, person.step)
