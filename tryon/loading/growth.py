"""Random growth of a mask: the network learns to complete a person however generously the garment is hidden."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray


def grow(mask: NDArray[np.bool_], radius: float) -> NDArray[np.bool_]:
    """The mask, bool (H, W), with all pixels within `radius` pixels of it; an empty one stays empty."""
    if radius <= 0 or not mask.any():
        return mask
    distance = cv2.distanceTransform((~mask).view(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5)
    return distance <= radius
