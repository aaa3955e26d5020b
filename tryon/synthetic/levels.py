"""How hard the twin is: one word from which poses, garments, fabrics and backgrounds are drawn."""

from __future__ import annotations

from typing import Literal

Level = Literal["easy", "catalogue", "wild"]
"""`easy`: plain stances, coarse bright patterns, quiet walls. `catalogue`: what the shop photographs of Dress Code
show, the embedded default. `wild`: everything at once, as in people's own photographs."""

LEVELS: tuple[Level, ...] = ("easy", "catalogue", "wild")
