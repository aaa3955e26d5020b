"""How good one mask is, and what is known of the person from the same maps: the manifest's numbers and slices."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from tryon.agnostic.masks.attributes import classify_arm_pose, classify_garment, classify_sleeve
from tryon.agnostic.masks.label_masks import arm_skin, foot_charts, garment_mask, hand_charts, leg_skin
from tryon.agnostic.masks.lower_body import lower_garment
from tryon.agnostic.masks.parsed_person import ParsedPerson
from tryon.agnostic.masks.protection import protected_head, protected_labels
from tryon.agnostic.masks.regions import (
    WHOLE,
    Mask,
    Window,
    bounding_window,
    dilate,
    square,
    subsample,
    subtract,
    upsample,
)
from tryon.agnostic.masks.upper_body import GARMENT_MARGIN
from tryon.categories import Category

HARDLY_ANYTHING, NEARLY_ALL = 0.002, 0.95
"""Masks outside these fractions of the image are no masks: the files behind them tell nothing."""

OUTLINE_TOLERANCE = 0.008
"""How much farther than the recipe's margin a garment may be and still count as followed, in heights."""

KEPT_BESIDE = 0.004
"""How near to something that must be kept the mask's outline is not its own, in heights."""

NUMBERS = ("mask_fraction", "leak_fraction", "protected_fraction", "outline_similarity")
"""The fields of `MaskQuality` that are fractions, columns of the manifest."""


@dataclass(frozen=True)
class MaskQuality:
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
) -> MaskQuality:
    """Audit a mask against the maps it was made from; arguments as in `agnostic_mask`.

    Args:
        margin: how far the recipe grows a garment, in pixels (`recipes.MARGINS`); None for the default recipe's.
    """
    return audit_person(category, mask, ParsedPerson(label_map, dense_pose, keypoints), margin)


def audit_person(
    category: Category, mask: NDArray[np.bool_], scene: ParsedPerson, margin: float | None = None
) -> MaskQuality:
    """`audit`, for a scene that the mask was made from."""
    margin = GARMENT_MARGIN * scene.height if margin is None else margin
    hidden = mask.view(np.uint8)
    part = np.ascontiguousarray(hidden[scene.box.window])
    garment = target_mask(category, scene)
    kept = protected_mask(category, scene)
    size = cv2.countNonZero(garment)
    return MaskQuality(
        mask_fraction=cv2.countNonZero(hidden) / mask.size,
        leak_fraction=_fraction(subtract(garment, part), size),
        protected_fraction=_fraction(kept & part, cv2.countNonZero(kept)),
        outline_similarity=_outline_similarity(category, hidden, kept, margin, scene),
        worn=classify_garment(category, scene.labels, size),
        sleeve=None if category is Category.LOWER_BODY else classify_sleeve(scene.label_map, scene.body),
        arm_pose=classify_arm_pose(scene.body),
        missing_joints=scene.body.detected.count(False),
    )


def outline_similarity(hidden: Mask, garment: Mask, kept: Mask, margin: float, box: Window = WHOLE) -> float | None:
    """Share of the mask's own outline that runs along the outline of the worn garment.

    Its own outline is where it ends neither at the image's border nor beside something that must be kept, for there
    the recipe has no choice. A pixel of it runs along the garment when the garment is no farther than the recipe's
    usual margin and `OUTLINE_TOLERANCE`. At 0 the mask's shape says nothing of the garment's; at 1 it is the garment, grown. A
    garment that fits as tight as skin gives a high number to a mask of the body alone, too: compare recipes, and look
    at the rows that stand out.

    Args:
        hidden: the mask.
        garment: what it is to hide, in the window.
        kept: what it must leave visible, in the window.
        margin: how far the recipe grows a garment, in pixels.
        box: the window of the image outside which nothing is worn nor kept.
    """
    height = len(hidden)
    outline = hidden ^ cast(Mask, cv2.erode(hidden, square(3)))  # beyond the border OpenCV sees no edge
    inner = outline[box.window]
    cv2.subtract(inner, dilate(kept, KEPT_BESIDE * height), dst=inner)
    length = cv2.countNonZero(outline)
    if not length or not cv2.countNonZero(garment):
        return None
    worn = np.zeros(hidden.shape, np.uint8)
    worn[box.window] = garment
    reach = margin + OUTLINE_TOLERANCE * height
    near = bounding_window(worn, round(reach) + 1).window
    return cv2.countNonZero(cv2.bitwise_and(outline[near], dilate(worn[near], reach))) / length


def _outline_similarity(
    category: Category, hidden: Mask, kept: Mask, margin: float, scene: ParsedPerson
) -> float | None:
    """`outline_similarity` in the pixels of the coarse scene."""
    coarse = scene.downsampled
    hidden, kept = (subsample(region, scene.step) for region in (hidden, kept))
    return outline_similarity(hidden, target_mask(category, coarse), kept, margin / scene.step, coarse.box)


def rejection_reason(found: MaskQuality) -> str | None:
    """Why a mask must not be used: it hides next to nothing or next to everything. None when it may."""
    if found.mask_fraction < HARDLY_ANYTHING:
        return f"mask: nothing found to hide ({found.mask_fraction:.2%} of the image)"
    if found.mask_fraction > NEARLY_ALL:
        return f"mask: nothing left to see ({found.mask_fraction:.2%} of the image hidden)"
    return None


def target_mask(category: Category, scene: ParsedPerson) -> Mask:
    """The worn garment, which a mask must hide, in the scene's window."""
    return scene.cached(lower_garment) if category is Category.LOWER_BODY else scene.cached(garment_mask, category)


def protected_mask(category: Category, scene: ParsedPerson) -> Mask:
    """Pixels that a mask must leave visible, in the scene's window: stricter than what the recipe protects, which may
    err on their side."""
    kept = scene.cached(protected_labels, category).copy()
    if category is not Category.LOWER_BODY:
        kept |= scene.cached(protected_head)
    if category is not Category.LOWER_BODY:
        kept |= scene.cached(arm_skin) & upsample(scene.downsampled.cached(hand_charts), scene.step)
    if category is not Category.UPPER_BODY:
        kept |= scene.cached(leg_skin) & upsample(scene.downsampled.cached(foot_charts), scene.step)
    return kept


def _fraction(part: Mask, whole: int) -> float | None:
    return cv2.countNonZero(part) / whole if whole else None
