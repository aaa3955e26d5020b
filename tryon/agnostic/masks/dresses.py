"""Masks for dresses: the coverage of tops and skirts together, without a gap."""

from __future__ import annotations

from tryon.agnostic.masks.label_masks import arm_skin, dress_or_outfit, leg_skin
from tryon.agnostic.masks.lower_body import skirt_shape
from tryon.agnostic.masks.parsed_person import ParsedPerson
from tryon.agnostic.masks.protection import ARM_PARTS, LEG_PARTS, protected
from tryon.agnostic.masks.regions import Mask, apply_mask_rule, label_set, median_filter, upsample
from tryon.agnostic.masks.upper_body import TRUNK_PARTS, dilated_body, draw_top_shape, garment_with_margin
from tryon.categories import Category

_PARTS = label_set([*TRUNK_PARTS, *ARM_PARTS, *LEG_PARTS])


def dresses(person: ParsedPerson) -> Mask:
    """Compute the mask for replacing a dress."""
    coarse = person.downsampled
    filtered = median_filter(dress_or_outfit(coarse))
    expanded = garment_with_margin(filtered, coarse.height)
    bare = dilated_body(coarse, _PARTS) | coarse.cached(arm_skin) | coarse.cached(leg_skin)
    coverage = skirt_shape(coarse, filtered, bare, sleeves=True)
    draw_top_shape(coverage, coarse)
    coverage[coarse.window.slices] |= expanded | bare
    mask = upsample(coverage, person.step)
    part, skin = mask[person.window.slices], person.cached(arm_skin) | person.cached(leg_skin)
    apply_mask_rule(part, skin, protected(Category.DRESSES, person, expanded), person.cached(dress_or_outfit))
    return mask
