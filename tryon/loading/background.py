"""Another background: the data have bare studio walls, photographs from elsewhere have not."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

_PATCHES = (2, 5, 12, 30)  # along the height, from coarse to fine
_DRAWN_AT = 64  # rows: what is behind a person is out of focus
_RIM = np.ones((3, 3), np.uint8)


def random_scene(size: tuple[int, int], seed: int) -> NDArray[np.uint8]:
    """A background drawn at random: soft patches of colour, coarse and fine; uint8 (H, W, 3).

    Args:
        size: (height, width).
        seed: gives the same scene again.
    """
    rng = np.random.default_rng(seed)
    small = (_DRAWN_AT, max(1, round(_DRAWN_AT * size[1] / size[0])))
    scene = np.full((*small, 3), rng.uniform(40, 230) + rng.normal(0, 20, 3), np.float32)
    for patches in _PATCHES:
        shape = (patches, max(1, round(patches * size[1] / size[0])), 1)
        shades, tints = rng.normal(0, rng.uniform(0, 30), shape), rng.normal(0, rng.uniform(0, 15), (*shape[:2], 3))
        coarse = (shades + tints).astype(np.float32)
        scene += cv2.resize(coarse, small[::-1], interpolation=cv2.INTER_CUBIC)
    drawn = scene.clip(0, 255).astype(np.uint8)
    return cv2.resize(drawn, size[::-1], interpolation=cv2.INTER_LINEAR).astype(np.uint8, copy=False)


def replace_background(
    person: NDArray[np.uint8], background: NDArray[np.bool_], mask: NDArray[np.bool_], scene: NDArray[np.uint8]
) -> NDArray[np.uint8]:
    """Put a person before another background.

    The outermost pixel of what stays is mixed with the old background, so it goes too. Where the mask ends it stays:
    the outline of what is hidden must not show in what is seen.

    Args:
        person, scene: uint8 (H, W, 3).
        background, mask: bool (H, W), True = background, True = hidden.

    Returns:
        uint8 (H, W, 3).
    """
    seen = (background & ~mask).view(np.uint8)
    rim = cv2.dilate(seen, _RIM).astype(np.bool_) & ~mask
    replaced = person.copy()
    cv2.copyTo(scene, (background | rim).view(np.uint8), replaced)
    return replaced
