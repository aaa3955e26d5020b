"""All patterns by name, and the painting of a fabric."""

from __future__ import annotations

from typing import Literal

from tryon.synthetic.fabrics import checks as checked
from tryon.synthetic.fabrics import emblems, floral, lettering
from tryon.synthetic.fabrics import prints as printed
from tryon.synthetic.fabrics import stripes as striped
from tryon.synthetic.fabrics.fabric import WHOLE, Color, Fabric, ImageArray, Painter, Part, bounding_part
from tryon.synthetic.fabrics.sample_fabric import sample_fabric
from tryon.synthetic.fabrics.weave import add_weave
from tryon.synthetic.paint.raster import filled_image

__all__ = ["PATTERNS", "Color", "Fabric", "Family", "Part", "bounding_part", "family", "paint_fabric", "sample_fabric"]

Family = Literal["plain", "striped", "checked", "dotted", "floral", "printed", "lettered"]


def _paint_plain(fabric: Fabric, part: Part) -> ImageArray:
    """The ground alone."""
    return filled_image(*part.size, fabric.colors[0])


_FAMILIES: dict[Family, dict[str, Painter]] = {
    "plain": {"plain": _paint_plain},
    "striped": {
        "stripes": striped.paint_stripes,
        "two_stripes": striped.paint_two_stripes,
        "uneven_stripes": striped.paint_uneven_stripes,
        "pinstripes": striped.paint_pinstripes,
        "breton": striped.paint_breton,
        "chevron": striped.paint_chevron,
    },
    "checked": {
        "checks": checked.paint_checks,
        "gingham": checked.paint_gingham,
        "plaid": checked.paint_plaid,
        "tartan": checked.paint_tartan,
        "windowpane": checked.paint_windowpane,
        "argyle": checked.paint_argyle,
        "houndstooth": checked.paint_houndstooth,
    },
    "dotted": {"dots": printed.paint_dots},
    "floral": {"floral": floral.paint_floral},
    "printed": {
        "blocks": printed.paint_blocks,
        "logo": emblems.paint_logo,
        "emblem": emblems.paint_emblem,
        "icons": emblems.paint_icons,
        "camouflage": printed.paint_camouflage,
        "animal": printed.paint_animal,
    },
    "lettered": {"lettering": lettering.paint_lettering},
}

PATTERNS: dict[str, Painter] = {name: painter for painters in _FAMILIES.values() for name, painter in painters.items()}
"""Name to painter."""


def family(pattern: str) -> Family:
    """The family of a pattern, for coarser slices than its name."""
    return next(name for name, painters in _FAMILIES.items() if pattern in painters)


def paint_fabric(fabric: Fabric, part: Part = WHOLE) -> ImageArray:
    """Paint a part of the image with a fabric, just as it is painted on the whole: uint8 (h, w, 3), RGB."""
    return add_weave(PATTERNS[fabric.pattern](fabric, part), fabric.weave, part)
