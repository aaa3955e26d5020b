"""Audit a mask against the maps that it was made from: quality metrics and attributes for the manifest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from tryon.agnostic.masks.attributes import classify_arm_pose, classify_garment, classify_sleeve
from tryon.agnostic.masks.label_masks import arm_skin, foot_parts, garment_mask, hand_parts, leg_skin
from tryon.agnostic.masks.lower_body import lower_garment
from tryon.agnostic.masks.parsed_person import ParsedPerson
from tryon.agnostic.masks.protection import protected_head, protected_labels
from tryon.agnostic.masks.regions import (
    FULL_IMAGE,
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

MIN_FRACTION, MAX_FRACTION = 0.002, 0.95
"""A mask outside these fractions of the image is unusable: its files contain no evidence."""

OUTLINE_TOLERANCE = 0.008
"""Distance beyond the method's margin within which the outline follows the garment, in heights."""

PROTECTED_MARGIN = 0.004
"""Distance from a protected region within which the outline does not count, in heights."""

NUMBERS = ("mask_fraction", "leak_fraction", "protected_fraction", "outline_similarity")
"""Metrics in `MaskQuality`, columns of the manifest."""


@dataclass(frozen=True)
class MaskQuality:
    """Metrics and attributes of one mask.

    Args:
        mask_fraction: masked pixels of all pixels.
        leak_fraction: visible garment pixels of all garment pixels; None if the label map has no garment.
        protected_fraction: masked pixels of the protected region; None if there is none.
        outline_similarity: fraction of the mask's outline that follows the worn garment, see `outline_similarity`.
            None without a garment or an outline.
        worn: skirt, trousers, dress, top or none, from the label map.
        sleeve: sleeveless, short or long, from the labels along the arms; None if unknown.
        arm_pose: side, bent, crossed or hidden, from the key points.
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
    """Audit a mask against the maps it was made from; other arguments as in `agnostic_mask`.

    Args:
        margin: dilation of the garment by the method, in pixels (`methods.MARGINS`); None for the default method's.
    """
    return audit_person(category, mask, ParsedPerson(label_map, dense_pose, keypoints), margin)


def audit_person(
    category: Category, mask: NDArray[np.bool_], person: ParsedPerson, margin: float | None = None
) -> MaskQuality:
    """Audit a mask as `audit` does, reusing the person that it was made from."""
    margin = GARMENT_MARGIN * person.height if margin is None else margin
    masked = mask.view(np.uint8)
    part = np.ascontiguousarray(masked[person.window.slices])
    garment = target_mask(category, person)
    protected = protected_mask(category, person)
    garment_size = cv2.countNonZero(garment)
    coarse, step = person.downsampled, person.step
    return MaskQuality(
        mask_fraction=cv2.countNonZero(masked) / mask.size,
        leak_fraction=_fraction(subtract(garment, part), garment_size),
        protected_fraction=_fraction(protected & part, cv2.countNonZero(protected)),
        outline_similarity=outline_similarity(
            subsample(masked, step),
            target_mask(category, coarse),
            subsample(protected, step),
            margin / step,
            coarse.window,
        ),
        worn=classify_garment(category, person.labels, garment_size),
        sleeve=None if category is Category.LOWER_BODY else classify_sleeve(person.label_map, person.body),
        arm_pose=classify_arm_pose(person.body),
        missing_joints=person.body.detected.count(False),
    )


def outline_similarity(
    masked: Mask, garment: Mask, protected: Mask, margin: float, window: Window = FULL_IMAGE
) -> float | None:
    """Compute the fraction of the mask's outline that follows the outline of the worn garment.

    The outline excludes the image's border and the neighborhood of protected regions, where the method has no choice.
    A pixel of it follows the garment if the garment is within the method's margin plus `OUTLINE_TOLERANCE`. At 0 the
    mask's shape reveals nothing of the garment's; at 1 it is the dilated garment. A tight garment gives a high value to
    a mask of the body alone, too: compare methods, and inspect outliers.

    Args:
        masked: the mask.
        garment: the worn garment, in the window.
        protected: the protected region, in the window.
        margin: dilation of the garment by the method, in pixels.
        window: of the image, outside which there is no garment and no protected region.
    """
    height = len(masked)
    outline = masked ^ cast(Mask, cv2.erode(masked, square(3)))  # OpenCV sees no edge at the border
    inner = outline[window.slices]
    cv2.subtract(inner, dilate(protected, PROTECTED_MARGIN * height), dst=inner)
    length = cv2.countNonZero(outline)
    if not length or not cv2.countNonZero(garment):
        return None
    worn = np.zeros(masked.shape, np.uint8)
    worn[window.slices] = garment
    reach = margin + OUTLINE_TOLERANCE * height
    near = bounding_window(worn, round(reach) + 1).slices
    return cv2.countNonZero(cv2.bitwise_and(outline[near], dilate(worn[near], reach))) / length


def rejection_reason(quality: MaskQuality) -> str | None:
    """Return why a mask is unusable, or None: it covers next to nothing or nearly everything."""
    if quality.mask_fraction < MIN_FRACTION:
        return f"mask: nearly empty ({quality.mask_fraction:.2%} of the image)"
    if quality.mask_fraction > MAX_FRACTION:
        return f"mask: covers nearly everything ({quality.mask_fraction:.2%} of the image)"
    return None


def target_mask(category: Category, person: ParsedPerson) -> Mask:
    """Return the worn garment, which a mask must cover, in the window."""
    return person.cached(lower_garment) if category is Category.LOWER_BODY else person.cached(garment_mask, category)


def protected_mask(category: Category, person: ParsedPerson) -> Mask:
    """Return the pixels that must stay visible, in the window; mask methods may protect more."""
    region = person.cached(protected_labels, category).copy()
    if category is not Category.LOWER_BODY:
        region |= person.cached(protected_head)
        region |= person.cached(arm_skin) & upsample(person.downsampled.cached(hand_parts), person.step)
    if category is not Category.UPPER_BODY:
        region |= person.cached(leg_skin) & upsample(person.downsampled.cached(foot_parts), person.step)
    return region


def _fraction(part: Mask, total: int) -> float | None:
    return cv2.countNonZero(part) / total if total else None
