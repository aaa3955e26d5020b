"""Define garments: type, cut and fabric."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from tryon.dresscode.labels import Label
from tryon.synthetic.fabrics.fabric import Color, Fabric

Kind = Literal["top", "trousers", "skirt", "dress"]
Sleeve = Literal["sleeveless", "short", "long"]
Neckline = Literal["round", "v", "square", "boat", "high", "collar", "straps", "off_shoulder", "one_shoulder"]
Shape = Literal["skinny", "straight", "wide", "flared", "pleated"]
Buttons = Literal["short", "whole"]

LABELS: dict[Kind, Label] = {
    "top": Label.UPPER_CLOTHES,
    "trousers": Label.PANTS,
    "skirt": Label.SKIRT,
    "dress": Label.DRESS,
}
"""ATR label of each garment type; belts have their own label."""


@dataclass(frozen=True)
class Belt:
    """A belt: width in body heights, RGB of leather and buckle."""

    width: float
    color: Color
    buckle: Color


@dataclass(frozen=True)
class Garment:
    """A garment, independent of any body. Lengths are in body heights.

    Args:
        kind: top, trousers (including shorts), skirt or dress.
        fabric: fabric of all pieces but the belt.
        hem: height of the hem on the upright body (0 crown, 1 soles).
        ease: distance from the body.
        flare: widening per height below the waist (trousers: below the crotch).
        straightness: 0 follows the waist, 1 hangs straight from bust to hip.
        sleeve: of tops and dresses, else None.
        neckline: of tops and dresses, else None.
        seed: seed of the folds when laid flat.
        shape: cut of trousers (skinny, straight, wide), skirts and dresses (straight, flared, pleated).
        sleeve_reach: position within the length range of the sleeve type, 0..1.
        neck_depth: factor on the default depth of the neckline.
        buttons: length of the button placket, if any.
        pleats: number of pleats across the front.
        waist_seam: whether a dress has a seam at the waist.
        belt: belt of trousers, skirt or dress, if any.
    """

    kind: Kind
    fabric: Fabric
    hem: float
    ease: float
    flare: float
    straightness: float
    sleeve: Sleeve | None
    neckline: Neckline | None
    seed: int
    shape: Shape | None = None
    sleeve_reach: float = 0.5
    neck_depth: float = 1.0
    buttons: Buttons | None = None
    pleats: int = 0
    waist_seam: bool = False
    belt: Belt | None = None

    @property
    def label(self) -> Label:
        """Return the ATR label of the garment."""
        return LABELS[self.kind]
