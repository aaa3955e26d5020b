"""How good one mask is, and what is known of the person from the same maps: the manifest's numbers and slices."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from tryon.agnostic.masks.attributes import arm_pose_of, sleeve_of, worn_of
from tryon.agnostic.masks.label_masks import arm_skin, foot_charts, hand_charts, leg_skin, worn_garment
from tryon.agnostic.masks.lower_body import lower_garment
from tryon.agnostic.masks.parsed_person import Scene
from tryon.agnostic.masks.protection import kept_head, kept_labels
from tryon.agnostic.masks.regions import WHOLE, Box, Region, box_around, enlarge, grow, square, thin_out, without
from tryon.agnostic.masks.upper_body import GARMENT_MARGIN
from tryon.categories import Category

HARDLY_ANYTHING, NEARLY_ALL = 0.002, 0.95
"""Masks outside these fractions of the picture are no masks: the files behind them tell nothing."""

SLACK = 0.008
"""How much farther than the recipe's margin a garment may be and still count as followed, in heights."""

KEPT_BESIDE = 0.004
"""How near to something that must be kept the mask's outline is not its own, in heights."""

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
    return audit_scene(category, mask, Scene(label_map, dense_pose, keypoints), margin)


def audit_scene(category: Category, mask: NDArray[np.bool_], scene: Scene, margin: float | None = None) -> Audit:
    """`audit`, for a scene that the mask was made from."""
    margin = GARMENT_MARGIN * scene.height if margin is None else margin
    hidden = mask.view(np.uint8)
    part = np.ascontiguousarray(hidden[scene.box.window])
    garment = must_hide(category, scene)
    kept = must_keep(category, scene)
    size = cv2.countNonZero(garment)
    return Audit(
        mask_fraction=cv2.countNonZero(hidden) / mask.size,
        leak_fraction=_fraction(without(garment, part), size),
        protected_fraction=_fraction(kept & part, cv2.countNonZero(kept)),
        outline_similarity=_outline_similarity(category, hidden, kept, margin, scene),
        worn=worn_of(category, scene.labels, size),
        sleeve=None if category is Category.LOWER_BODY else sleeve_of(scene.label_map, scene.body),
        arm_pose=arm_pose_of(scene.body),
        missing_joints=scene.body.seen.count(False),
    )


def outline_similarity(hidden: Region, garment: Region, kept: Region, margin: float, box: Box = WHOLE) -> float | None:
    """Share of the mask's own outline that runs along the outline of the worn garment.

    Its own outline is where it ends neither at the picture's border nor beside something that must be kept, for there
    the recipe has no choice. A pixel of it runs along the garment when the garment is no farther than the recipe's
    usual margin and `SLACK`. At 0 the mask's shape says nothing of the garment's; at 1 it is the garment, grown. A
    garment that fits as tight as skin gives a high number to a mask of the body alone, too: compare recipes, and look
    at the rows that stand out.

    Args:
        hidden: the mask.
        garment: what it is to hide, in the window.
        kept: what it must leave visible, in the window.
        margin: how far the recipe grows a garment, in pixels.
        box: the window of the picture outside which nothing is worn nor kept.
    """
    height = len(hidden)
    outline = hidden ^ cast(Region, cv2.erode(hidden, square(3)))  # beyond the border OpenCV sees no edge
    inner = outline[box.window]
    cv2.subtract(inner, grow(kept, KEPT_BESIDE * height), dst=inner)
    length = cv2.countNonZero(outline)
    if not length or not cv2.countNonZero(garment):
        return None
    worn = np.zeros(hidden.shape, np.uint8)
    worn[box.window] = garment
    reach = margin + SLACK * height
    near = box_around(worn, round(reach) + 1).window
    return cv2.countNonZero(cv2.bitwise_and(outline[near], grow(worn[near], reach))) / length


def _outline_similarity(category: Category, hidden: Region, kept: Region, margin: float, scene: Scene) -> float | None:
    """`outline_similarity` in the pixels of the coarse scene."""
    coarse = scene.coarse
    hidden, kept = (thin_out(region, scene.step) for region in (hidden, kept))
    return outline_similarity(hidden, must_hide(category, coarse), kept, margin / scene.step, coarse.box)


def unusable(found: Audit) -> str | None:
    """Why a mask must not be used: it hides next to nothing or next to everything. None when it may."""
    if found.mask_fraction < HARDLY_ANYTHING:
        return f"mask: nothing found to hide ({found.mask_fraction:.2%} of the picture)"
    if found.mask_fraction > NEARLY_ALL:
        return f"mask: nothing left to see ({found.mask_fraction:.2%} of the picture hidden)"
    return None


def must_hide(category: Category, scene: Scene) -> Region:
    """The worn garment, which a mask must hide, in the scene's window."""
    return scene.once(lower_garment) if category is Category.LOWER_BODY else scene.once(worn_garment, category)


def must_keep(category: Category, scene: Scene) -> Region:
    """Pixels that a mask must leave visible, in the scene's window: stricter than what the recipe protects, which may
    err on their side."""
    kept = scene.once(kept_labels, category).copy()
    if category is not Category.LOWER_BODY:
        kept |= scene.once(kept_head)
    if category is not Category.LOWER_BODY:
        kept |= scene.once(arm_skin) & enlarge(scene.coarse.once(hand_charts), scene.step)
    if category is not Category.UPPER_BODY:
        kept |= scene.once(leg_skin) & enlarge(scene.coarse.once(foot_charts), scene.step)
    return kept


def _fraction(part: Region, whole: int) -> float | None:
    return cv2.countNonZero(part) / whole if whole else None
