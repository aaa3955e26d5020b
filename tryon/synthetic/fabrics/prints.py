"""Paint dots, color blocks, camouflage and animal spots."""

from __future__ import annotations

import cv2
import numpy as np

from tryon.dresscode.layout import HEIGHT, WIDTH
from tryon.synthetic.fabrics.bands import paint_bands
from tryon.synthetic.fabrics.fabric import Color, Fabric, ImageArray, Region
from tryon.synthetic.fabrics.tiles import Points, Tile, lay_tiles


def paint_dots(fabric: Fabric, region: Region) -> ImageArray:
    """Paint dots of two colors in staggered rows."""
    step = fabric.period
    tile = Tile(step * 2, step * 1.74, fabric.colors[0])
    width, height = tile.size
    for row in range(2):
        for column in range(2):
            center = np.array([(column + 0.5 * row + 0.5) * width / 2, (row + 0.5) * height / 2])
            tile.disc(center, step * 0.31, fabric.colors[1 + (column + row) % 2])
    return lay_tiles(tile.image, fabric.angle, fabric.origin, region)


def paint_blocks(fabric: Fabric, region: Region) -> ImageArray:
    """Paint three wide color blocks side by side."""
    ground, second, third = fabric.colors
    unbounded = 4000.0
    low, high = 0.45 * fabric.period, 0.35 * fabric.period
    bands = [(unbounded, third), (low + high, ground), (unbounded, second)]
    x, y = fabric.origin
    radians = np.deg2rad(fabric.angle)
    start = unbounded + low  # offset of the middle block within the repeat
    first = x + np.sin(radians) * start, y - np.cos(radians) * start
    return paint_bands(bands, 2 * unbounded + low + high, fabric.angle, first, region)


_COARSE = 4  # noise is rendered at a quarter of the resolution


def paint_camouflage(fabric: Fabric, region: Region) -> ImageArray:
    """Paint camouflage of three colors."""
    rng = np.random.default_rng(fabric.seed)
    height, width = HEIGHT // _COARSE, WIDTH // _COARSE
    planes = []
    for scale in (1.0, 0.45):
        cells = (max(round(WIDTH / fabric.period / scale), 2), max(round(HEIGHT / fabric.period / scale * 1.4), 2))
        planes.append(
            cv2.resize(rng.standard_normal(cells[::-1], np.float32), (width, height), interpolation=cv2.INTER_CUBIC)
        )
    noise = planes[0] + 0.45 * planes[1]
    thirds = np.quantile(noise[::4, ::4], (0.3, 0.68))
    middle, spread = thirds.mean(), max(thirds[1] - thirds[0], 1e-3)
    plane = np.clip((noise - middle) / spread * 64 + 128, 0, 255).astype(np.uint8)  # color edges at 96 and 160
    large = cv2.resize(plane, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
    return _posterize(region.crop(large), (fabric.colors[1], fabric.colors[0], fabric.colors[2]))


def _posterize(plane: ImageArray, colors: tuple[Color, Color, Color]) -> ImageArray:
    """Map gray values to three colors with soft edges at 96 and 160."""
    positions = [0, 94, 98, 158, 162, 255]
    ramp = [np.interp(np.arange(256), positions, np.repeat(channel, 2)) for channel in zip(*colors, strict=True)]
    table = np.stack(ramp, axis=-1).round().astype(np.uint8)[:, None]
    return cv2.applyColorMap(plane, table)  # pyright: ignore[reportReturnType]


def paint_animal(fabric: Fabric, region: Region) -> ImageArray:
    """Paint spots with broken rims."""
    rng = np.random.default_rng(fabric.seed)
    step = fabric.period
    tile = Tile(step * 4, step * 4 * 0.87, fabric.colors[0])
    thickness = max(round(step * 0.17), 2)
    for row in range(4):
        for column in range(4):
            x, y = np.array([column + 0.5 * (row & 1), row * 0.87]) * step + rng.uniform(-0.14, 0.14, 2) * step
            spot = np.array([x, y]) + _spot_outline(rng) * step * 0.3
            tile.polygon(spot, fabric.colors[2])
            start = int(rng.integers(24))
            rim = np.concatenate([spot[start:], spot[:start]])
            gap = rng.integers(9, 13)
            tile.line(rim[: gap - 2], thickness, fabric.colors[1])
            tile.line(rim[gap : gap + int(rng.integers(6, 10))], thickness, fabric.colors[1])
    return lay_tiles(tile.image, 0.0, fabric.origin, region)


def _spot_outline(rng: np.random.Generator) -> Points:
    angle = np.arange(24) * np.pi / 12
    radius = 1 + 0.16 * np.sin(2 * angle + rng.uniform(0, 6)) + 0.1 * np.sin(3 * angle + rng.uniform(0, 6))
    return np.stack([np.cos(angle) * radius * 1.12, np.sin(angle) * radius * 0.9], axis=1)
