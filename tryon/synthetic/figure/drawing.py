"""Small drawings with soft edges, such as faces, hands and shoes, and how one becomes a layer of a figure."""

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
    """The part of the drawing's own plane that it covers, and its pixels per unit of x and y."""

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
        frame: where it lies.
        colors: uint8 (h, w, 3), RGB.
        opacity: uint8 (h, w), 255 where it is seen.
    """

    frame: Frame
    colors: NDArray[np.uint8]
    opacity: NDArray[np.uint8]

    @classmethod
    def blank(cls, frame: Frame, color: Color) -> Drawing:
        """A drawing of one color, of which nothing is seen yet."""
        size = round((frame.bottom - frame.top) * frame.down), round((frame.right - frame.left) * frame.across)
        return cls(frame, filled_image(size[1], size[0], color), np.zeros(size, np.uint8))

    def _fixed(self, points: Points | Array) -> NDArray[np.int32]:
        f = self.frame
        places = (np.asarray(points, np.float64) - (f.left, f.top)) * (f.across * 2**_SHIFT, f.down * 2**_SHIFT)
        return np.rint(places).astype(np.int32)

    def set_opacity(self, points: Points, opaque: int = 255) -> None:
        """Make a polygon opaque, or transparent with 0."""
        cv2.fillPoly(self.opacity, [self._fixed(points)], opaque, cv2.LINE_AA, _SHIFT)

    def fill(self, points: Points, color: Color) -> None:
        """Fill a polygon with a color."""
        cv2.fillPoly(self.colors, [self._fixed(points)], color, cv2.LINE_AA, _SHIFT)

    def stroke(self, points: Points, width: float, color: Color | None) -> None:
        """Draw a line of a width in units of x, with a color or, without, make it opaque."""
        target, value = (self.opacity, 255) if color is None else (self.colors, color)
        thick = max(round(width * self.frame.across), 1)
        cv2.polylines(target, [self._fixed(points)], False, value, thick, cv2.LINE_AA, _SHIFT)

    def strokes(self, lines: Array, width: float, color: Color) -> None:
        """Draw several lines (L, N, 2) at once."""
        fixed = self._fixed(lines.reshape(-1, 2)).reshape(*lines.shape)
        thick = max(round(width * self.frame.across), 1)
        cv2.polylines(self.colors, list(fixed), False, color, thick, cv2.LINE_AA, _SHIFT)

    def multiply_light(self, factors: NDArray[np.float32]) -> None:
        """Multiply the colors by factors (h, w, 3), given at any smaller size."""
        size = self.opacity.shape[::-1]
        whole = cv2.resize(factors, size, interpolation=cv2.INTER_LINEAR)
        self.colors = cv2.multiply(self.colors, whole, dtype=cv2.CV_8U)  # pyright: ignore[reportAttributeAccessIssue]

    def to_layer(
        self,
        depth: int,
        label: int,
        place: Callable[[Array], Array],
        grid: tuple[int, int] = (2, 2),
        shadow: float = 0.0,
    ) -> tuple[Layer, Array]:
        """The opaque part as a layer.

        Args:
            depth: of the layer.
            label: ATR id.
            place: pixels (R, C, 2) of points (R, C, 2) of the drawing's plane.
            grid: rows and columns of the mesh.
            shadow: strength of the shadow it throws.

        Returns:
            The layer, evenly lit, and its mesh's points (R, C, 2) in the drawing's plane.
        """
        left, top, width, height = cv2.boundingRect(self.opacity)
        seen = slice(top, top + height), slice(left, left + width)
        texture = np.asarray(cv2.merge([self.colors[seen], self.opacity[seen]]), np.uint8)
        columns = cached_linspace(-_ROOM, width - 1 + _ROOM, grid[1])
        rows = cached_linspace(-_ROOM, height - 1 + _ROOM, grid[0])
        coordinates = stack_xy(columns, rows[:, None])
        f = self.frame
        plane = (coordinates + np.array([left, top])) / (f.across, f.down) + (f.left, f.top)
        shade = np.ones(plane.shape[:2])
        made = Layer(depth, place(plane), label, shade, texture=texture, coordinates=coordinates, shadow=shadow)
        return made, plane


_ROOM = 14  # pixels by which the mesh reaches beyond what is opaque


_TURN = np.linspace(0, 2 * np.pi, 48)
_ROUND = np.stack([np.cos(_TURN), np.sin(_TURN)], axis=-1)


def ellipse(x: float, y: float, rx: float, ry: float) -> Array:
    """Outline (48, 2) of an ellipse."""
    return _ROUND * (rx, ry) + (x, y)


def smooth(points: Points, closed: bool = True, rounds: int = 3) -> Array:
    """A line or outline with its corners cut again and again, which makes it a smooth curve (Chaikin)."""
    line = np.asarray(points, np.float64)
    for _ in range(rounds):
        whole = np.concatenate([line, line[:1]]) if closed else line
        start, following = whole[:-1], whole[1:]
        cut = np.empty((2 * len(start), 2))
        cut[::2], cut[1::2] = 0.75 * start + 0.25 * following, 0.25 * start + 0.75 * following
        if not closed:
            cut[0], cut[-1] = line[0], line[-1]
        line = cut
    return line


def mirror(points: Points, side: int) -> Array:
    """The points themselves for side 1, mirrored at x = 0 for side -1."""
    return np.asarray(points, np.float64) * (side, 1)


def scale_color(color: Color, factor: float) -> Color:
    """A lighter or darker color."""
    red, green, blue = (min(round(channel * factor), 255) for channel in color)
    return red, green, blue


def to_color(values: np.ndarray) -> Color:
    """RGB rounded and kept within 0..255."""
    red, green, blue = (min(max(round(float(n)), 0), 255) for n in values)
    return red, green, blue
