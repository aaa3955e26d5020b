"""Draw small antialiased shapes, such as faces, hands and shoes, and convert them to layers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from tryon.synthetic.paint.curves import Array, cached_linspace, stack_xy
from tryon.synthetic.paint.layers import Layer
from tryon.synthetic.paint.raster import filled_image

Color = tuple[int, int, int]
Points = Sequence[tuple[float, float]] | Array

_SHIFT = 4


class Frame(NamedTuple):
    """The rectangle of the drawing plane that a drawing covers, and its pixels per unit of x and y."""

    left: float
    top: float
    right: float
    bottom: float
    across: float
    down: float


@dataclass
class Drawing:
    """An RGBA drawing.

    Args:
        frame: covered rectangle of the drawing plane.
        colors: uint8 (h, w, 3), RGB.
        opacity: uint8 (h, w), 255 where opaque.
    """

    frame: Frame
    colors: NDArray[np.uint8]
    opacity: NDArray[np.uint8]

    @classmethod
    def blank(cls, frame: Frame, color: Color) -> Drawing:
        """Return a transparent drawing of one color."""
        size = round((frame.bottom - frame.top) * frame.down), round((frame.right - frame.left) * frame.across)
        return cls(frame, filled_image(size[1], size[0], color), np.zeros(size, np.uint8))

    def _to_fixed_point(self, points: Points | Array) -> NDArray[np.int32]:
        f = self.frame
        pixels = (np.asarray(points, np.float64) - (f.left, f.top)) * (f.across * 2**_SHIFT, f.down * 2**_SHIFT)
        return np.rint(pixels).astype(np.int32)

    def set_opacity(self, points: Points, opaque: int = 255) -> None:
        """Make a polygon opaque, or transparent with 0."""
        cv2.fillPoly(self.opacity, [self._to_fixed_point(points)], opaque, cv2.LINE_AA, _SHIFT)

    def fill(self, points: Points, color: Color) -> None:
        """Fill a polygon with a color."""
        cv2.fillPoly(self.colors, [self._to_fixed_point(points)], color, cv2.LINE_AA, _SHIFT)

    def stroke(self, points: Points, width: float, color: Color | None) -> None:
        """Draw a line with a width in units of x; without a color, make it opaque."""
        target, value = (self.opacity, 255) if color is None else (self.colors, color)
        thickness = max(round(width * self.frame.across), 1)
        cv2.polylines(target, [self._to_fixed_point(points)], False, value, thickness, cv2.LINE_AA, _SHIFT)

    def strokes(self, lines: Array, width: float, color: Color) -> None:
        """Draw several lines (L, N, 2) at once."""
        fixed = self._to_fixed_point(lines.reshape(-1, 2)).reshape(*lines.shape)
        thickness = max(round(width * self.frame.across), 1)
        cv2.polylines(self.colors, list(fixed), False, color, thickness, cv2.LINE_AA, _SHIFT)

    def multiply_light(self, factors: NDArray[np.float32]) -> None:
        """Multiply the colors by factors (h, w, 3), given at any lower resolution."""
        size = self.opacity.shape[::-1]
        corners = cv2.resize(factors, size, interpolation=cv2.INTER_LINEAR)
        self.colors = cv2.multiply(self.colors, corners, dtype=cv2.CV_8U)  # pyright: ignore[reportAttributeAccessIssue]

    def to_layer(
        self,
        depth: int,
        label: int,
        to_image: Callable[[Array], Array],
        grid: tuple[int, int] = (2, 2),
        shadow: float = 0.0,
    ) -> tuple[Layer, Array]:
        """Convert the opaque part to a layer.

        Args:
            depth: depth of the layer.
            label: ATR id.
            to_image: maps points (R, C, 2) of the drawing plane to pixels.
            grid: rows and columns of the mesh.
            shadow: strength of its shadow.

        Returns:
            The layer, evenly lit, and its mesh points (R, C, 2) in the drawing plane.
        """
        left, top, width, height = cv2.boundingRect(self.opacity)
        opaque_region = slice(top, top + height), slice(left, left + width)
        texture = np.asarray(cv2.merge([self.colors[opaque_region], self.opacity[opaque_region]]), np.uint8)
        columns = cached_linspace(-_MESH_MARGIN, width - 1 + _MESH_MARGIN, grid[1])
        rows = cached_linspace(-_MESH_MARGIN, height - 1 + _MESH_MARGIN, grid[0])
        coordinates = stack_xy(columns, rows[:, None])
        f = self.frame
        plane = (coordinates + np.array([left, top])) / (f.across, f.down) + (f.left, f.top)
        shade = np.ones(plane.shape[:2])
        layer = Layer(depth, to_image(plane), label, shade, texture=texture, coordinates=coordinates, shadow=shadow)
        return layer, plane


_MESH_MARGIN = 14  # pixels around the opaque part


_ANGLES = np.linspace(0, 2 * np.pi, 48)
_CIRCLE = np.stack([np.cos(_ANGLES), np.sin(_ANGLES)], axis=-1)


def ellipse(x: float, y: float, rx: float, ry: float) -> Array:
    """Return the outline (48, 2) of an ellipse."""
    return _CIRCLE * (rx, ry) + (x, y)


def smooth(points: Points, closed: bool = True, rounds: int = 3) -> Array:
    """Smooth a line or outline by Chaikin corner cutting."""
    line = np.asarray(points, np.float64)
    for _ in range(rounds):
        corners = np.concatenate([line, line[:1]]) if closed else line
        start, following = corners[:-1], corners[1:]
        cut = np.empty((2 * len(start), 2))
        cut[::2], cut[1::2] = 0.75 * start + 0.25 * following, 0.25 * start + 0.75 * following
        if not closed:
            cut[0], cut[-1] = line[0], line[-1]
        line = cut
    return line


def mirror(points: Points, side: int) -> Array:
    """Mirror points at x = 0 for side -1; side 1 keeps them."""
    return np.asarray(points, np.float64) * (side, 1)


def scale_color(color: Color, factor: float) -> Color:
    """Scale a color, clipped to 255.

    >>> scale_color((100, 200, 240), 1.1)
    (110, 220, 255)
    """
    red, green, blue = (min(round(channel * factor), 255) for channel in color)
    return red, green, blue


def to_color(values: np.ndarray) -> Color:
    """Round RGB values and clip them to 0..255."""
    red, green, blue = (min(max(round(float(n)), 0), 255) for n in values)
    return red, green, blue
