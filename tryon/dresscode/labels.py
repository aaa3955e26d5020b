"""Ids in the data set's maps: ATR labels, DensePose charts, OpenPose joints."""

from __future__ import annotations

from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from tryon.categories import Category


class Label(IntEnum):
    """ATR ids of the label maps; left and right are the wearer's."""

    BACKGROUND = 0
    HAT = 1
    HAIR = 2
    SUNGLASSES = 3
    UPPER_CLOTHES = 4
    SKIRT = 5
    PANTS = 6
    DRESS = 7
    BELT = 8
    LEFT_SHOE = 9
    RIGHT_SHOE = 10
    HEAD = 11
    LEFT_LEG = 12
    RIGHT_LEG = 13
    LEFT_ARM = 14
    RIGHT_ARM = 15
    BAG = 16
    SCARF = 17


class DensePart(IntEnum):
    """DensePose ids of the dense maps. The pelvis counts as torso."""

    BACKGROUND = 0
    TORSO_BACK = 1
    TORSO_FRONT = 2
    RIGHT_HAND = 3
    LEFT_HAND = 4
    LEFT_FOOT = 5
    RIGHT_FOOT = 6
    RIGHT_UPPER_LEG_BACK = 7
    LEFT_UPPER_LEG_BACK = 8
    RIGHT_UPPER_LEG_FRONT = 9
    LEFT_UPPER_LEG_FRONT = 10
    RIGHT_LOWER_LEG_BACK = 11
    LEFT_LOWER_LEG_BACK = 12
    RIGHT_LOWER_LEG_FRONT = 13
    LEFT_LOWER_LEG_FRONT = 14
    LEFT_UPPER_ARM_INNER = 15
    RIGHT_UPPER_ARM_INNER = 16
    LEFT_UPPER_ARM_OUTER = 17
    RIGHT_UPPER_ARM_OUTER = 18
    LEFT_LOWER_ARM_INNER = 19
    RIGHT_LOWER_ARM_INNER = 20
    LEFT_LOWER_ARM_OUTER = 21
    RIGHT_LOWER_ARM_OUTER = 22
    HEAD_RIGHT = 23
    HEAD_LEFT = 24


class Joint(IntEnum):
    """OpenPose-18 joints; left and right are the wearer's."""

    NOSE = 0
    NECK = 1
    RIGHT_SHOULDER = 2
    RIGHT_ELBOW = 3
    RIGHT_WRIST = 4
    LEFT_SHOULDER = 5
    LEFT_ELBOW = 6
    LEFT_WRIST = 7
    RIGHT_HIP = 8
    RIGHT_KNEE = 9
    RIGHT_ANKLE = 10
    LEFT_HIP = 11
    LEFT_KNEE = 12
    LEFT_ANKLE = 13
    RIGHT_EYE = 14
    LEFT_EYE = 15
    RIGHT_EAR = 16
    LEFT_EAR = 17


GARMENT_LABELS: dict[Category, tuple[Label, ...]] = {
    Category.UPPER_BODY: (Label.UPPER_CLOTHES, Label.DRESS),
    Category.LOWER_BODY: (Label.SKIRT, Label.PANTS, Label.BELT),
    Category.DRESSES: (Label.DRESS, Label.UPPER_CLOTHES, Label.SKIRT, Label.BELT),
}
"""Labels of the worn garment by category, the most frequent first. A top may be parsed partly as dress, a dress as top
plus skirt; belts have their own label. 28.8 % of the lower-body test garments are skirts."""

MIN_SCORE = 0.01
"""A joint is detected if its score is above this. The position does not tell: a cropped head is valid with y = 0, a
missing joint is (-1, -1) with score 0."""


def garment_region(label_map: NDArray[np.uint8], category: Category) -> NDArray[np.bool_]:
    """Return the pixels of the worn garment of `category`, bool (H, W), in ATR ids, uint8 (H, W)."""
    table = np.zeros(256, np.bool_)
    table[list(GARMENT_LABELS[category])] = True
    return table[label_map]
