"""Sample colors of fabrics."""

from __future__ import annotations

import colorsys
from collections.abc import Callable

import numpy as np

from tryon.categories import Level
from tryon.synthetic.fabrics.fabric import Color

Colors = tuple[Color, Color, Color]
"""Ground, pattern and accent color."""

_DYES: dict[str, Color] = {
    "black": (36, 35, 40), "charcoal": (72, 74, 80), "gray": (158, 160, 164), "silver": (206, 208, 210),
    "white": (240, 238, 233), "cream": (239, 229, 208), "beige": (214, 192, 160), "camel": (186, 142, 94),
    "brown": (92, 62, 46), "rust": (174, 82, 48), "terracotta": (196, 106, 82), "mustard": (212, 164, 62),
    "olive": (94, 98, 62), "forest": (36, 76, 60), "emerald": (12, 128, 92), "teal": (32, 108, 114),
    "navy": (32, 42, 78), "denim": (62, 90, 134), "bleached": (146, 174, 206), "cobalt": (40, 76, 176),
    "burgundy": (112, 32, 48), "red": (198, 40, 48), "fuchsia": (204, 48, 122), "orange": (236, 122, 46),
    "yellow": (244, 204, 62), "blush": (240, 205, 198), "rose": (218, 138, 148), "lilac": (196, 180, 220),
    "sky": (178, 209, 236), "mint": (186, 222, 204), "butter": (248, 231, 172), "peach": (249, 207, 174),
    "plum": (92, 44, 88),
}  # fmt: skip

_SCHEMES = """
navy white red       navy cream mustard    navy sky white        black white gray      black cream rust
black rose white     charcoal blush silver charcoal butter white denim white mustard   denim cream navy
denim butter white   bleached navy white   bleached brown cream  gray black white      silver cobalt navy
silver burgundy rose white navy red        white black red       white denim rust      white forest mustard
cream burgundy camel cream olive rust      cream navy terracotta beige black white     beige navy cream
beige forest white   camel cream brown     brown peach cream     brown sky cream       rust cream navy
terracotta cream teal mustard navy white   mustard burgundy cream olive cream rust     olive blush cream
forest blush rust    forest cream mustard  emerald cream black   teal cream blush      teal peach white
burgundy blush cream burgundy sky white    red white navy        fuchsia white black   orange navy cream
yellow black white   yellow cobalt white   cobalt white yellow   blush burgundy white  blush forest rose
rose white burgundy  lilac plum white      lilac navy cream      sky navy white        sky red white
mint forest white    mint plum cream       butter denim white    peach teal white      plum blush lilac
"""

SCHEMES: tuple[tuple[str, str, str], ...] = tuple(
    (words[n], words[n + 1], words[n + 2]) for words in [_SCHEMES.split()] for n in range(0, len(words), 3)
)
"""Ground, pattern and accent by name; ground and pattern differ by at least 130 in RGB (Euclidean)."""

_HIGH_CONTRAST, _LOW_CONTRAST = 200.0, 70.0  # minimum distances of random colors in RGB
_NEUTRALS: tuple[Color, ...] = ((242, 238, 228), (28, 30, 38), (24, 34, 72))


def sample_colors(rng: np.random.Generator, level: Level) -> Colors:
    """Sample three colors: high contrast (`easy`), a color scheme (`catalogue`) or anything (`wild`)."""
    if level == "easy":
        return _contrasting(rng, _HIGH_CONTRAST, _random_color)
    kind = rng.random() if level == "wild" else 0.0
    if kind < 0.45:
        return _sample_scheme(rng)
    if kind < 0.8:
        return _contrasting(rng, _LOW_CONTRAST, _random_dye if kind < 0.7 else _random_color)
    return _shades_of_one_color(rng)


def _sample_scheme(rng: np.random.Generator) -> Colors:
    """Sample a scheme, vary its dyes, and swap ground and pattern in 35 % of cases."""
    ground, second, third = (_jitter_dye(rng, _DYES[name]) for name in SCHEMES[rng.integers(len(SCHEMES))])
    return (second, ground, third) if rng.random() < 0.35 else (ground, second, third)


def _jitter_dye(rng: np.random.Generator, color: Color) -> Color:
    return _to_color(np.array(color) * rng.normal(1, 0.02) + rng.normal(0, 3, 3))


def _shades_of_one_color(rng: np.random.Generator) -> Colors:
    base = np.array(_DYES[str(rng.choice(list(_DYES)))], np.float64)
    target = 255.0 if base.mean() < 140 else 20.0
    fractions = np.array([0, rng.uniform(0.22, 0.4), rng.uniform(0.45, 0.65)])
    ground, second, third = (_to_color(base + (target - base) * fraction) for fraction in fractions)
    return ground, second, third


def _contrasting(rng: np.random.Generator, contrast: float, sample: Callable[[np.random.Generator], Color]) -> Colors:
    """Sample three colors that differ in RGB; the required contrast decreases until they exist."""
    colors: list[Color] = []
    while len(colors) < 3:
        color = sample(rng)
        if all(np.linalg.norm(np.subtract(color, previous)) > contrast for previous in colors):
            colors.append(color)
        contrast *= 0.98
    return colors[0], colors[1], colors[2]


def _random_dye(rng: np.random.Generator) -> Color:
    return _jitter_dye(rng, _DYES[str(rng.choice(list(_DYES)))])


def _random_color(rng: np.random.Generator) -> Color:
    if rng.random() < 0.2:
        return _NEUTRALS[rng.choice(len(_NEUTRALS), p=[0.7, 0.15, 0.15])]
    red, green, blue = colorsys.hsv_to_rgb(rng.uniform(), rng.uniform(0.5, 0.92), rng.uniform(0.65, 1.0))
    return round(red * 255), round(green * 255), round(blue * 255)


def _to_color(values: np.ndarray) -> Color:
    red, green, blue = (int(n) for n in np.clip(np.rint(values), 0, 255))
    return red, green, blue
