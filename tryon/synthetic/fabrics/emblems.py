"""Paint emblems: a figure on a disc, in a ring or bare, on the chest or all over the cloth."""

from __future__ import annotations

from typing import Literal

import cv2
import numpy as np

from tryon.dresscode.layout import HEIGHT, WIDTH
from tryon.synthetic.fabrics.fabric import Fabric, ImageArray, Region
from tryon.synthetic.fabrics.tiles import Points, Tile, lay_tiles

Frame = Literal["disc", "ring", "bare"]

_CHEST = np.array([WIDTH / 2, HEIGHT * 0.42])


def _star(points: int, inner: float) -> Points:
    angles = np.arange(2 * points) * np.pi / points
    radii = np.where(np.arange(2 * points) % 2 == 0, 1.0, inner)
    return np.stack([np.sin(angles) * radii, -np.cos(angles) * radii], axis=1)


def _heart() -> Points:
    t = np.linspace(0, 2 * np.pi, 48)
    y = 13 * np.cos(t) - 5 * np.cos(2 * t) - 2 * np.cos(3 * t) - np.cos(4 * t)
    return np.stack([16 * np.sin(t) ** 3, -y - 2], axis=1) / 16


_PEAKS = np.array([(-1, 0.6), (-0.35, -0.55), (-0.02, 0.02), (0.3, -0.35), (1, 0.6)])

_FIGURES: tuple[Points, ...] = (_star(5, 0.46), _star(4, 0.46), _heart(), _PEAKS, _star(8, 0.6))
"""Outlines (N, 2) of radius 1."""

_SIZES: dict[Frame, float] = {"disc": 0.84, "ring": 0.66, "bare": 1.0}
"""Radius of the figure as a fraction of the emblem's."""


def paint_logo(fabric: Fabric, region: Region) -> ImageArray:
    """Paint a large disc with a figure on the chest between side panels, so that sleeves and legs carry color too."""
    sheet = Tile(WIDTH, HEIGHT, fabric.colors[0])
    _draw_emblem(sheet, _CHEST, fabric.period * 0.62, fabric, "disc", fabric.angle)
    for side in (-1, 1):
        edge, outer = WIDTH / 2 + side * fabric.period * 0.95, WIDTH / 2 * (1 + side)
        cv2.rectangle(sheet.image, (round(edge), 0), (round(outer), HEIGHT), fabric.colors[1], cv2.FILLED)
    return region.crop(sheet.image)


def paint_emblem(fabric: Fabric, region: Region) -> ImageArray:
    """Paint one large emblem on the chest."""
    sheet = Tile(WIDTH, HEIGHT, fabric.colors[0])
    _draw_emblem(sheet, _CHEST, fabric.period * 0.62, fabric, _choose_frame(fabric), fabric.angle)
    return region.crop(sheet.image)


def paint_icons(fabric: Fabric, region: Region) -> ImageArray:
    """Paint one emblem all over the cloth, in staggered rows."""
    step = fabric.period
    tile = Tile(step, step * 1.74, fabric.colors[0])
    width, height = tile.size
    for row in range(2):
        center = np.array([(0.5 + 0.5 * row) * width, (row + 0.5) * height / 2])
        _draw_emblem(tile, center, step * 0.38, fabric, _choose_frame(fabric))
    return lay_tiles(tile.image, fabric.angle, fabric.origin, region)


def _choose_frame(fabric: Fabric) -> Frame:
    frames: tuple[Frame, ...] = ("disc", "ring", "disc", "bare")
    return frames[fabric.seed // len(_FIGURES) % len(frames)]


def _draw_emblem(tile: Tile, center: Points, radius: float, fabric: Fabric, frame: Frame, angle: float = 0.0) -> None:
    """Draw the figure chosen by the seed in its frame, rotated by `angle` degrees."""
    figure = _FIGURES[fabric.seed % len(_FIGURES)]
    ground, second, third = fabric.colors
    if frame != "bare":
        tile.disc(center, radius, second)
    if frame == "ring":
        tile.disc(center, radius * 0.84, ground)
    radians = np.deg2rad(angle)
    rotation = np.array([[np.cos(radians), np.sin(radians)], [-np.sin(radians), np.cos(radians)]])
    tile.polygon(center + figure @ rotation * radius * _SIZES[frame], third if frame == "disc" else second)
