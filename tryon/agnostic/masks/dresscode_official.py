"""The mask recipe of the data set's own published loader, to reproduce the inputs of models trained on it.

Restated from its description, constants as they were. They are pixels and scale with nothing, so a person's mask at
another size is another one, and at more than 512 rows it grows more than twice as much.

Its faults are kept, because a model trained on it knows no other input. The known ones: a lower-body garment is hidden
only where it is parsed as trousers or leg, so a SKIRT STAYS VISIBLE, as does a belt; a dress that is parsed as top and
skirt stays visible; on dresses a chin may be hidden. `fitting-room` has none of them. Where the original trips, over a
joint that is missing, this recipe leaves the joint out of the line through the arms (which then runs straight between
its neighbors, and is not drawn through fewer than two joints), and without both shoulders the head is not cut.
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

SMALL = 512
"""Up to this many rows the small growth holds, above it the large one."""

ARM_WIDTH = 30
"""Width of the line through the arms, pixels at any size."""

TIMES = 5
"""How often each dilation is done."""

GARMENT_GROWTH, LARGE_GARMENT_GROWTH = 5, 20
"""Side of the square that the garment is dilated by: 10 pixels to each side in all; above 512 rows 50 to the right and
down, 45 to the left and up, because an even square has no middle."""

LARGE_ARM_GROWTH = 10
"""The same for the arms above 512 rows; at most that high they are not dilated."""

COLLAR = 20 / 512
"""The head is kept down to this far above the line of the shoulders, in heights."""

_HIDDEN = {
    Category.UPPER_BODY: label_set([Label.UPPER_CLOTHES]),
    Category.LOWER_BODY: label_set([Label.PANTS, Label.LEFT_LEG, Label.RIGHT_LEG]),
    Category.DRESSES: label_set([Label.DRESS, Label.LEFT_LEG, Label.RIGHT_LEG]),
}
_ALWAYS = (Label.HAIR, Label.LEFT_SHOE, Label.RIGHT_SHOE, Label.HAT, Label.SUNGLASSES, Label.SCARF, Label.BAG)
_KEPT = {
    Category.UPPER_BODY: label_set([*_ALWAYS, Label.SKIRT, Label.PANTS]),
    Category.LOWER_BODY: label_set([*_ALWAYS, Label.UPPER_CLOTHES]),
    Category.DRESSES: label_set(_ALWAYS),
}
_ARM_SKIN = label_set([Label.LEFT_ARM, Label.RIGHT_ARM])
_HEAD = label_set([Label.HEAD])
_ALONG_ARMS = (
    Joint.RIGHT_WRIST,
    Joint.RIGHT_ELBOW,
    Joint.RIGHT_SHOULDER,
    Joint.LEFT_SHOULDER,
    Joint.LEFT_ELBOW,
    Joint.LEFT_WRIST,
)


def dresscode_official(
    category: Category,
    label_map: NDArray[np.uint8],
    dense_pose: NDArray[np.uint8] | None,
    keypoints: NDArray[np.floating],
) -> Mask:
    """Mask by the published recipe; arguments as in `agnostic_mask`. DensePose is not looked at.

    Hidden are the garment's labels, dilated, and for tops and dresses a line through the joints of both arms. Kept are
    hair, shoes, hat, sunglasses, scarf, bag, the other half's clothes, the head above the shoulders, and what is parsed
    as arm beside the line: the hands.

    Returns:
        uint8 (H, W), 1 = hidden.
    """
    del dense_pose
    seen = (keypoints[:, 2] > MIN_SCORE) & np.isfinite(keypoints).all(1)
    large = len(label_map) > SMALL
    reach = _dilated(labels_in(label_map, _HIDDEN[category]), LARGE_GARMENT_GROWTH if large else GARMENT_GROWTH)
    head, arms = labels_in(label_map, _HEAD), labels_in(label_map, _ARM_SKIN)
    if category is not Category.LOWER_BODY:
        line = _arm_line(label_map.shape, keypoints, seen)
        line = _dilated(line, LARGE_ARM_GROWTH) if large else line
        reach, arms = reach | line, arms & invert(line)
        head = _above_shoulders(head, keypoints, seen)
    return reach & invert(labels_in(label_map, _KEPT[category]) | head | arms)


def garment_margin(height: int) -> float:
    """How far the garment is grown to each side in a image of this height, in pixels."""
    return TIMES * ((LARGE_GARMENT_GROWTH if height > SMALL else GARMENT_GROWTH) - 1) / 2


def _dilated(region: Mask, side: int) -> Mask:
    return cast(Mask, cv2.dilate(region, np.ones((side, side), np.uint8), iterations=TIMES))


def _arm_line(shape: tuple[int, int], keypoints: NDArray[np.floating], seen: NDArray[np.bool_]) -> Mask:
    """A line from wrist to wrist over elbows and shoulders, its bends rounded and its ends straight."""
    image = Image.new("L", (shape[1], shape[0]))
    joints = [(float(keypoints[joint, 0]), float(keypoints[joint, 1])) for joint in _ALONG_ARMS if seen[joint]]
    if len(joints) > 1:
        ImageDraw.Draw(image).line(joints, fill=1, width=ARM_WIDTH, joint="curve")
    return np.array(image)


def _above_shoulders(head: Mask, keypoints: NDArray[np.floating], seen: NDArray[np.bool_]) -> Mask:
    """The pixels of the head above the line through the shoulders, raised by `COLLAR`."""
    if not seen[[Joint.RIGHT_SHOULDER, Joint.LEFT_SHOULDER]].all():
        return head
    height, width = head.shape
    right, left = keypoints[[Joint.RIGHT_SHOULDER, Joint.LEFT_SHOULDER], :2].astype(np.float64)
    run = left - right
    slope = run[1] / run[0] if run[0] else 0.0  # a person seen edge on: the level of the right shoulder
    level = right[1] + slope * (np.arange(width) - right[0]) - COLLAR * height
    return head & (np.arange(height)[:, None] < level).view(np.uint8)
