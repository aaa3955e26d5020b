"""How garments are cut: the pieces of each kind."""

from __future__ import annotations

from tryon.synthetic.figure.pose import SIDES
from tryon.synthetic.garments.kinds import Garment
from tryon.synthetic.garments.sheets import Piece
from tryon.synthetic.garments.sleeves import LENGTHS, SleeveCloth
from tryon.synthetic.garments.trousers import TrouserLeg
from tryon.synthetic.garments.trunk_cloth import TrunkCloth


def cut(garment: Garment) -> list[Piece]:
    """The pieces of a garment, in the order in which they are laid over each other."""
    if garment.kind == "trousers":
        return [TrouserLeg(garment, side) for side in SIDES]
    pieces: list[Piece] = [TrunkCloth(garment)]
    if garment.sleeve in LENGTHS:
        pieces += [SleeveCloth(garment, side) for side in SIDES]
    return pieces
