"""Left and right exchanged in key points, before the pose is drawn from them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tryon.dresscode.labels import Joint

MIRROR_JOINTS = np.array(
    [
        Joint[joint.name.replace("RIGHT", "LEFT") if "RIGHT" in joint.name else joint.name.replace("LEFT", "RIGHT")]
        for joint in Joint
    ]
)
"""Position i holds the joint that joint i becomes in a mirror."""


def mirror_keypoints(keypoints: NDArray[np.float32], width: int) -> NDArray[np.float32]:
    """Key points of the mirrored picture: the wearer's right wrist becomes the left one, at the mirrored place.

    Args:
        keypoints: float (18, 3): x, y in pixels, score. Joints that are missing (score 0) keep their coordinates.
        width: of the picture, in pixels.

    Returns:
        float32 (18, 3). Mirroring twice gives back what went in.
    """
    mirrored = keypoints[MIRROR_JOINTS].astype(np.float32)
    seen = mirrored[:, 2] > 0
    mirrored[seen, 0] = width - 1 - mirrored[seen, 0]
    return mirrored
