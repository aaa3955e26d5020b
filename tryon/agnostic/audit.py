"""How good one mask is, and what is known of the person from the same maps: the manifest's numbers and slices."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from tryon.agnostic.body import Body, body_from_keypoints
from tryon.agnostic.protection import KEPT_LABELS, kept_head
from tryon.agnostic.regions import Region, grow, ids_of, look_up, outside
from tryon.agnostic.slices import arm_pose_of, sleeve_of, worn_of
from tryon.agnostic.upper_body import GARMENT_MARGIN
from tryon.categories import Category
from tryon.dresscode.labels import GARMENT_LABELS, DensePart, Label

HARDLY_ANYTHING, NEARLY_ALL = 0.002, 0.95
"""Masks outside these fractions of the picture are no masks: the files behind them tell nothing."""

SLACK = 0.008
"""How much farther than the recipe's margin a garment may be and still count as followed, in heights."""

KEPT_BESIDE = 0.004
"""How near to something that must be kept the mask's outline is not its own, in heights."""

_NEIGHBOURS = np.ones((3, 3), np.uint8)
GARMENTS = {category: ids_of(labels) for category, labels in GARMENT_LABELS.items()}
_KEPT = {category: ids_of(labels) for category, labels in KEPT_LABELS.items()}
_ARM_SKIN, _LEG_SKIN = (
    ids_of([Label.LEFT_ARM, Label.RIGHT_ARM]),
    ids_of([Label.LEFT_LEG, Label.RIGHT_LEG]),
)
_HANDS = ids_of([DensePart.RIGHT_HAND, DensePart.LEFT_HAND])
_FEET = ids_of([DensePart.RIGHT_FOOT, DensePart.LEFT_FOOT])


NUMBERS = ("mask_fraction", "leak_fraction", "protected_fraction", "outline_similarity")
"""The fields of `Audit` that are fractions, columns of the manifest."""


@dataclass(frozen=True)
class Audit:
    """Numbers and slices of one mask.

    Args:
        mask_fraction: hidden pixels of all pixels.
        leak_fraction: garment pixels left visible, of all garment pixels; None when the label map shows no garment.
        protected_fraction: pixels hidden that must be kept, of all such; None when there are none.
        outline_similarity: how much of the mask's outline is that of the worn garment, moved out by the recipe's
            margin: see `outline_similarity`. None when there is no garment, or no outline of the mask's own.
        worn: skirt, trousers, dress, top or none, by the label map.
        sleeve: sleeveless, short or long, by the labels along the arms; None when no arm can be followed.
        arm_pose: side, bent, crossed or hidden, by the key points.
        missing_joints: of 18.
    """

    mask_fraction: float
    leak_fraction: float | None
    protected_fraction: float | None
    outline_similarity: float | None
    worn: str
    sleeve: str | None
    arm_pose: str
    missing_joints: int


def audit(
    category: Category,
    mask: NDArray[np.bool_],
    label_map: NDArray[np.uint8],
    dense_pose: NDArray[np.uint8] | None,
    keypoints: NDArray[np.floating],
    margin: float | None = None,
) -> Audit:
    """Audit a mask against the maps it was made from; arguments as in `agnostic_mask`.

    Args:
        margin: how far the recipe grows a garment, in pixels (`recipes.MARGINS`); None for the default recipe's.
    """
    margin = GARMENT_MARGIN * len(label_map) if margin is None else margin
    body = body_from_keypoints(keypoints, len(label_map))
    hidden = mask.view(np.uint8)
    garment = look_up(label_map, GARMENTS[category])
    kept = must_keep(category, label_map, dense_pose, body)
    return Audit(
        mask_fraction=cv2.countNonZero(hidden) / mask.size,
        leak_fraction=_fraction(garment & outside(hidden), garment),
        protected_fraction=_fraction(kept & hidden, kept),
        outline_similarity=outline_similarity(hidden, garment, kept, margin),
        worn=worn_of(category, label_map),
        sleeve=None if category is Category.LOWER_BODY else sleeve_of(label_map, body),
        arm_pose=arm_pose_of(body),
        missing_joints=int((~body.seen).sum()),
    )


def outline_similarity(hidden: Region, garment: Region, kept: Region, margin: float) -> float | None:
    """Share of the mask's own outline that runs along the outline of the worn garment.

    Its own outline is where it ends neither at the picture's border nor beside something that must be kept, for there
    the recipe has no choice. A pixel of it runs along the garment when the garment is no farther than the recipe's
    usual margin and `SLACK`. At 0 the mask's shape says nothing of the garment's; at 1 it is the garment, grown. A
    garment that fits as tight as skin gives a high number to a mask of the body alone, too: compare recipes, and look
    at the rows that stand out.

    Args:
        hidden: the mask.
        garment: what it is to hide.
        kept: what it must leave visible.
        margin: how far the recipe grows a garment, in pixels.
    """
    height = len(hidden)
    outline = hidden & outside(cast(Region, cv2.erode(hidden, _NEIGHBOURS)))  # beyond the border OpenCV sees no edge
    outline &= outside(grow(kept, KEPT_BESIDE * height))
    return _fraction(outline & grow(garment, margin + SLACK * height), outline) if cv2.countNonZero(garment) else None


def unusable(found: Audit) -> str | None:
    """Why a mask must not be used: it hides next to nothing or next to everything. None when it may."""
    if found.mask_fraction < HARDLY_ANYTHING:
        return f"mask: nothing found to hide ({found.mask_fraction:.2%} of the picture)"
    if found.mask_fraction > NEARLY_ALL:
        return f"mask: nothing left to see ({found.mask_fraction:.2%} of the picture hidden)"
    return None


def must_keep(
    category: Category, label_map: NDArray[np.uint8], dense_pose: NDArray[np.uint8] | None, body: Body
) -> Region:
    """Pixels that a mask must leave visible: stricter than what the recipe protects, which may err on their side."""
    kept = look_up(label_map, _KEPT[category])
    if category is not Category.LOWER_BODY:
        kept |= kept_head(label_map, dense_pose, body)
    if dense_pose is not None and category is not Category.LOWER_BODY:
        kept |= look_up(label_map, _ARM_SKIN) & look_up(dense_pose, _HANDS)
    if dense_pose is not None and category is not Category.UPPER_BODY:
        kept |= look_up(label_map, _LEG_SKIN) & look_up(dense_pose, _FEET)
    return kept


def _fraction(part: Region, whole: Region) -> float | None:
    count = cv2.countNonZero(whole)
    return cv2.countNonZero(part) / count if count else None
