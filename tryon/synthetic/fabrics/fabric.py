"""Define fabrics, regions of an image and colors."""

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
"""Grain of the cloth under the pattern."""


@dataclass(frozen=True)
class Fabric:
    """A patterned cloth.

    Args:
        pattern: name in `patterns.PATTERNS`.
        colors: RGB of ground, pattern and accent.
        angle: direction of the pattern in degrees.
        period: repeat length in pixels at full size.
        phase: offsets in x and y, as a fraction of the period.
        seed: selects flowers, spots, words and emblems.
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
        """Return the origin of the pattern: the image center, shifted by at most half a period."""
        return WIDTH / 2 + (self.phase[0] - 0.5) * self.period, HEIGHT / 2 + (self.phase[1] - 0.5) * self.period


class Region(NamedTuple):
    """A rectangle in pixels; `right` and `bottom` are exclusive."""

    left: int
    top: int
    right: int
    bottom: int

    def crop(self, image: ImageArray) -> ImageArray:
        """Return a view of this region of an image."""
        return image[self.top : self.bottom, self.left : self.right]

    def relative_to(self, outer: Region) -> Region:
        """Return this region in the coordinates of an enclosing region."""
        return Region(self.left - outer.left, self.top - outer.top, self.right - outer.left, self.bottom - outer.top)

    @property
    def size(self) -> tuple[int, int]:
        """Return (width, height)."""
        return self.right - self.left, self.bottom - self.top


FULL_IMAGE = Region(0, 0, WIDTH, HEIGHT)
"""The full 1024x768 image."""


def bounding_region(regions: Iterable[Region]) -> Region:
    """Return the smallest region that contains all regions."""
    left, top, right, bottom = zip(*regions, strict=True)
    return Region(min(left), min(top), max(right), max(bottom))


Painter = Callable[[Fabric, Region], ImageArray]
"""Paints one region of a fabric, identical to the same crop of the full image: uint8 (h, w, 3), RGB."""


def blend(first: Color, second: Color, fraction: float) -> Color:
    """Interpolate linearly between two colors.

    >>> blend((0, 100, 200), (100, 0, 200), 0.25)
    (25, 75, 200)
    """
    red, green, blue = (round(a + (b - a) * fraction) for a, b in zip(first, second, strict=True))
    return red, green, blue


def colorize(plane: NDArray[np.uint8], *colors: Color) -> ImageArray:
    """Map gray values (h, w) to a color ramp, 0 to the first color and 255 to the last: uint8 (h, w, 3)."""
    positions = np.linspace(0, 255, len(colors))
    ramp = [np.interp(np.arange(256), positions, channel) for channel in zip(*colors, strict=True)]
    table = np.stack(ramp, axis=-1).round().astype(np.uint8)[:, None]
    return cv2.applyColorMap(plane, table)  # pyright: ignore[reportReturnType]
