"""Pictures of one colour, the ground that drawings and fabrics begin with."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def filled(width: int, height: int, colour: tuple[int, int, int]) -> NDArray[np.uint8]:
    """A picture of one colour: uint8 (height, width, 3). A row at a time is much faster than a pixel at a time."""
    picture = np.empty((height, width, 3), np.uint8)
    picture[0] = colour
    picture[1:] = picture[0]
    return picture
