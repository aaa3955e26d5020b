"""Mask the garment that is to be replaced: from label map, DensePose and key points to mask and audit.

Masked are the garment with a margin, and the part of the body that any garment of its category could cover, in a shape
that depends on the body alone, so that the outline does not reveal the worn garment. The rest of the person stays
visible: face, hair, hands, feet, shoes, bag and the clothes of the other half.
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
    """Compute the mask of what a garment of `category` may cover, by the default method.

    All lengths are multiples of the body size or of the height, so any resolution gives the same shape.

    Args:
        category: of the garment that is replaced.
        label_map: uint8 (H, W), ATR ids; all zero if there is none.
        dense_pose: uint8 (H, W), DensePose ids 0..24, or None.
        keypoints: float (18, 3): x, y in pixels of H x W, score; a score of at most 0.01 or a value that is not finite
            means a missing joint.

    Returns:
        bool (H, W), True = masked. Without evidence it is nearly empty, see `audit.rejection_reason`.

    Raises:
        TryOnError: shapes or dtypes differ from the above.

    >>> import numpy as np
    >>> from tryon.categories import Category
    >>> label_map = np.zeros((64, 48), np.uint8)
    >>> label_map[20:40, 15:33] = 4  # upper clothes
    >>> mask = agnostic_mask(Category.UPPER_BODY, label_map, None, np.zeros((18, 3)))
    >>> bool(mask[label_map == 4].all())
    True
    """
    # Imported here so that reading the settings, as every command does, does not load OpenCV.
    from tryon.agnostic.masks.methods import METHODS

    return METHODS["fitting-room"](category, label_map, dense_pose, keypoints)
