"""Tops: trunk and arms without hands, as key points and DensePose tell them, and all that is parsed as top."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tryon.agnostic.body import Body
from tryon.agnostic.limbs import fill_chain, fill_hull
from tryon.agnostic.protection import ARM_PARTS, kept_hands, kept_head, kept_whole
from tryon.agnostic.regions import Region, grow, hidden, ids_of, look_up
from tryon.categories import Category
from tryon.dresscode.labels import GARMENT_LABELS, DensePart, Joint, Label

GARMENT_MARGIN = 0.012
"""How far the mask reaches beyond the garment's label, in heights: parsers miss seams, fringes and shadows."""

BODY_MARGIN = 0.01
"""How far it reaches beyond DensePose's charts, in heights."""

SHOULDER, HIP = 0.2, 0.3
"""Radii of the trunk's four corners, in shoulder widths."""

ARM = (0.2, 0.18, 0.15)
"""Half-width of the arm's corridor at shoulder, elbow and wrist, in shoulder widths: a loose long sleeve."""

_GARMENT = ids_of(GARMENT_LABELS[Category.UPPER_BODY])
_ARM_LABELS = ids_of([Label.LEFT_ARM, Label.RIGHT_ARM])
_CHARTS = ids_of([DensePart.TORSO_BACK, DensePart.TORSO_FRONT, *ARM_PARTS])


def upper_body(label_map: NDArray[np.uint8], dense_pose: NDArray[np.uint8] | None, body: Body) -> Region:
    """Mask for replacing a top; arguments as in `agnostic_mask`."""
    garment = look_up(label_map, _GARMENT)
    reach = upper_reach(label_map, dense_pose, body) | grow(garment, GARMENT_MARGIN * len(label_map))
    kept = kept_whole(Category.UPPER_BODY, label_map, dense_pose)
    kept |= kept_head(label_map, dense_pose, body)
    kept |= kept_hands(label_map, dense_pose, body)
    return hidden(reach, kept, garment)


def upper_reach(label_map: NDArray[np.uint8], dense_pose: NDArray[np.uint8] | None, body: Body) -> Region:
    """Where any top may lie on this body, whatever is worn: trunk and arms, hands and face not yet taken out."""
    region = look_up(label_map, _ARM_LABELS)
    if dense_pose is not None:
        region |= grow(look_up(dense_pose, _CHARTS), BODY_MARGIN * len(label_map))
    corners = body.at(Joint.RIGHT_SHOULDER, Joint.LEFT_SHOULDER, Joint.LEFT_HIP, Joint.RIGHT_HIP)
    fill_hull(region, corners, [radius * body.unit for radius in (SHOULDER, SHOULDER, HIP, HIP)])
    widths = [radius * body.unit for radius in ARM]
    fill_chain(region, body.at(Joint.RIGHT_SHOULDER, Joint.RIGHT_ELBOW, Joint.RIGHT_WRIST), widths)
    fill_chain(region, body.at(Joint.LEFT_SHOULDER, Joint.LEFT_ELBOW, Joint.LEFT_WRIST), widths)
    return region
