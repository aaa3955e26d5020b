"""Surfaces and places behind people, as small images: float32 (h, w, 3), RGB about 0..255."""

from __future__ import annotations

import colorsys
from collections.abc import Callable

import cv2
import numpy as np

from tryon.synthetic.paint.raster import Floats

Size = tuple[int, int]
"""Height and width."""

Scene = Callable[[np.random.Generator, Size], Floats]


def mottled(rng: np.random.Generator, size: Size, strength: float) -> Floats:
    """Soft blotches of several sizes, float32 (h, w), around 0 with about this standard deviation."""
    noise = np.zeros(size, np.float32)
    for cells, share in ((4, 0.7), (13, 0.55), (50, 0.45)):
        noise += share * strength * _noise(rng, size, (cells * 4 // 3, cells))
    return noise


def _noise(rng: np.random.Generator, size: Size, cells: Size) -> Floats:
    """Smooth noise of so many cells down and across."""
    grid = rng.standard_normal(cells, np.float32)
    return cv2.resize(grid, size[::-1], interpolation=cv2.INTER_CUBIC)  # pyright: ignore[reportReturnType]


def _paint(rng: np.random.Generator, lightest: float = 1.0, strongest: float = 0.35) -> Floats:
    """A wall color, float32 (3,)."""
    hue, saturation, value = rng.uniform(), rng.uniform(0.04, strongest), rng.uniform(0.5, lightest)
    return np.array(colorsys.hsv_to_rgb(hue, saturation, value), np.float32) * 255


def surface(rng: np.random.Generator, size: Size) -> Floats:
    """Tinted plaster with blotches and, sometimes, vertical panels."""
    noise = mottled(rng, size, rng.uniform(6, 16))
    if rng.random() < 0.3:
        waves = np.arange(size[1]) / size[1] * np.pi * rng.uniform(5, 12) + rng.uniform(0, 6)
        noise += (12 * np.sign(np.sin(waves))).astype(np.float32)
    tone = rng.uniform(150, 232) + rng.normal(0, 7, 3)
    return tone.astype(np.float32) + noise[..., None] * rng.normal(1.0, 0.12, 3).astype(np.float32)  # pyright: ignore[reportReturnType]


def gradient(rng: np.random.Generator, size: Size) -> Floats:
    """Colored paper that changes its color across or from a spot."""
    first, second = _paint(rng, strongest=0.6), _paint(rng, strongest=0.6)
    y, x = np.meshgrid(np.linspace(0, 1, size[0]), np.linspace(0, 1, size[1]), indexing="ij")
    if rng.random() < 0.5:
        share = np.hypot(x - rng.uniform(0.2, 0.8), y - rng.uniform(0.1, 0.6)) / 0.9
    else:
        turn = rng.uniform(0, 2 * np.pi)
        share = 0.5 + (x - 0.5) * np.cos(turn) + (y - 0.5) * np.sin(turn)
    share = np.clip(share, 0, 1).astype(np.float32)[..., None]
    return first * (1 - share) + second * share + mottled(rng, size, 3)[..., None]  # pyright: ignore[reportReturnType]


def _blocks(rng: np.random.Generator, size: Size, brick: tuple[int, int], shift: float, spread: float) -> Floats:
    """Brightness (h, w) of a bond of blocks, each of its own tone, 0 in the joints."""
    tall, wide = brick
    y, x = np.arange(size[0]), np.arange(size[1])
    row = y // tall
    moved = x[None] + (row * round(shift * wide) % wide)[:, None]
    column = moved // wide
    tones = (1 + spread * rng.standard_normal((row.max() + 1, column.max() + 1), np.float32))[row[:, None], column]
    return np.where((y % tall == 0)[:, None] | (moved % wide == 0), np.float32(0), tones)


def brick(rng: np.random.Generator, size: Size) -> Floats:
    """A brick wall, raw or painted."""
    colors = np.array([(160, 88, 66), (176, 120, 92), (206, 200, 192), (122, 110, 106)], np.float32)
    color, joint = colors[rng.integers(4)], np.float32(rng.uniform(0.72, 1.28))
    tones = _blocks(rng, size, (int(rng.integers(8, 12)), int(rng.integers(22, 32))), 0.5, 0.09)
    tones = np.where(tones == 0, joint, tones) + mottled(rng, size, 0.04)
    return tones[..., None] * color


def tiles(rng: np.random.Generator, size: Size) -> Floats:
    """Square or oblong glazed tiles."""
    side = int(rng.integers(14, 34))
    oblong = side * int(rng.integers(1, 3))
    tones = _blocks(rng, size, (side, oblong), float(rng.choice([0, 0.5])), 0.035)
    color = _paint(rng, 0.96)
    return np.where(tones == 0, np.float32(0.86), tones)[..., None] * color + mottled(rng, size, 2)[..., None]


def boards(rng: np.random.Generator, size: Size) -> Floats:
    """Wooden boards that stand upright."""
    colors = np.array([(150, 108, 70), (188, 150, 110), (104, 76, 56), (214, 206, 194)], np.float32)
    tones = _blocks(rng, size, (size[0] * 2, int(rng.integers(16, 34))), 0, 0.09)
    figure = 0.05 * _noise(rng, size, (10, 90)) + 0.05 * _noise(rng, size, (4, 30))
    return (np.where(tones == 0, np.float32(0.62), tones) + figure)[..., None] * colors[rng.integers(4)]


def planks(rng: np.random.Generator, size: Size) -> Floats:
    """A wooden floor seen along its boards."""
    return cv2.resize(boards(rng, (size[1], size[0])).transpose(1, 0, 2), size[::-1])  # pyright: ignore


def _pavement(rng: np.random.Generator, size: Size) -> Floats:
    """Gray flags."""
    tones = _blocks(rng, size, (11, 40), 0.5, 0.04)
    return (np.where(tones == 0, np.float32(0.8), tones) * 158 + mottled(rng, size, 4))[..., None] * np.ones(
        3, np.float32
    )


def curtain(rng: np.random.Generator, size: Size) -> Floats:
    """Cloth that hangs in folds."""
    folds = np.arange(size[1]) / size[1] * 2 * np.pi * rng.uniform(5, 13)
    bent = folds + 1.2 * np.sin(folds / 2.7 + rng.uniform(0, 6))
    tones = 1 + 0.1 * np.sin(bent) + 0.05 * np.sin(2 * bent + 1)
    return (tones.astype(np.float32)[None] + mottled(rng, size, 0.03))[..., None] * _paint(rng, 0.9, 0.45)


def room(rng: np.random.Generator, size: Size) -> Floats:
    """A wall with a window or a door, a image, a skirting of another color."""
    high, wide = size
    image = np.ascontiguousarray(_paint(rng, 0.95) + mottled(rng, size, 2.5)[..., None])
    if rng.random() < 0.5:
        image[int(high * rng.uniform(0.55, 0.7)) :] *= rng.uniform(0.8, 0.93, 3).astype(np.float32)
    left = int(rng.choice([rng.uniform(-0.12, 0.08), rng.uniform(0.62, 0.8)]) * wide)
    span, top = int(wide * rng.uniform(0.26, 0.4)), int(high * rng.uniform(0.02, 0.16))
    frame = tuple((_paint(rng, 1.0, 0.1) * 0.98).tolist())
    if rng.random() < 0.6:
        _window(rng, image, (left, top, span, int(high * rng.uniform(0.4, 0.58))), frame)
    else:
        _door(image, (left, top, span, high), tuple((_paint(rng, 0.9, 0.45)).tolist()))
    return image


Box = tuple[int, int, int, int]  # left, top, width, height


def _box(image: Floats, box: Box, color: tuple[float, ...]) -> None:
    left, top, wide, high = box
    cv2.rectangle(image, (left, top), (left + wide - 1, top + high - 1), color, cv2.FILLED)


def _window(rng: np.random.Generator, image: Floats, box: Box, frame: tuple[float, ...]) -> None:
    """Panes of sky in a frame."""
    left, top, wide, high = box
    _box(image, (left - 3, top - 3, wide + 6, high + 8), tuple(0.8 * c for c in frame))
    _box(image, box, frame)
    sky = rng.uniform((168, 196, 216), (220, 232, 246))
    for row in range(2):
        for column in range(2):
            pane = left + 3 + column * wide // 2, top + 3 + row * high // 2, wide // 2 - 5, high // 2 - 5
            _box(image, pane, tuple((sky - 14 * row).tolist()))


def _door(image: Floats, box: Box, color: tuple[float, ...]) -> None:
    """A door with sunken panels."""
    left, top, wide, high = box
    _box(image, (left - 4, top - 4, wide + 8, high), tuple(min(1.15 * c + 12, 250) for c in color))
    _box(image, box, color)
    for row in range(3):
        for column in range(2):
            panel = left + 5 + column * wide // 2, top + 8 + row * 58, wide // 2 - 9, 48
            _box(image, panel, tuple(0.86 * c for c in color))


def foliage(rng: np.random.Generator, size: Size) -> Floats:
    """Leaves far out of focus: discs of light."""
    high, wide = size
    deep = np.array(rng.choice(np.array([(56, 84, 50), (84, 100, 56), (120, 96, 52), (72, 92, 72)])), np.float32)
    share = np.linspace(1.5, 0.8, high, dtype=np.float32)[:, None, None]
    image = np.ascontiguousarray(deep * share * (1 + mottled(rng, size, 0.16))[..., None])
    discs = image.copy()
    for x, y, radius, light in zip(*rng.random((4, 56)), strict=True):
        color = deep * (0.8 + 1.5 * light) + np.array([30, 26, 4]) * light
        cv2.circle(discs, (int(x * wide), int(y * high)), 3 + int(radius * 13), color.tolist(), cv2.FILLED, cv2.LINE_AA)
    return cv2.addWeighted(image, 0.5, discs, 0.5, 0)  # pyright: ignore[reportReturnType]


def street(rng: np.random.Generator, size: Size) -> Floats:
    """Houses with rows of windows under a sky."""
    high, wide = size
    sky = np.linspace((178, 204, 228), (232, 234, 232), high).astype(np.float32)[:, None]
    image = np.ascontiguousarray(np.broadcast_to(sky, (high, wide, 3)))
    x = -int(rng.integers(0, 30))
    while x < wide:
        span, top = int(rng.integers(34, 84)), int(rng.uniform(-0.1, 0.45) * high)
        color = _paint(rng, 0.85, 0.2)
        _box(image, (x, top, span, high), tuple(color.tolist()))
        across, down = int(rng.integers(10, 16)), int(rng.integers(16, 24))
        pane = tuple((color * rng.uniform(0.5, 0.75)).tolist())
        for left in range(x + 5, x + span - across // 2 - 3, across):
            for row in range(top + 7, high, down):
                _box(image, (left, row, across // 2 + 1, down * 2 // 3), pane)
        x += span
    return cv2.GaussianBlur(image, (0, 0), 2) + mottled(rng, size, 3)[..., None]


_INDOORS, _OUTDOORS = (planks, tiles, surface), (surface, _pavement)

SCENES: tuple[tuple[Scene, tuple[Scene, ...]], ...] = (
    (gradient, _INDOORS), (brick, _INDOORS), (tiles, _INDOORS), (boards, _INDOORS), (curtain, _INDOORS),
    (room, _INDOORS), (foliage, _OUTDOORS), (street, _OUTDOORS),
)  # fmt: skip
"""What may stand behind a person, and what may lie under foot there."""
