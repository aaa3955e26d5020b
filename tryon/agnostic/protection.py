"""What stays visible whatever the garment: kept labels, head, hands and feet, also where the label map missed them."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from tryon.agnostic.limbs import fill_disc, fill_end
from tryon.agnostic.regions import (
    Region,
    below,
    box_around,
    grow,
    ids_of,
    look_up,
    outside,
    without,
    without_lone_pixels,
    without_specks,
)
from tryon.agnostic.scene import Scene, worn_garment
from tryon.categories import Category
from tryon.dresscode.labels import DensePart, Joint, Label

_ALWAYS = (Label.HAT, Label.HAIR, Label.SUNGLASSES, Label.LEFT_SHOE, Label.RIGHT_SHOE, Label.BAG, Label.SCARF)
_LEGS, _ARMS = (Label.LEFT_LEG, Label.RIGHT_LEG), (Label.LEFT_ARM, Label.RIGHT_ARM)

KEPT_LABELS: dict[Category, tuple[Label, ...]] = {
    Category.UPPER_BODY: (*_ALWAYS, Label.SKIRT, Label.PANTS, Label.BELT, *_LEGS),
    Category.LOWER_BODY: (*_ALWAYS, Label.UPPER_CLOTHES, Label.HEAD, *_ARMS),
    Category.DRESSES: _ALWAYS,
}
"""Labels that stay whole. Heads, arms and legs of which only a part stays have functions below."""

_ENDS = (DensePart.RIGHT_HAND, DensePart.LEFT_HAND, DensePart.LEFT_FOOT, DensePart.RIGHT_FOOT)
_HEADS = (DensePart.HEAD_RIGHT, DensePart.HEAD_LEFT)
LEG_PARTS = tuple(DensePart(part) for part in range(DensePart.RIGHT_UPPER_LEG_BACK, DensePart.LEFT_UPPER_ARM_INNER))
ARM_PARTS = tuple(DensePart(part) for part in range(DensePart.LEFT_UPPER_ARM_INNER, DensePart.HEAD_RIGHT))

_FEET_PARTS = (DensePart.LEFT_FOOT, DensePart.RIGHT_FOOT)
OTHER_HALF: dict[Category, tuple[DensePart, ...]] = {
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
"""Rows from which specks are taken for noise. In smaller pictures three pixels are a hand and one is a bag's strap."""

_END_MARGIN = 0.008  # how far a hand's skin may lie outside its DensePose chart, in heights
_BACKGROUND = ids_of([Label.BACKGROUND])
_ANY = ids_of([label for label in Label if label is not Label.BACKGROUND])
_HEAD = ids_of([Label.HEAD])
_HEAD_CHARTS = ids_of(_HEADS)
_LABEL_TABLES = {category: ids_of(labels) for category, labels in KEPT_LABELS.items()}
_HAND_CHARTS = ids_of([DensePart.RIGHT_HAND, DensePart.LEFT_HAND])
_OTHER_CHARTS = {category: ids_of(parts) for category, parts in OTHER_HALF.items()}

_End = tuple[DensePart, Joint, Joint, float]  # chart, last joint, joint before it, radius of the end in shoulder widths
_HANDS: Sequence[_End] = (
    (DensePart.RIGHT_HAND, Joint.RIGHT_WRIST, Joint.RIGHT_ELBOW, 0.28),
    (DensePart.LEFT_HAND, Joint.LEFT_WRIST, Joint.LEFT_ELBOW, 0.28),
)
_FEET: Sequence[_End] = (
    (DensePart.RIGHT_FOOT, Joint.RIGHT_ANKLE, Joint.RIGHT_KNEE, 0.3),
    (DensePart.LEFT_FOOT, Joint.LEFT_ANKLE, Joint.LEFT_KNEE, 0.3),
)
_ONE_PART = {part: ids_of([part]) for part in _ENDS}
_ARM_SKIN, _LEG_SKIN = ids_of(_ARMS), ids_of(_LEGS)


def kept(category: Category, scene: Scene, near: Region) -> Region:
    """All that stays visible, in the scene's window.

    Args:
        category: which garment is to be replaced.
        scene: the maps.
        near: the garment with its margin, in the window.
    """
    region = scene.once(kept_labels, category).copy()
    if scene.dense is not None:
        parts = without(look_up(scene.dense, _OTHER_CHARTS[category]), near)
        parts |= look_up(scene.dense, _HEAD_CHARTS)
        parts |= scene.once(hand_charts)
        parts &= look_up(scene.labels, _BACKGROUND)
        region |= parts
    if category is not Category.LOWER_BODY:
        region |= scene.once(kept_head)
        region |= kept_hands(scene)
    if category is not Category.UPPER_BODY:
        region |= kept_feet(scene)
    return without_lone_pixels(region) if scene.height >= _FINE else region


def kept_labels(scene: Scene, category: Category) -> Region:
    """Labels that stay whole."""
    if category is not Category.UPPER_BODY:
        return look_up(scene.labels, _LABEL_TABLES[category])
    # Scattered ids: it takes half the time to leave out the others, which are looked up anyway.
    kept = without(look_up(scene.labels, _ANY), scene.once(worn_garment, category))
    for skin in (head_skin, arm_skin):
        cv2.subtract(kept, scene.once(skin), dst=kept)
    return kept


def kept_head(scene: Scene) -> Region:
    """Face and neck without the skin that a neckline shows: above the shoulders, or in DensePose's head."""
    head, body = scene.once(head_skin).copy(), scene.body
    window, corner = box_around(head)
    corner += scene.box.corner
    shoulders = [joint - corner for joint in body.at(Joint.RIGHT_SHOULDER, Joint.LEFT_SHOULDER)]
    raised = COLLAR * body.unit * body.down
    skin = below(head[window].shape, *(shoulder - raised for shoulder in shoulders))
    for shoulder in shoulders:
        fill_disc(skin, shoulder, BARE_SHOULDER * body.unit)
    if scene.dense is not None:
        skin &= outside(look_up(scene.dense[window], _HEAD_CHARTS))
    head[window] &= outside(skin)
    return head


def head_skin(scene: Scene) -> Region:
    """Face, neck and what of the chest a neckline shows, by the label map."""
    return look_up(scene.labels, _HEAD)


def arm_skin(scene: Scene) -> Region:
    """Bare arms and hands, by the label map."""
    return look_up(scene.labels, _ARM_SKIN)


def leg_skin(scene: Scene) -> Region:
    """Bare legs and feet, by the label map."""
    return look_up(scene.labels, _LEG_SKIN)


def hand_charts(scene: Scene) -> Region:
    """Hands, by DensePose; nothing without it."""
    return np.zeros_like(scene.labels) if scene.dense is None else look_up(scene.dense, _HAND_CHARTS)


def kept_hands(scene: Scene) -> Region:
    """Arm labels that are hand: by DensePose, and beyond the wrist on a side that DensePose does not show."""
    return _ends(_HANDS, scene.once(arm_skin), scene)


def kept_feet(scene: Scene) -> Region:
    """Leg labels that are foot: by DensePose, and beyond the ankle on a side that DensePose does not show."""
    return _ends(_FEET, scene.once(leg_skin), scene)


def _ends(ends: Sequence[_End], skin: Region, scene: Scene) -> Region:
    """The part of `skin` that is an end of a limb."""
    margin, body = _END_MARGIN * scene.height, scene.body
    window, corner = box_around(skin, round(margin) + 1)
    corner += scene.box.corner
    charts = np.zeros(skin[window].shape, np.uint8)
    guessed = charts.copy()
    for part, last, before, radius in ends:
        chart = None if scene.dense is None else look_up(scene.dense[window], _ONE_PART[part])
        chart = without_specks(chart) if chart is not None and scene.height >= _FINE else chart
        if chart is not None and cv2.countNonZero(chart):
            charts |= chart
        else:
            fill_end(guessed, body.joints[last] - corner, body.joints[before] - corner, radius * body.unit)
    found = np.zeros_like(skin)
    np.bitwise_and(skin[window], grow(charts, margin) | guessed, out=found[window])
    return found
