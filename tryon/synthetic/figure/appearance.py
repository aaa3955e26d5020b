"""Sample the appearance of a person: skin, hair, face, shoes and accessories."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from tryon.categories import Level
from tryon.synthetic.figure.accessories import Accessories, sample_accessories
from tryon.synthetic.figure.drawing import Color, to_color
from tryon.synthetic.figure.feet import Shoe

Hair = Literal["long", "wavy", "bob", "short", "curls", "bun", "ponytail"]

_SKIN_COLORS: tuple[Color, ...] = (
    (231, 204, 187), (226, 192, 168), (222, 180, 150), (212, 166, 130), (190, 138, 102), (160, 110, 78), (128, 84, 58),
    (96, 62, 44),
)  # fmt: skip
"""From light to dark; skin is interpolated between two neighbors. Lighting adds up to 12 % and must not saturate."""

_HAIR_COLORS: tuple[Color, ...] = (
    (38, 28, 24), (62, 42, 30), (96, 62, 38), (148, 104, 60), (206, 168, 106), (150, 66, 36), (120, 116, 114),
)  # fmt: skip
_SHOE_COLORS: tuple[Color, ...] = (
    (34, 32, 34), (236, 234, 228), (150, 96, 56), (176, 40, 44), (40, 58, 100), (206, 186, 160), (110, 112, 116),
)  # fmt: skip
_EYE_COLORS: tuple[Color, ...] = ((70, 46, 30), (94, 66, 40), (70, 104, 130), (86, 104, 70), (48, 34, 26))
_HAIR_STYLES: dict[Hair, float] = {
    "long": 0.26, "wavy": 0.2, "bob": 0.14, "short": 0.12, "curls": 0.08, "bun": 0.1, "ponytail": 0.1,
}  # fmt: skip


@dataclass(frozen=True)
class Appearance:
    """Colors (RGB) and styles of a person.

    Args:
        parting: position of the parting, -1..1 across the head; None for a fringe.
        locks: sides (-1, 1) on which long hair falls in front of the shoulder.
    """

    skin: Color
    hair_color: Color
    hair: Hair
    parting: float | None
    locks: tuple[int, ...]
    eyes: Color
    lips: Color
    shoe: Shoe
    accessories: Accessories


def _jitter(rng: np.random.Generator, deviation: float) -> np.ndarray:
    """Sample a color offset (3,) that is nearly equal in all channels and so preserves the hue."""
    offset = rng.normal(0, deviation, 3)
    return 0.2 * offset + 1.4 * offset.mean()


def sample_appearance(rng: np.random.Generator, level: Level) -> Appearance:
    """Sample an appearance."""
    tone, fraction = divmod(rng.uniform(0, len(_SKIN_COLORS) - 1), 1)
    darker, lighter = np.array(_SKIN_COLORS[int(tone) + 1]), np.array(_SKIN_COLORS[int(tone)])
    skin = lighter * (1 - fraction) + darker * fraction + _jitter(rng, 3)
    hair: Hair = list(_HAIR_STYLES)[int(rng.choice(len(_HAIR_STYLES), p=list(_HAIR_STYLES.values())))]
    falls = rng.random(2) < (0.3 if hair in ("long", "wavy") and level != "easy" else 0.0)
    return Appearance(
        skin=to_color(skin),
        hair_color=to_color(np.array(_HAIR_COLORS[rng.integers(len(_HAIR_COLORS))]) + _jitter(rng, 5)),
        hair=hair,
        parting=None if rng.random() < 0.2 else float(rng.uniform(-0.45, 0.45)),
        locks=tuple(side for side, fallen in zip((-1, 1), falls, strict=True) if fallen),
        eyes=_EYE_COLORS[rng.integers(len(_EYE_COLORS))],
        lips=to_color(skin * (0.88, 0.62, 0.64) + rng.normal(0, 6, 3)),
        shoe=Shoe(rng.choice(["sneaker", "flat", "heel", "boot"]), _SHOE_COLORS[rng.integers(len(_SHOE_COLORS))]),
        accessories=sample_accessories(rng, level),
    )
