"""What a fabric is: a pattern's name, its colors, and where and how large the pattern lies."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from tryon.dresscode.layout import HEIGHT, WIDTH

Color = tuple[int, int, int]
ImageArray = NDArray[np.uint8]

Weave = Literal["smooth", "twill", "rib", "canvas", "melange"]
"""The grain of the cloth itself, under any pattern."""


@dataclass(frozen=True)
class Fabric:
    """A painted cloth.

    Args:
        pattern: a name in `patterns.PATTERNS`.
        colors: RGB; the first is the ground.
        angle: direction of the pattern in degrees.
        period: its repeat in pixels at full size.
        phase: its offsets in x and y, in repeats.
        seed: draws what differs between two prints of one pattern: flowers, blots, words, emblems.
        weave: the grain of the cloth.
    """

    pattern: str
    colors: tuple[Color, Color, Color]
    angle: float
    period: float
    phase: tuple[float, float]
    seed: int = 0
    weave: Weave = "smooth"

    @property
    def origin(self) -> tuple[float, float]:
        """Where the pattern starts: the middle of the image, moved by at most half a repeat."""
        return WIDTH / 2 + (self.phase[0] - 0.5) * self.period, HEIGHT / 2 + (self.phase[1] - 0.5) * self.period


class Part(NamedTuple):
    """A part of the image, in pixels: what lies from `left` and `top` on, before `right` and `bottom`."""

    left: int
    top: int
    right: int
    bottom: int

    def of(self, image: ImageArray) -> ImageArray:
        """View of this part of a image."""
        return image[self.top : self.bottom, self.left : self.right]

    def within(self, other: Part) -> Part:
        """The same part, counted from the corner of another one that holds it."""
        return Part(self.left - other.left, self.top - other.top, self.right - other.left, self.bottom - other.top)

    @property
    def size(self) -> tuple[int, int]:
        """Width and height."""
        return self.right - self.left, self.bottom - self.top


WHOLE = Part(0, 0, WIDTH, HEIGHT)
"""All of the image, 1024x768."""


def bounding_part(parts: Iterable[Part]) -> Part:
    """The smallest part that holds some parts."""
    left, top, right, bottom = zip(*parts, strict=True)
    return Part(min(left), min(top), max(right), max(bottom))


Painter = Callable[[Fabric, Part], ImageArray]
"""Paints a part of the image with a fabric, just as it is painted on the whole: uint8 (h, w, 3), RGB."""


def blend(first: Color, second: Color, share: float) -> Color:
    """A color between two: `share` of the second."""
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(first, second, strict=True))
    return red, green, blue


def colorize(plane: NDArray[np.uint8], *colors: Color) -> ImageArray:
    """Color a gray image by a ramp: 0 is the first color, 255 the last, even steps between.

    Args:
        plane: uint8 (h, w).
        colors: two or more.

    Returns:
        uint8 (h, w, 3).
    """
    places = np.linspace(0, 255, len(colors))
    ramp = [np.interp(np.arange(256), places, channel) for channel in zip(*colors, strict=True)]
    table = np.stack(ramp, axis=-1).round().astype(np.uint8)[:, None]
    return cv2.applyColorMap(plane, table)  # pyright: ignore[reportReturnType]
