"""Register all patterns by name and paint fabrics."""

from __future__ import annotations

from typing import Literal

from tryon.synthetic.fabrics import checkered, emblems, floral, lettering, prints, stripes
from tryon.synthetic.fabrics.fabric import FULL_IMAGE, Fabric, ImageArray, Painter, Region
from tryon.synthetic.fabrics.weave import add_weave
from tryon.synthetic.paint.raster import filled_image

Family = Literal["plain", "striped", "checked", "dotted", "floral", "printed", "lettered"]


_FAMILIES: dict[Family, dict[str, Painter]] = {
    "plain": {"plain": lambda fabric, region: filled_image(*region.size, fabric.colors[0])},
    "striped": {
        "stripes": stripes.paint_stripes,
        "two_stripes": stripes.paint_two_stripes,
        "uneven_stripes": stripes.paint_uneven_stripes,
        "pinstripes": stripes.paint_pinstripes,
        "breton": stripes.paint_breton,
        "chevron": stripes.paint_chevron,
    },
    "checked": {
        "checks": checkered.paint_checks,
        "gingham": checkered.paint_gingham,
        "plaid": checkered.paint_plaid,
        "tartan": checkered.paint_tartan,
        "windowpane": checkered.paint_windowpane,
        "argyle": checkered.paint_argyle,
        "houndstooth": checkered.paint_houndstooth,
    },
    "dotted": {"dots": prints.paint_dots},
    "floral": {"floral": floral.paint_floral},
    "printed": {
        "blocks": prints.paint_blocks,
        "logo": emblems.paint_logo,
        "emblem": emblems.paint_emblem,
        "icons": emblems.paint_icons,
        "camouflage": prints.paint_camouflage,
        "animal": prints.paint_animal,
    },
    "lettered": {"lettering": lettering.paint_lettering},
}

PATTERNS: dict[str, Painter] = {name: painter for painters in _FAMILIES.values() for name, painter in painters.items()}


def family(pattern: str) -> Family:
    """Return the family of a pattern, a coarser grouping for reports."""
    return next(name for name, painters in _FAMILIES.items() if pattern in painters)


def paint_fabric(fabric: Fabric, region: Region = FULL_IMAGE) -> ImageArray:
    """Paint one region of a fabric with its weave, identical to the same crop of the full image: uint8 (h, w, 3)."""
    return add_weave(PATTERNS[fabric.pattern](fabric, region), fabric.weave, region)
