"""Dresses: the reach of tops and of skirts at once, so that nothing shows between them."""

from __future__ import annotations

from tryon.agnostic.masks.label_masks import arm_skin, dress_or_outfit, leg_skin
from tryon.agnostic.masks.lower_body import skirt_shape
from tryon.agnostic.masks.parsed_person import ParsedPerson
from tryon.agnostic.masks.protection import ARM_PARTS, LEG_PARTS, protected
from tryon.agnostic.masks.regions import Mask, apply_mask_rule, label_set, median_filter, upsample
from tryon.agnostic.masks.upper_body import TRUNK_PARTS, dilated_body, draw_top_shape, garment_with_margin
from tryon.categories import Category

_CHARTS = label_set([*TRUNK_PARTS, *ARM_PARTS, *LEG_PARTS])


def dresses(scene: ParsedPerson) -> Mask:
    """Mask for replacing a dress."""
    coarse = scene.downsampled
    solid = median_filter(dress_or_outfit(coarse))
    near = garment_with_margin(solid, coarse.height)
    bare = dilated_body(coarse, _CHARTS) | coarse.cached(arm_skin) | coarse.cached(leg_skin)
    reach = skirt_shape(coarse, solid, bare, sleeves=True)
    draw_top_shape(reach, coarse)
    reach[coarse.box.window] |= near | bare
    mask = upsample(reach, scene.step)
    part, skin = mask[scene.box.window], scene.cached(arm_skin) | scene.cached(leg_skin)
    apply_mask_rule(part, skin, protected(Category.DRESSES, scene, near), scene.cached(dress_or_outfit))
    return mask
