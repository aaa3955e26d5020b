"""Dresses: the reach of tops and of skirts at once, so that nothing shows between them."""

from __future__ import annotations

from tryon.agnostic.lower_body import skirt_shape
from tryon.agnostic.protection import ARM_PARTS, LEG_PARTS, arm_skin, kept, leg_skin
from tryon.agnostic.regions import Region, hide, ids_of, look_up, without_specks
from tryon.agnostic.scene import Scene
from tryon.agnostic.upper_body import TRUNK_PARTS, around, bare_body, fill_top
from tryon.categories import Category
from tryon.dresscode.labels import GARMENT_LABELS, Label

_GARMENT = ids_of([*GARMENT_LABELS[Category.DRESSES], Label.PANTS])
"""Parsed as dress, as top plus skirt, as a suit with trousers: all of it goes."""

_CHARTS = ids_of([*TRUNK_PARTS, *ARM_PARTS, *LEG_PARTS])


def dresses(scene: Scene) -> Region:
    """Mask for replacing a dress."""
    garment = look_up(scene.labels, _GARMENT)
    solid = without_specks(garment)
    near = around(solid, scene.height)
    bare = bare_body(scene, _CHARTS) | scene.once(arm_skin) | scene.once(leg_skin)
    mask = skirt_shape(scene, solid, bare, sleeves=True)
    fill_top(mask, scene)
    hide(mask[scene.box.window], near | bare, kept(Category.DRESSES, scene, near), garment)
    return mask
