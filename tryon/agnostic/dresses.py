"""Dresses: the reach of tops and of skirts at once, so that nothing shows between them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tryon.agnostic.body import Body
from tryon.agnostic.lower_body import fill_skirt, hull_of
from tryon.agnostic.protection import ARM_PARTS, LEG_PARTS, kept
from tryon.agnostic.regions import Region, grow, hidden, ids_of, look_up, without_specks
from tryon.agnostic.upper_body import GARMENT_MARGIN, TRUNK_PARTS, bare_body, fill_top
from tryon.categories import Category
from tryon.dresscode.labels import GARMENT_LABELS, Label

_GARMENT = ids_of([*GARMENT_LABELS[Category.DRESSES], Label.PANTS])
"""Parsed as dress, as top plus skirt, as a suit with trousers: all of it goes."""

_LIMBS = ids_of([Label.LEFT_ARM, Label.RIGHT_ARM, Label.LEFT_LEG, Label.RIGHT_LEG])
_CHARTS = ids_of([*TRUNK_PARTS, *ARM_PARTS, *LEG_PARTS])


def dresses(label_map: NDArray[np.uint8], dense_pose: NDArray[np.uint8] | None, body: Body) -> Region:
    """Mask for replacing a dress; arguments as in `agnostic_mask`."""
    garment = look_up(label_map, _GARMENT)
    solid = without_specks(garment)
    near = grow(solid, GARMENT_MARGIN * len(label_map))
    reach = bare_body(label_map, dense_pose, _LIMBS, _CHARTS)
    if not fill_skirt(reach, dense_pose, body, solid):
        reach |= hull_of(reach | solid)
    fill_top(reach, dense_pose, body)
    return hidden(reach | near, kept(Category.DRESSES, label_map, dense_pose, body, near), garment)
