"""The mask method of the data set's published loader, to reproduce the inputs of models trained with it.

Reimplemented from its description with the original constants. They are pixels and do not scale, so masks depend on the
size, and the dilation above 512 rows is more than twice as large.

Its known faults are reproduced, since models trained on it know no other input: a lower-body garment is masked only
where it is parsed as trousers or leg, so a SKIRT STAYS VISIBLE, as does a belt; a dress parsed as top and skirt stays
visible; on dresses a chin may be masked. `fitting-room` has none of them. Where the original fails on a missing joint,
this method omits the joint from the line through the arms (and draws none through fewer than two joints), and without
both shoulders the head is not cut.
"""

from __future__ import annotations

from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from tryon.agnostic.masks.regions import Mask, invert, label_set, labels_in
from tryon.categories import Category
from tryon.dresscode.labels import MIN_SCORE, Joint, Label

SMALL_HEIGHT = 512
"""Height up to which the small kernels are used."""

ARM_WIDTH = 30
"""Width of the line through the arms, pixels at any size."""

ITERATIONS = 5
"""Iterations of each dilation."""

GARMENT_KERNEL, LARGE_GARMENT_KERNEL = 5, 20
"""Side of the kernel that dilates the garment: 10 pixels to each side in total; above 512 rows 50 to the right and
down, 45 to the left and up, because an even kernel has no center."""

LARGE_ARM_KERNEL = 10
"""Side of the kernel that dilates the arms above 512 rows; below they are not dilated."""

COLLAR = 20 / 512
"""The head is protected down to this far above the line of the shoulders, in heights."""

_MASKED = {
    Category.UPPER_BODY: label_set([Label.UPPER_CLOTHES]),
    Category.LOWER_BODY: label_set([Label.PANTS, Label.LEFT_LEG, Label.RIGHT_LEG]),
    Category.DRESSES: label_set([Label.DRESS, Label.LEFT_LEG, Label.RIGHT_LEG]),
}
_ALWAYS = (Label.HAIR, Label.LEFT_SHOE, Label.RIGHT_SHOE, Label.HAT, Label.SUNGLASSES, Label.SCARF, Label.BAG)
_PROTECTED = {
    Category.UPPER_BODY: label_set([*_ALWAYS, Label.SKIRT, Label.PANTS]),
    Category.LOWER_BODY: label_set([*_ALWAYS, Label.UPPER_CLOTHES]),
    Category.DRESSES: label_set(_ALWAYS),
}
_ARM_SKIN = label_set([Label.LEFT_ARM, Label.RIGHT_ARM])
_HEAD = label_set([Label.HEAD])
_ALONG_ARMS = (
    Joint.RIGHT_WRIST, Joint.RIGHT_ELBOW, Joint.RIGHT_SHOULDER,
    Joint.LEFT_SHOULDER, Joint.LEFT_ELBOW, Joint.LEFT_WRIST,
)  # fmt: skip


def dresscode_official(
    category: Category,
    label_map: NDArray[np.uint8],
    dense_pose: NDArray[np.uint8] | None,
    keypoints: NDArray[np.floating],
) -> Mask:
    """Compute the mask by the published method; arguments as in `agnostic_mask`, DensePose is not used.

    Masked are the garment's labels, dilated, and for tops and dresses a line through the joints of both arms. Visible
    stay hair, shoes, hat, sunglasses, scarf, bag, the clothes of the other half, the head above the shoulders, and arm
    labels outside the line: the hands.
    """
    del dense_pose
    detected = (keypoints[:, 2] > MIN_SCORE) & np.isfinite(keypoints).all(1)
    large = len(label_map) > SMALL_HEIGHT
    coverage = _dilate(labels_in(label_map, _MASKED[category]), LARGE_GARMENT_KERNEL if large else GARMENT_KERNEL)
    head, arms = labels_in(label_map, _HEAD), labels_in(label_map, _ARM_SKIN)
    if category is not Category.LOWER_BODY:
        line = _arm_line(label_map.shape, keypoints, detected)
        line = _dilate(line, LARGE_ARM_KERNEL) if large else line
        coverage, arms = coverage | line, arms & invert(line)
        head = _above_shoulders(head, keypoints, detected)
    return coverage & invert(labels_in(label_map, _PROTECTED[category]) | head | arms)


def garment_margin(height: int) -> float:
    """Return the dilation of the garment to each side in an image of this height, in pixels."""
    return ITERATIONS * ((LARGE_GARMENT_KERNEL if height > SMALL_HEIGHT else GARMENT_KERNEL) - 1) / 2


def _dilate(region: Mask, side: int) -> Mask:
    return cast(Mask, cv2.dilate(region, np.ones((side, side), np.uint8), iterations=ITERATIONS))


def _arm_line(shape: tuple[int, int], keypoints: NDArray[np.floating], detected: NDArray[np.bool_]) -> Mask:
    """Draw a line from wrist to wrist over elbows and shoulders, with round bends and straight ends."""
    image = Image.new("L", (shape[1], shape[0]))
    joints = [(float(keypoints[joint, 0]), float(keypoints[joint, 1])) for joint in _ALONG_ARMS if detected[joint]]
    if len(joints) > 1:
        ImageDraw.Draw(image).line(joints, fill=1, width=ARM_WIDTH, joint="curve")
    return np.array(image)


def _above_shoulders(head: Mask, keypoints: NDArray[np.floating], detected: NDArray[np.bool_]) -> Mask:
    """Return the pixels of the head above the line through the shoulders, raised by `COLLAR`."""
    if not detected[[Joint.RIGHT_SHOULDER, Joint.LEFT_SHOULDER]].all():
        return head
    height, width = head.shape
    right, left = keypoints[[Joint.RIGHT_SHOULDER, Joint.LEFT_SHOULDER], :2].astype(np.float64)
    run = left - right
    slope = run[1] / run[0] if run[0] else 0.0  # in a side view: the level of the right shoulder
    level = right[1] + slope * (np.arange(width) - right[0]) - COLLAR * height
    return head & (np.arange(height)[:, None] < level).view(np.uint8)
