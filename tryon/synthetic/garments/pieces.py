"""How garments are cut: the pieces of each kind."""

from __future__ import annotations

from tryon.synthetic.figure.pose import SIDES
from tryon.synthetic.garments.belts import BeltBand
from tryon.synthetic.garments.cloth_mesh import Piece
from tryon.synthetic.garments.collars import Collar, HighNeck
from tryon.synthetic.garments.garment import Garment
from tryon.synthetic.garments.sleeves import LENGTHS, SleeveCloth
from tryon.synthetic.garments.trousers import TrouserLeg
from tryon.synthetic.garments.trunk_cloth import TrunkCloth


def cut_pieces(garment: Garment) -> list[Piece]:
    """The pieces of a garment, in the order in which they are laid over each other."""
    pieces: list[Piece] = [TrouserLeg(garment, side) for side in SIDES if garment.kind == "trousers"]
    pieces = pieces or [TrunkCloth(garment)]
    if garment.sleeve in LENGTHS:
        pieces += [SleeveCloth(garment, side) for side in SIDES]
    if garment.neckline == "collar":
        pieces.append(Collar(garment))
    if garment.neckline == "high":
        pieces.append(HighNeck(garment))
    if garment.belt:
        pieces.append(BeltBand(garment))
    return pieces
