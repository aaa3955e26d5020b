"""What a figure looks like apart from shape and pose: skin, hair, face, shoes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from tryon.synthetic.levels import Level

Colour = tuple[int, int, int]
Hair = Literal["long", "bob", "short", "bun"]

_SKINS: tuple[Colour, ...] = (
    (247, 216, 196), (238, 199, 172), (226, 180, 148), (205, 155, 120), (172, 120, 86), (136, 90, 62), (98, 64, 46),
)  # fmt: skip
_HAIR_COLOURS: tuple[Colour, ...] = (
    (38, 28, 24), (62, 42, 30), (96, 62, 38), (148, 104, 60), (206, 168, 106), (150, 66, 36), (120, 116, 114),
)  # fmt: skip
_SHOES: tuple[Colour, ...] = (
    (34, 32, 34),
    (236, 234, 228),
    (150, 96, 56),
    (176, 40, 44),
    (40, 58, 100),
    (206, 186, 160),
)


class _Frame(NamedTuple):
    """Size of the textures of head and hair, and where the head lies in them, in pixels."""

    width: int
    height: int
    middle: float
    half_width: float
    crown: float
    chin: float


FACE = _Frame(240, 330, 120, 65, 60, 280)
"""The frame of both textures of a head."""


@dataclass(frozen=True)
class Look:
    """Colours and styles.

    Args:
        skin: RGB.
        hair_colour: RGB.
        hair: style.
        shoe: RGB.
        lips: RGB.
    """

    skin: Colour
    hair_colour: Colour
    hair: Hair
    shoe: Colour
    lips: Colour


def sample_look(rng: np.random.Generator, level: Level) -> Look:
    """Draw a look."""
    skin = np.array(_SKINS[rng.integers(len(_SKINS))]) + rng.normal(0, 4, 3)
    lips = skin * (0.86, 0.6, 0.62)
    return Look(
        _colour(skin),
        _colour(np.array(_HAIR_COLOURS[rng.integers(len(_HAIR_COLOURS))]) + rng.normal(0, 5, 3)),
        rng.choice(["long", "bob", "short", "bun"], p=[0.4, 0.25, 0.2, 0.15]),
        _SHOES[rng.integers(len(_SHOES))],
        _colour(lips),
    )


def _colour(values: np.ndarray) -> Colour:
    red, green, blue = (int(n) for n in np.clip(np.rint(values), 0, 255))
    return red, green, blue


class _Sketch:
    """An RGBA texture of the head to draw on, in units of the face: x -1..1 between its sides, y 0..1 crown to chin."""

    def __init__(self, colour: Colour) -> None:
        self.colours = np.full((FACE.height, FACE.width, 3), colour, np.uint8)
        self.opacity = np.zeros((FACE.height, FACE.width), np.uint8)

    @property
    def texture(self) -> NDArray[np.uint8]:
        """What was drawn, uint8 (330, 240, 4)."""
        return np.dstack([self.colours, self.opacity])

    def _place(self, x: float, y: float) -> tuple[int, int]:
        return round((FACE.middle + x * FACE.half_width) * 16), round((FACE.crown + y * (FACE.chin - FACE.crown)) * 16)

    def ellipse(self, x: float, y: float, rx: float, ry: float, colour: Colour | None) -> None:
        """Fill an ellipse with a colour, or make it opaque when there is none."""
        turn = np.linspace(0, 2 * np.pi, 64)
        self.polygon(list(zip(x + np.cos(turn) * rx, y + np.sin(turn) * ry, strict=True)), colour)

    def polygon(self, points: list[tuple[float, float]], colour: Colour | None) -> None:
        """Fill a polygon, or make it opaque."""
        outline = np.array([self._place(x, y) for x, y in points], np.int32)
        if colour is None:
            cv2.fillPoly(self.opacity, [outline], 255, cv2.LINE_AA, 4)
        else:
            cv2.fillPoly(self.colours, [outline], colour, cv2.LINE_AA, 4)


def scaled(colour: Colour, factor: float) -> Colour:
    """A lighter or darker colour."""
    return _colour(np.array(colour) * factor)


def head_texture(look: Look, gaze: float) -> NDArray[np.uint8]:
    """Face with ears: uint8 (330, 240, 4). `gaze` shifts the features sideways, in half face widths."""
    sketch = _Sketch(look.skin)
    for x in (-0.97, 0.97):
        sketch.ellipse(x, 0.58, 0.13, 0.085, None)
    sketch.polygon(_face_outline(), None)
    white: Colour = (246, 243, 240)
    for side in (-1, 1):
        x = gaze + side * 0.36
        sketch.ellipse(x, 0.54, 0.17, 0.032, white)
        sketch.ellipse(x + gaze * 0.15, 0.54, 0.078, 0.034, scaled(look.hair_colour, 0.7))
        sketch.ellipse(x, 0.519, 0.19, 0.014, scaled(look.hair_colour, 0.6))
        sketch.ellipse(x, 0.455, 0.2, 0.012, scaled(look.hair_colour, 0.8))
        sketch.ellipse(gaze * 0.8 + side * 0.58, 0.7, 0.16, 0.05, scaled(look.skin, 0.97))
    nose = gaze * 1.3
    sketch.polygon([(nose - 0.02, 0.58), (nose + 0.13, 0.715), (nose - 0.1, 0.725)], scaled(look.skin, 0.9))
    sketch.ellipse(gaze * 1.1, 0.818, 0.23, 0.024, look.lips)
    sketch.ellipse(gaze * 1.1, 0.838, 0.17, 0.022, scaled(look.lips, 1.1))
    sketch.polygon([(gaze * 1.1 - 0.22, 0.822), (gaze * 1.1, 0.828), (gaze * 1.1 + 0.22, 0.822), (gaze * 1.1, 0.833)],
                   scaled(look.lips, 0.7))  # fmt: skip
    return sketch.texture


def _face_outline() -> list[tuple[float, float]]:
    """Half an ellipse for the skull, half a fuller curve for the jaw."""
    turn = np.linspace(0, 2 * np.pi, 96)
    x, y = np.cos(turn), np.sin(turn)
    full = np.where(y > 0, 0.9, 1.0)
    reach = np.where(y > 0, 0.58, 0.42)
    outline = np.stack([0.97 * np.sign(x) * np.abs(x) ** full, 0.42 + reach * np.sign(y) * np.abs(y) ** full], axis=1)
    return [(float(u), float(v)) for u, v in outline]


def front_hair_texture(look: Look) -> NDArray[np.uint8]:
    """The hair over the forehead: uint8 (330, 240, 4)."""
    sketch = _Sketch(look.hair_colour)
    parting = -0.3
    sketch.polygon(
        [(-1.08, 0.5), (-1.1, 0.25), (-0.8, 0.02), (-0.3, -0.07), (parting, 0.2), (-0.75, 0.34), (-0.96, 0.52)], None
    )
    sketch.polygon(
        [
            (1.08, 0.5),
            (1.1, 0.25),
            (0.8, 0.02),
            (0.3, -0.07),
            (-0.35, -0.07),
            (parting, 0.2),
            (0.4, 0.27),
            (0.85, 0.38),
            (0.98, 0.52),
        ],
        None,
    )
    turn = np.linspace(np.pi, 2 * np.pi, 32)
    sketch.polygon(list(zip(1.1 * np.cos(turn), 0.2 + 0.27 * np.sin(turn), strict=True)), None)
    sketch.polygon([(-1.1, 0.2), (1.1, 0.2), (0.7, 0.3), (parting, 0.2), (-0.7, 0.3)], None)
    if look.hair == "bun":
        sketch.ellipse(0, -0.12, 0.42, 0.12, None)
    for x in (-0.75, -0.1, 0.35, 0.7):
        sketch.ellipse(x, 0.1, 0.08, 0.1, scaled(look.hair_colour, 1.12))
    return sketch.texture
