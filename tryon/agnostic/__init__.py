"""Hide the garment that is to be replaced: label map, DensePose and key points in, mask and its audit out.

What is hidden is the garment with a margin, and the part of the body that any garment of its category could cover, in a
shape that comes from the body alone, so that the outline does not tell what was worn. What is kept is the rest of the
person: face, hair, hands, feet, shoes, bag and the other half's clothes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from tryon.categories import Category

__all__ = ["agnostic_mask"]


def agnostic_mask(
    category: Category,
    label_map: NDArray[np.uint8],
    dense_pose: NDArray[np.uint8] | None,
    keypoints: NDArray[np.floating],
) -> NDArray[np.bool_]:
    """Mask of what a garment of `category` may cover on this person, by the default recipe.

    Every length in it is a multiple of the body's own size or of the height, so any resolution gives the same shape.

    Args:
        category: which garment is to be replaced.
        label_map: uint8 (H, W), ATR ids; all zero when there is none.
        dense_pose: uint8 (H, W), DensePose ids 0..24, or None when there is none.
        keypoints: float (18, 3): x, y in pixels of H x W, score; a score of at most 0.01 or a value that is not finite
            means a missing joint.

    Returns:
        bool (H, W), True = hidden. With hardly anything to go by it is nearly empty: `audit.unusable` tells.

    Raises:
        TryOnError: shapes or dtypes are not as above.
    """
    # Imported here so that reading this package's settings, as every command does, does not load OpenCV.
    from tryon.agnostic.masks.methods import METHODS

    return METHODS["fitting-room"](category, label_map, dense_pose, keypoints)
