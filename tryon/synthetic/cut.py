"""How garments are cut: the pieces of each kind."""

from __future__ import annotations

from tryon.synthetic.garments import Garment
from tryon.synthetic.pose import SIDES
from tryon.synthetic.sheets import Piece
from tryon.synthetic.sleeves import LENGTHS, SleeveCloth
from tryon.synthetic.trousers import TrouserLeg
from tryon.synthetic.trunk_cloth import TrunkCloth


def cut(garment: Garment) -> list[Piece]:
    """The pieces of a garment, in the order in which they are laid over each other."""
    if garment.kind == "trousers":
        return [TrouserLeg(garment, side) for side in SIDES]
    pieces: list[Piece] = [TrunkCloth(garment)]
    if garment.sleeve in LENGTHS:
        pieces += [SleeveCloth(garment, side) for side in SIDES]
    return pieces
