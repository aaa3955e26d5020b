"""Tiles: small images without seams, drawn once and laid side by side over the whole cloth."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from tryon.dresscode.layout import HEIGHT, WIDTH
from tryon.synthetic.fabrics.fabric import WHOLE, Color, ImageArray, Part
from tryon.synthetic.paint.raster import filled_image

_SHIFT = 4  # fractional bits in OpenCV's drawing coordinates
_ROUND = np.stack([np.cos(np.arange(48) * np.pi / 24), np.sin(np.arange(48) * np.pi / 24)], axis=1)

Points = NDArray[np.float64]


class Tile:
    """A tile to draw on; what leaves it on one side comes in on the other.

    Args:
        width: pixels.
        height: pixels.
        ground: its color at first.
    """

    def __init__(self, width: float, height: float, ground: Color) -> None:
        self.size = max(round(width), 2), max(round(height), 2)
        self.image = filled_image(*self.size, ground)

    def polygon(self, outline: Points, color: Color) -> None:
        """Fill an outline (N, 2)."""
        for moved in self._copies(outline, 1):
            cv2.fillPoly(self.image, [moved], color, cv2.LINE_AA, _SHIFT)

    def disc(self, center: Points, radius: float, color: Color) -> None:
        """Fill a circle about (x, y)."""
        self.polygon(center + _ROUND * radius, color)

    def line(self, points: Points, thickness: int, color: Color) -> None:
        """Draw a line (N, 2) with round corners and ends."""
        for moved in self._copies(points, thickness / 2 + 1):
            cv2.polylines(self.image, [moved], False, color, thickness, cv2.LINE_AA, _SHIFT)

    def _copies(self, points: Points, reach: float) -> list[NDArray[np.int32]]:
        """The points in fixed point, at every place from which they touch the tile."""
        low, high = points.min(0) - reach, points.max(0) + reach
        fixed = np.round(points * 2**_SHIFT).astype(np.int32)
        wide, tall = self.size
        return [
            fixed + np.array([column * wide, row * tall], np.int32) * 2**_SHIFT
            for row in range(int(-high[1] // tall) + 1, int((tall - low[1]) // tall) + 1)
            for column in range(int(-high[0] // wide) + 1, int((wide - low[0]) // wide) + 1)
        ]


def lay_tiles(tile: ImageArray, angle: float, origin: tuple[float, float], part: Part = WHOLE) -> ImageArray:
    """Cover a part of the image with a tile.

    Args:
        tile: uint8 (h, w, 3).
        angle: by how many degrees the tiles are turned.
        origin: x and y in the image where a tile's corner lies.
        part: what is covered.

    Returns:
        uint8 (h, w, 3); sharp where the angle is a multiple of 90 degrees, else interpolated.
    """
    quarters = round(angle / 90)
    if abs(angle - quarters * 90) < 1e-6:
        turned = np.ascontiguousarray(np.rot90(tile, -quarters))
        return _repeated(turned, part.size, (round(origin[0]) - part.left, round(origin[1]) - part.top))
    turn = np.deg2rad(angle)
    cosine, sine = np.cos(turn), np.sin(turn)
    back = np.array([[cosine, sine], [-sine, cosine]])
    corners = (np.array([(0, 0), (WIDTH, 0), (0, HEIGHT), (WIDTH, HEIGHT)]) - origin) @ back.T
    low = np.floor(corners.min(0)).astype(int) - 2
    size = np.ceil(corners.max(0)).astype(int) + 2 - low
    sheet = _repeated(tile, (size[0], size[1]), (-low[0], -low[1]))
    inverse = np.concatenate([back, (-back @ origin - low)[:, None]], axis=1)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return part.of(cv2.warpAffine(sheet, inverse, (WIDTH, HEIGHT), flags=flags))  # pyright: ignore[reportArgumentType]


def _repeated(tile: ImageArray, size: tuple[int, int], corner: tuple[int, int]) -> ImageArray:
    """Tiles side by side, a corner of one at (x, y)."""
    (width, height), (tall, wide) = size, tile.shape[:2]
    left, top = int(corner[0]) % wide, int(corner[1]) % tall
    below, right = max(int(height) - top - tall, 0), max(int(width) - left - wide, 0)
    whole = cv2.copyMakeBorder(tile, top, below, left, right, cv2.BORDER_WRAP)
    return np.ascontiguousarray(whole[:height, :width], np.uint8)
