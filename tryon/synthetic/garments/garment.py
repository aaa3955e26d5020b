"""What a garment is: its kind, cut and fabric. `kinds` says how one is drawn by chance, `ranges` from what."""

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
"""How each kind is labelled in the label map. A belt has a label of its own."""


@dataclass(frozen=True)
class Belt:
    """A band around the waist.

    Args:
        width: in body heights.
        color: RGB of the leather.
        buckle: RGB of the buckle.
    """

    width: float
    color: Color
    buckle: Color


@dataclass(frozen=True)
class Garment:
    """One garment, apart from any body. Lengths are in body heights.

    Args:
        kind: top, trousers (shorts among them), skirt or dress.
        fabric: what it is painted with.
        hem: height of the hem on the upright body (0 crown, 1 soles).
        ease: how far it stands off the body.
        flare: widening below the waist, body heights per body height; trousers: widening below the crotch.
        straightness: 0 follows the waist, 1 hangs straight from bust to hip.
        sleeve: tops and dresses.
        neckline: tops and dresses.
        seed: fixes its folds where it lies flat.
        shape: cut of trousers (skinny, straight, wide), skirts and dresses (straight, flared, pleated).
        sleeve_reach: how long its sleeves are within what the word allows, 0 shortest to 1 longest.
        neck_depth: factor on the neckline's usual depth.
        buttons: length of the button placket under a collar; None without.
        pleats: number of pleats across the front; 0 without.
        waist_seam: a dress of two parts, sewn together at the waist.
        belt: worn with trousers, skirt or dress, and part of it.
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
        """ATR label of the garment when worn."""
        return LABELS[self.kind]
