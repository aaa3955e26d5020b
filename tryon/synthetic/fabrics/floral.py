"""Paint flowers with leaves that do not overlap."""

from __future__ import annotations

import numpy as np

from tryon.synthetic.fabrics.fabric import Color, Fabric, ImageArray, Region, blend
from tryon.synthetic.fabrics.tiles import Points, Tile, lay_tiles

_TURN = np.arange(80) * np.pi / 40
_GREENS: tuple[Color, ...] = ((70, 104, 66), (112, 138, 92), (46, 86, 76), (150, 164, 116))
_CENTERS: tuple[Color, ...] = ((236, 188, 70), (248, 226, 150), (92, 58, 44))
_SIZES = ((0.47, 1.12), (0.29, 1.12), (0.15, 1.1))
"""Radius of large flowers, small flowers and leaves as a fraction of the period, and their spacing factor."""

_MAX_COUNTS = (8, 10, 9)
_NUM_CANDIDATES = 160


def paint_floral(fabric: Fabric, region: Region) -> ImageArray:
    """Paint flowers of three sizes and two colors on a tile of three periods."""
    rng = np.random.default_rng(fabric.seed)
    ground, *petals = fabric.colors
    side = 3 * fabric.period
    tile = Tile(side, side, ground)
    leaf = max(_GREENS, key=lambda green: _distance(green, ground) + rng.uniform(0, 90))
    eye = max(_CENTERS, key=lambda color: _distance(color, petals[0]) + rng.uniform(0, 60))
    styles = [rng.choice(["round", "daisy", "rose"]) for _ in petals]
    for x, y, radius, size in _scatter(rng, tile.size[0], fabric.period):
        center = np.array([x, y])
        if size == 2:
            _leaf(tile, center, radius, rng.uniform(0, 2 * np.pi), leaf)
            continue
        rotation = rng.uniform(0, 2 * np.pi)
        for angle in (rotation, rotation + rng.uniform(1.6, 2.6)):
            direction = np.array([np.cos(angle), np.sin(angle)])
            _leaf(tile, center + direction * radius * 0.95, radius * 0.42, angle, leaf)
        color_index = int(rng.random() < 0.35) if size == 0 else int(rng.random() < 0.65)
        _flower(tile, center, radius * 0.9, rotation, str(styles[color_index]), petals[color_index], eye)
    return lay_tiles(tile.image, 0.0, fabric.origin, region)


def _scatter(rng: np.random.Generator, side: int, period: float) -> list[tuple[float, float, float, int]]:
    """Sample (x, y, radius, size class) on a tile so that discs do not overlap, also across its seams."""
    placed: list[tuple[float, float, float, int]] = []
    for size, (fraction, spacing) in enumerate(_SIZES):
        radius = fraction * period
        candidates = rng.random((_NUM_CANDIDATES, 2)) * side
        for x, y, other_radius, _ in placed:
            candidates = _drop_near(candidates, x, y, (radius + other_radius) * spacing, side)
        for _ in range(_MAX_COUNTS[size]):
            if not len(candidates):
                break
            x, y = candidates[0].tolist()
            placed.append((x, y, radius, size))
            candidates = _drop_near(candidates, x, y, 2 * radius * spacing, side)
    return placed


def _drop_near(candidates: Points, x: float, y: float, distance: float, side: int) -> Points:
    """Drop candidates (N, 2) within `distance` of a point, measured on the torus of the tile."""
    offset = np.abs((candidates - (x, y) + side / 2) % side - side / 2)
    return candidates[(offset**2).sum(1) > distance**2]


def _flower(tile: Tile, center: Points, radius: float, rotation: float, style: str, color: Color, eye: Color) -> None:
    dark, light = blend(color, (40, 20, 30), 0.22), blend(color, (255, 255, 255), 0.32)
    if style == "rose":
        for scale, tone in ((1.0, color), (0.72, dark), (0.6, color), (0.36, dark), (0.26, light)):
            direction = np.array([np.cos(rotation * 3 + scale * 9), np.sin(rotation * 3 + scale * 9)])
            shift = direction * radius * (1 - scale) * 0.25
            tile.polygon(center + shift + _rosette(6, 0.9, rotation + scale * 4) * radius * scale, tone)
        return
    petals, depth = (5, 0.52) if style == "round" else (9, 0.4)
    tile.polygon(center + _rosette(petals, depth, rotation) * radius, color)
    tile.polygon(center + _rosette(petals, depth * 0.6, rotation) * radius * 0.62, light if style == "round" else dark)
    tile.disc(center, radius * 0.26, eye)


def _rosette(petals: int, depth: float, rotation: float) -> Points:
    """Return the outline of a flower of radius 1; `depth` is the radius between two petals."""
    radius = depth + (1 - depth) * np.abs(np.cos(petals / 2 * _TURN)) ** 0.6
    return np.stack([np.cos(_TURN + rotation), np.sin(_TURN + rotation)], axis=1) * radius[:, None]


def _leaf(tile: Tile, center: Points, length: float, angle: float, color: Color) -> None:
    x = np.linspace(-1, 1, 10)
    bow = 0.42 * (1 - x**2)
    outline = np.concatenate([np.stack([x, bow], 1), np.stack([x, -bow], 1)[::-1]]) * length
    cosine, sine = np.cos(angle), np.sin(angle)
    tile.polygon(center + outline @ np.array([[cosine, sine], [-sine, cosine]]), color)


def _distance(first: Color, second: Color) -> float:
    return float(np.linalg.norm(np.subtract(first, second)))
