"""Flowers with leaves, strewn over the cloth without touching each other."""

from __future__ import annotations

import numpy as np

from tryon.synthetic.fabrics.fabric import Color, Fabric, ImageArray, Part, blend
from tryon.synthetic.fabrics.tiles import Points, Tile, lay_tiles

_TURN = np.arange(80) * np.pi / 40
_GREENS: tuple[Color, ...] = ((70, 104, 66), (112, 138, 92), (46, 86, 76), (150, 164, 116))
_HEARTS: tuple[Color, ...] = ((236, 188, 70), (248, 226, 150), (92, 58, 44))
_SIZES = ((0.47, 1.12), (0.29, 1.12), (0.15, 1.1))
"""Radius of large and small flowers and of loose leaves, in repeats, and the room they keep around them."""

_MOST = (8, 10, 9)
_TRIES = 160


def paint_floral(fabric: Fabric, part: Part) -> ImageArray:
    """Flowers of three sizes and two colors; the tile is three repeats wide."""
    rng = np.random.default_rng(fabric.seed)
    ground, *petals = fabric.colors
    side = 3 * fabric.period
    tile = Tile(side, side, ground)
    leaf = max(_GREENS, key=lambda green: _distance(green, ground) + rng.uniform(0, 90))
    heart = max(_HEARTS, key=lambda color: _distance(color, petals[0]) + rng.uniform(0, 60))
    kinds = [rng.choice(["round", "daisy", "rose"]) for _ in petals]
    for x, y, radius, size in _scatter(rng, tile.size[0], fabric.period):
        center = np.array([x, y])
        if size == 2:
            _leaf(tile, center, radius, rng.uniform(0, 2 * np.pi), leaf)
            continue
        spin = rng.uniform(0, 2 * np.pi)
        for turn in (spin, spin + rng.uniform(1.6, 2.6)):
            towards = np.array([np.cos(turn), np.sin(turn)])
            _leaf(tile, center + towards * radius * 0.95, radius * 0.42, turn, leaf)
        which = int(rng.random() < 0.35) if size == 0 else int(rng.random() < 0.65)
        _flower(tile, center, radius * 0.9, spin, str(kinds[which]), petals[which], heart)
    return lay_tiles(tile.image, 0.0, fabric.origin, part)


def _scatter(rng: np.random.Generator, side: int, period: float) -> list[tuple[float, float, float, int]]:
    """Places (x, y, radius, size 0 to 2) on a tile; discs of these radii do not overlap, across its seams either."""
    chosen: list[tuple[float, float, float, int]] = []
    for size, (share, room) in enumerate(_SIZES):
        radius = share * period
        places = rng.random((_TRIES, 2)) * side
        for x, y, other, _ in chosen:
            places = _clear_of(places, x, y, (radius + other) * room, side)
        for _ in range(_MOST[size]):
            if not len(places):
                break
            x, y = places[0].tolist()
            chosen.append((x, y, radius, size))
            places = _clear_of(places, x, y, 2 * radius * room, side)
    return chosen


def _clear_of(places: Points, x: float, y: float, distance: float, side: int) -> Points:
    """Those of the places (N, 2) that are further than `distance` from a point, the shorter way around the tile."""
    away = np.abs((places - (x, y) + side / 2) % side - side / 2)
    return places[(away**2).sum(1) > distance**2]


def _flower(tile: Tile, center: Points, radius: float, spin: float, kind: str, color: Color, heart: Color) -> None:
    dark, light = blend(color, (40, 20, 30), 0.22), blend(color, (255, 255, 255), 0.32)
    if kind == "rose":
        for share, tone in ((1.0, color), (0.72, dark), (0.6, color), (0.36, dark), (0.26, light)):
            shift = np.array([np.cos(spin * 3 + share * 9), np.sin(spin * 3 + share * 9)]) * radius * (1 - share) * 0.25
            tile.polygon(center + shift + _rosette(6, 0.9, spin + share * 4) * radius * share, tone)
        return
    petals, depth = (5, 0.52) if kind == "round" else (9, 0.4)
    tile.polygon(center + _rosette(petals, depth, spin) * radius, color)
    tile.polygon(center + _rosette(petals, depth * 0.6, spin) * radius * 0.62, light if kind == "round" else dark)
    tile.disc(center, radius * 0.26, heart)


def _rosette(petals: int, depth: float, spin: float) -> Points:
    """Outline of a flower of radius 1; `depth` is how far from its center petals part."""
    radius = depth + (1 - depth) * np.abs(np.cos(petals / 2 * _TURN)) ** 0.6
    return np.stack([np.cos(_TURN + spin), np.sin(_TURN + spin)], axis=1) * radius[:, None]


def _leaf(tile: Tile, center: Points, length: float, turn: float, color: Color) -> None:
    run = np.linspace(-1, 1, 10)
    bow = 0.42 * (1 - run**2)
    outline = np.concatenate([np.stack([run, bow], 1), np.stack([run, -bow], 1)[::-1]]) * length
    cosine, sine = np.cos(turn), np.sin(turn)
    tile.polygon(center + outline @ np.array([[cosine, sine], [-sine, cosine]]), color)


def _distance(first: Color, second: Color) -> float:
    return float(np.linalg.norm(np.subtract(first, second)))
