"""Draw seamless tiles and repeat them over the cloth."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from tryon.dresscode.layout import HEIGHT, WIDTH
from tryon.synthetic.fabrics.fabric import FULL_IMAGE, Color, ImageArray, Region
from tryon.synthetic.paint.raster import filled_image

_SHIFT = 4  # fractional bits in OpenCV's drawing coordinates
_CIRCLE = np.stack([np.cos(np.arange(48) * np.pi / 24), np.sin(np.arange(48) * np.pi / 24)], axis=1)

Points = NDArray[np.float64]


class Tile:
    """A drawing surface that wraps around at its edges, initially of color `ground`."""

    def __init__(self, width: float, height: float, ground: Color) -> None:
        self.size = max(round(width), 2), max(round(height), 2)
        self.image = filled_image(*self.size, ground)

    def polygon(self, outline: Points, color: Color) -> None:
        """Fill an outline (N, 2)."""
        for points_copy in self._copies(outline, 1):
            cv2.fillPoly(self.image, [points_copy], color, cv2.LINE_AA, _SHIFT)

    def disc(self, center: Points, radius: float, color: Color) -> None:
        """Fill a circle around (x, y)."""
        self.polygon(center + _CIRCLE * radius, color)

    def line(self, points: Points, thickness: int, color: Color) -> None:
        """Draw a line (N, 2) with round joins and caps."""
        for points_copy in self._copies(points, thickness / 2 + 1):
            cv2.polylines(self.image, [points_copy], False, color, thickness, cv2.LINE_AA, _SHIFT)

    def _copies(self, points: Points, margin: float) -> list[NDArray[np.int32]]:
        """Return the points in fixed point at every offset from which they touch the tile."""
        low, high = points.min(0) - margin, points.max(0) + margin
        fixed = np.round(points * 2**_SHIFT).astype(np.int32)
        tile_width, tile_height = self.size
        return [
            fixed + np.array([column * tile_width, row * tile_height], np.int32) * 2**_SHIFT
            for row in range(int(-high[1] // tile_height) + 1, int((tile_height - low[1]) // tile_height) + 1)
            for column in range(int(-high[0] // tile_width) + 1, int((tile_width - low[0]) // tile_width) + 1)
        ]


def lay_tiles(tile: ImageArray, angle: float, origin: tuple[float, float], region: Region = FULL_IMAGE) -> ImageArray:
    """Cover a region with a tile (h, w, 3) rotated by `angle` degrees, a corner at `origin` (x, y).

    Multiples of 90 degrees are exact; other angles are interpolated.
    """
    quarters = round(angle / 90)
    if abs(angle - quarters * 90) < 1e-6:
        rotated = np.ascontiguousarray(np.rot90(tile, -quarters))
        return _repeat_tile(rotated, region.size, (round(origin[0]) - region.left, round(origin[1]) - region.top))
    radians = np.deg2rad(angle)
    cosine, sine = np.cos(radians), np.sin(radians)
    rotation = np.array([[cosine, sine], [-sine, cosine]])
    corners = (np.array([(0, 0), (WIDTH, 0), (0, HEIGHT), (WIDTH, HEIGHT)]) - origin) @ rotation.T
    low = np.floor(corners.min(0)).astype(int) - 2
    size = np.ceil(corners.max(0)).astype(int) + 2 - low
    sheet = _repeat_tile(tile, (size[0], size[1]), (-low[0], -low[1]))
    inverse = np.concatenate([rotation, (-rotation @ origin - low)[:, None]], axis=1)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return region.crop(cv2.warpAffine(sheet, inverse, (WIDTH, HEIGHT), flags=flags))  # pyright: ignore[reportArgumentType]


def _repeat_tile(tile: ImageArray, size: tuple[int, int], corner: tuple[int, int]) -> ImageArray:
    """Fill an image of `size` (width, height) with tiles, one corner at (x, y)."""
    (width, height), (tile_height, tile_width) = size, tile.shape[:2]
    left, top = int(corner[0]) % tile_width, int(corner[1]) % tile_height
    below, right = max(int(height) - top - tile_height, 0), max(int(width) - left - tile_width, 0)
    repeated = cv2.copyMakeBorder(tile, top, below, left, right, cv2.BORDER_WRAP)
    return np.ascontiguousarray(repeated[:height, :width], np.uint8)
