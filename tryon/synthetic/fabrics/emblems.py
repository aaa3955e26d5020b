"""Emblems: a simple figure on a disc, in a ring or bare; once on the chest or all over the cloth."""

from __future__ import annotations

from typing import Literal

import cv2
import numpy as np

from tryon.dresscode.layout import HEIGHT, WIDTH
from tryon.synthetic.fabrics.fabric import Fabric, ImageArray, Part
from tryon.synthetic.fabrics.tiles import Points, Tile, lay_tiles

Frame = Literal["disc", "ring", "bare"]

_CHEST = np.array([WIDTH / 2, HEIGHT * 0.42])


def _star(points: int, inner: float) -> Points:
    turn = np.arange(2 * points) * np.pi / points
    radii = np.where(np.arange(2 * points) % 2 == 0, 1.0, inner)
    return np.stack([np.sin(turn) * radii, -np.cos(turn) * radii], axis=1)


def _heart() -> Points:
    t = np.linspace(0, 2 * np.pi, 48)
    y = 13 * np.cos(t) - 5 * np.cos(2 * t) - 2 * np.cos(3 * t) - np.cos(4 * t)
    return np.stack([16 * np.sin(t) ** 3, -y - 2], axis=1) / 16


_PEAKS = np.array([(-1, 0.6), (-0.35, -0.55), (-0.02, 0.02), (0.3, -0.35), (1, 0.6)])

_FIGURES: tuple[Points, ...] = (_star(5, 0.46), _star(4, 0.46), _heart(), _PEAKS, _star(8, 0.6))
"""Outlines (N, 2) of radius 1."""

_SIZES: dict[Frame, float] = {"disc": 0.84, "ring": 0.66, "bare": 1.0}
"""Radius of the figure as a share of the emblem's."""


def paint_logo(fabric: Fabric, part: Part) -> ImageArray:
    """A figure on a large disc on the chest between side panels, so that legs and sleeves carry something too."""
    sheet = Tile(WIDTH, HEIGHT, fabric.colors[0])
    _emblem(sheet, _CHEST, fabric.period * 0.62, fabric, "disc", fabric.angle)
    for side in (-1, 1):
        edge, far = WIDTH / 2 + side * fabric.period * 0.95, WIDTH / 2 * (1 + side)
        cv2.rectangle(sheet.image, (round(edge), 0), (round(far), HEIGHT), fabric.colors[1], cv2.FILLED)
    return part.of(sheet.image)


def paint_emblem(fabric: Fabric, part: Part) -> ImageArray:
    """A large emblem on the chest and nothing else."""
    sheet = Tile(WIDTH, HEIGHT, fabric.colors[0])
    _emblem(sheet, _CHEST, fabric.period * 0.62, fabric, _frame(fabric), fabric.angle)
    return part.of(sheet.image)


def paint_icons(fabric: Fabric, part: Part) -> ImageArray:
    """One emblem all over the cloth, each in the gap of the row above."""
    step = fabric.period
    tile = Tile(step, step * 1.74, fabric.colors[0])
    width, height = tile.size
    for row in range(2):
        center = np.array([(0.5 + 0.5 * row) * width, (row + 0.5) * height / 2])
        _emblem(tile, center, step * 0.38, fabric, _frame(fabric))
    return lay_tiles(tile.image, fabric.angle, fabric.origin, part)


def _frame(fabric: Fabric) -> Frame:
    frames: tuple[Frame, ...] = ("disc", "ring", "disc", "bare")
    return frames[fabric.seed // len(_FIGURES) % len(frames)]


def _emblem(tile: Tile, center: Points, radius: float, fabric: Fabric, frame: Frame, angle: float = 0.0) -> None:
    """Draw the seed's figure in its frame, turned by so many degrees."""
    figure = _FIGURES[fabric.seed % len(_FIGURES)]
    ground, second, third = fabric.colors
    if frame != "bare":
        tile.disc(center, radius, second)
    if frame == "ring":
        tile.disc(center, radius * 0.84, ground)
    turn = np.deg2rad(angle)
    spin = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    tile.polygon(center + figure @ spin * radius * _SIZES[frame], third if frame == "disc" else second)
