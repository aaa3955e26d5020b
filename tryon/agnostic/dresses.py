"""Dresses: the reach of tops and of skirts at once, so that nothing shows between them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tryon.agnostic.body import Body
from tryon.agnostic.lower_body import lower_reach
from tryon.agnostic.protection import kept_feet, kept_hands, kept_head, kept_whole
from tryon.agnostic.regions import Region, grow, hidden, ids_of, look_up
from tryon.agnostic.upper_body import GARMENT_MARGIN, upper_reach
from tryon.categories import Category
from tryon.dresscode.labels import GARMENT_LABELS, Label

_GARMENT = ids_of([*GARMENT_LABELS[Category.DRESSES], Label.PANTS, Label.BELT])
"""Parsed as dress, as top plus skirt, as a suit with trousers: all of it goes."""


def dresses(label_map: NDArray[np.uint8], dense_pose: NDArray[np.uint8] | None, body: Body) -> Region:
    """Mask for replacing a dress; arguments as in `agnostic_mask`."""
    garment = look_up(label_map, _GARMENT)
    reach = upper_reach(label_map, dense_pose, body) | lower_reach(label_map, dense_pose, body, garment)
    reach |= grow(garment, GARMENT_MARGIN * len(label_map))
    kept = kept_whole(Category.DRESSES, label_map, dense_pose)
    kept |= kept_head(label_map, dense_pose, body)
    kept |= kept_hands(label_map, dense_pose, body)
    kept |= kept_feet(label_map, dense_pose, body)
    return hidden(reach, kept, garment)
