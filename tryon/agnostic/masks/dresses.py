"""Dresses: the reach of tops and of skirts at once, so that nothing shows between them."""

from __future__ import annotations

from tryon.agnostic.masks.label_masks import arm_skin, leg_skin, whole_outfit
from tryon.agnostic.masks.lower_body import skirt_shape
from tryon.agnostic.masks.parsed_person import Scene
from tryon.agnostic.masks.protection import ARM_PARTS, LEG_PARTS, kept
from tryon.agnostic.masks.regions import Region, enlarge, hide, ids_of, without_specks
from tryon.agnostic.masks.upper_body import TRUNK_PARTS, around, bare_body, fill_top
from tryon.categories import Category

_CHARTS = ids_of([*TRUNK_PARTS, *ARM_PARTS, *LEG_PARTS])


def dresses(scene: Scene) -> Region:
    """Mask for replacing a dress."""
    coarse = scene.coarse
    solid = without_specks(whole_outfit(coarse))
    near = around(solid, coarse.height)
    bare = bare_body(coarse, _CHARTS) | coarse.once(arm_skin) | coarse.once(leg_skin)
    reach = skirt_shape(coarse, solid, bare, sleeves=True)
    fill_top(reach, coarse)
    reach[coarse.box.window] |= near | bare
    mask = enlarge(reach, scene.step)
    part, skin = mask[scene.box.window], scene.once(arm_skin) | scene.once(leg_skin)
    hide(part, skin, kept(Category.DRESSES, scene, near), scene.once(whole_outfit))
    return mask
