"""What a fabric is: a pattern's name, its colours, and where and how large the pattern lies."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from tryon.dresscode.layout import HEIGHT, WIDTH

Colour = tuple[int, int, int]
Picture = NDArray[np.uint8]

Weave = Literal["smooth", "twill", "rib", "canvas", "melange"]
"""The grain of the cloth itself, under any pattern."""


@dataclass(frozen=True)
class Fabric:
    """A painted cloth.

    Args:
        pattern: a name in `patterns.PATTERNS`.
        colours: RGB; the first is the ground.
        angle: direction of the pattern in degrees.
        period: its repeat in pixels at full size.
        phase: its offsets in x and y, in repeats.
        seed: draws what differs between two prints of one pattern: flowers, blots, words, emblems.
        weave: the grain of the cloth.
    """

    pattern: str
    colours: tuple[Colour, Colour, Colour]
    angle: float
    period: float
    phase: tuple[float, float]
    seed: int = 0
    weave: Weave = "smooth"

    @property
    def origin(self) -> tuple[float, float]:
        """Where the pattern starts: the middle of the picture, moved by at most half a repeat."""
        return WIDTH / 2 + (self.phase[0] - 0.5) * self.period, HEIGHT / 2 + (self.phase[1] - 0.5) * self.period


class Part(NamedTuple):
    """A part of the picture, in pixels: what lies from `left` and `top` on, before `right` and `bottom`."""

    left: int
    top: int
    right: int
    bottom: int

    def of(self, picture: Picture) -> Picture:
        """View of this part of a picture."""
        return picture[self.top : self.bottom, self.left : self.right]

    def within(self, other: Part) -> Part:
        """The same part, counted from the corner of another one that holds it."""
        return Part(self.left - other.left, self.top - other.top, self.right - other.left, self.bottom - other.top)

    @property
    def size(self) -> tuple[int, int]:
        """Width and height."""
        return self.right - self.left, self.bottom - self.top


WHOLE = Part(0, 0, WIDTH, HEIGHT)
"""All of the picture, 1024x768."""


def joined(parts: Iterable[Part]) -> Part:
    """The smallest part that holds some parts."""
    left, top, right, bottom = zip(*parts, strict=True)
    return Part(min(left), min(top), max(right), max(bottom))


Painter = Callable[[Fabric, Part], Picture]
"""Paints a part of the picture with a fabric, just as it is painted on the whole: uint8 (h, w, 3), RGB."""


def mixed(first: Colour, second: Colour, share: float) -> Colour:
    """A colour between two: `share` of the second."""
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(first, second, strict=True))
    return red, green, blue


def tinted(plane: NDArray[np.uint8], *colours: Colour) -> Picture:
    """Colour a grey picture by a ramp: 0 is the first colour, 255 the last, even steps between.

    Args:
        plane: uint8 (h, w).
        colours: two or more.

    Returns:
        uint8 (h, w, 3).
    """
    places = np.linspace(0, 255, len(colours))
    ramp = [np.interp(np.arange(256), places, channel) for channel in zip(*colours, strict=True)]
    table = np.stack(ramp, axis=-1).round().astype(np.uint8)[:, None]
    return cv2.applyColorMap(plane, table)  # pyright: ignore[reportReturnType]
