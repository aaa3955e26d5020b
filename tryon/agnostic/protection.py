"""What stays visible whatever the garment: kept labels, head, hands and feet, also where the label map missed them."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from tryon.agnostic.body import Body
from tryon.agnostic.limbs import fill_end, fill_hull
from tryon.agnostic.regions import Region, below, grow, ids_of, look_up, outside
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

KEPT_PARTS: dict[Category, tuple[DensePart, ...]] = {
    Category.UPPER_BODY: (*_ENDS, *_HEADS, *LEG_PARTS),
    Category.LOWER_BODY: (*_ENDS, *_HEADS, *ARM_PARTS),
    Category.DRESSES: (*_ENDS, *_HEADS),
}
"""DensePose parts that stay where the label map says background: it misses limbs, and may be empty."""

COLLAR = 0.05
"""The head stays down to this far above the line of the shoulders, in shoulder widths; below is a neckline's skin."""

BARE_SHOULDER = 0.3
"""Parsers give bare shoulders to the head as well; within this radius of their joints they do not count as head."""

_END_MARGIN = 0.006  # how far a hand's skin may lie outside its DensePose chart, in heights
_BACKGROUND = ids_of([Label.BACKGROUND])
_HEAD = ids_of([Label.HEAD])
_HEAD_CHARTS = ids_of(_HEADS)
_LABEL_TABLES = {category: ids_of(labels) for category, labels in KEPT_LABELS.items()}
_PART_TABLES = {category: ids_of(parts) for category, parts in KEPT_PARTS.items()}

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


def kept_whole(category: Category, label_map: NDArray[np.uint8], dense_pose: NDArray[np.uint8] | None) -> Region:
    """Labels that stay whole, and the DensePose parts that stay where the label map has nothing."""
    kept = look_up(label_map, _LABEL_TABLES[category])
    if dense_pose is not None:
        kept |= look_up(dense_pose, _PART_TABLES[category]) & look_up(label_map, _BACKGROUND)
    return kept


def kept_head(label_map: NDArray[np.uint8], dense_pose: NDArray[np.uint8] | None, body: Body) -> Region:
    """Face and neck without the skin that a neckline shows: above the shoulders, or in DensePose's head."""
    raised = COLLAR * body.unit * body.down
    right, left = body.at(Joint.RIGHT_SHOULDER, Joint.LEFT_SHOULDER) - raised
    skin = below(label_map.shape, right, left)
    for shoulder in (Joint.RIGHT_SHOULDER, Joint.LEFT_SHOULDER):
        fill_hull(skin, body.at(shoulder), [BARE_SHOULDER * body.unit])
    if dense_pose is not None:
        skin &= outside(look_up(dense_pose, _HEAD_CHARTS))
    return look_up(label_map, _HEAD) & outside(skin)


def kept_hands(label_map: NDArray[np.uint8], dense_pose: NDArray[np.uint8] | None, body: Body) -> Region:
    """Arm labels that are hand: by DensePose, and beyond the wrist on a side that DensePose does not show."""
    return _ends(_HANDS, look_up(label_map, _ARM_SKIN), dense_pose, body)


def kept_feet(label_map: NDArray[np.uint8], dense_pose: NDArray[np.uint8] | None, body: Body) -> Region:
    """Leg labels that are foot: by DensePose, and beyond the ankle on a side that DensePose does not show."""
    return _ends(_FEET, look_up(label_map, _LEG_SKIN), dense_pose, body)


def _ends(ends: Sequence[_End], skin: Region, dense_pose: NDArray[np.uint8] | None, body: Body) -> Region:
    found = np.zeros_like(skin)
    for part, last, before, radius in ends:
        chart = None if dense_pose is None else look_up(dense_pose, _ONE_PART[part])
        if chart is not None and cv2.countNonZero(chart):
            found |= grow(chart, _END_MARGIN * skin.shape[0])
        else:
            fill_end(found, body.points[last], body.points[before], radius * body.unit)
    return found & skin
