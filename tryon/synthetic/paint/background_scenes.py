"""Paint walls and scenes behind people as small images: float32 (h, w, 3), RGB about 0..255."""

from __future__ import annotations

import colorsys
from collections.abc import Callable

import cv2
import numpy as np

from tryon.synthetic.paint.raster import Floats

Size = tuple[int, int]  # height, width
Scene = Callable[[np.random.Generator, Size], Floats]


def mottled(rng: np.random.Generator, size: Size, strength: float) -> Floats:
    """Return soft blotches of several sizes, float32 (h, w), of mean 0 and standard deviation about `strength`."""
    noise = np.zeros(size, np.float32)
    for cells, weight in ((4, 0.7), (13, 0.55), (50, 0.45)):
        noise += weight * strength * _noise(rng, size, (cells * 4 // 3, cells))
    return noise


def _noise(rng: np.random.Generator, size: Size, cells: Size) -> Floats:
    """Return smooth noise, interpolated from a grid of random values of size `cells`."""
    grid = rng.standard_normal(cells, np.float32)
    return cv2.resize(grid, size[::-1], interpolation=cv2.INTER_CUBIC)  # pyright: ignore[reportReturnType]


def _wall_color(rng: np.random.Generator, max_value: float = 1.0, max_saturation: float = 0.35) -> Floats:
    """Sample a wall color, float32 (3,)."""
    hue, saturation, value = rng.uniform(), rng.uniform(0.04, max_saturation), rng.uniform(0.5, max_value)
    return np.array(colorsys.hsv_to_rgb(hue, saturation, value), np.float32) * 255


def surface(rng: np.random.Generator, size: Size) -> Floats:
    """Paint tinted plaster with blotches and, sometimes, vertical panels."""
    noise = mottled(rng, size, rng.uniform(6, 16))
    if rng.random() < 0.3:
        waves = np.arange(size[1]) / size[1] * np.pi * rng.uniform(5, 12) + rng.uniform(0, 6)
        noise += (12 * np.sign(np.sin(waves))).astype(np.float32)
    tone = rng.uniform(150, 232) + rng.normal(0, 7, 3)
    return tone.astype(np.float32) + noise[..., None] * rng.normal(1.0, 0.12, 3).astype(np.float32)  # pyright: ignore[reportReturnType]


def gradient(rng: np.random.Generator, size: Size) -> Floats:
    """Paint colored paper with a linear or radial color gradient."""
    first, second = _wall_color(rng, max_saturation=0.6), _wall_color(rng, max_saturation=0.6)
    y, x = np.meshgrid(np.linspace(0, 1, size[0]), np.linspace(0, 1, size[1]), indexing="ij")
    if rng.random() < 0.5:
        fraction = np.hypot(x - rng.uniform(0.2, 0.8), y - rng.uniform(0.1, 0.6)) / 0.9
    else:
        angle = rng.uniform(0, 2 * np.pi)
        fraction = 0.5 + (x - 0.5) * np.cos(angle) + (y - 0.5) * np.sin(angle)
    fraction = np.clip(fraction, 0, 1).astype(np.float32)[..., None]
    return first * (1 - fraction) + second * fraction + mottled(rng, size, 3)[..., None]  # pyright: ignore[reportReturnType]


def _blocks(rng: np.random.Generator, size: Size, block: Size, shift: float, contrast: float) -> Floats:
    """Return brightness (h, w) of bricks, each with its own tone, 0 in the joints."""
    height, width = block
    y, x = np.arange(size[0]), np.arange(size[1])
    row = y // height
    shifted = x[None] + (row * round(shift * width) % width)[:, None]
    column = shifted // width
    tones = (1 + contrast * rng.standard_normal((row.max() + 1, column.max() + 1), np.float32))[row[:, None], column]
    return np.where((y % height == 0)[:, None] | (shifted % width == 0), np.float32(0), tones)


def brick(rng: np.random.Generator, size: Size) -> Floats:
    """Paint a brick wall, raw or painted."""
    colors = np.array([(160, 88, 66), (176, 120, 92), (206, 200, 192), (122, 110, 106)], np.float32)
    color, joint = colors[rng.integers(4)], np.float32(rng.uniform(0.72, 1.28))
    tones = _blocks(rng, size, (int(rng.integers(8, 12)), int(rng.integers(22, 32))), 0.5, 0.09)
    tones = np.where(tones == 0, joint, tones) + mottled(rng, size, 0.04)
    return tones[..., None] * color


def tiles(rng: np.random.Generator, size: Size) -> Floats:
    """Paint square or oblong glazed tiles."""
    side = int(rng.integers(14, 34))
    width = side * int(rng.integers(1, 3))
    tones = _blocks(rng, size, (side, width), float(rng.choice([0, 0.5])), 0.035)
    color = _wall_color(rng, 0.96)
    return np.where(tones == 0, np.float32(0.86), tones)[..., None] * color + mottled(rng, size, 2)[..., None]


def boards(rng: np.random.Generator, size: Size) -> Floats:
    """Paint vertical wooden boards."""
    colors = np.array([(150, 108, 70), (188, 150, 110), (104, 76, 56), (214, 206, 194)], np.float32)
    tones = _blocks(rng, size, (size[0] * 2, int(rng.integers(16, 34))), 0, 0.09)
    grain = 0.05 * _noise(rng, size, (10, 90)) + 0.05 * _noise(rng, size, (4, 30))
    return (np.where(tones == 0, np.float32(0.62), tones) + grain)[..., None] * colors[rng.integers(4)]


def planks(rng: np.random.Generator, size: Size) -> Floats:
    """Paint a wooden floor."""
    return cv2.resize(boards(rng, (size[1], size[0])).transpose(1, 0, 2), size[::-1])  # pyright: ignore


def _pavement(rng: np.random.Generator, size: Size) -> Floats:
    """Paint gray paving stones."""
    tones = _blocks(rng, size, (11, 40), 0.5, 0.04)
    gray = np.where(tones == 0, np.float32(0.8), tones) * 158 + mottled(rng, size, 4)
    return cv2.merge([gray] * 3)  # pyright: ignore[reportReturnType]


def curtain(rng: np.random.Generator, size: Size) -> Floats:
    """Paint a curtain with folds."""
    phase = np.arange(size[1]) / size[1] * 2 * np.pi * rng.uniform(5, 13)
    bent = phase + 1.2 * np.sin(phase / 2.7 + rng.uniform(0, 6))
    tones = 1 + 0.1 * np.sin(bent) + 0.05 * np.sin(2 * bent + 1)
    return (tones.astype(np.float32)[None] + mottled(rng, size, 0.03))[..., None] * _wall_color(rng, 0.9, 0.45)


def room(rng: np.random.Generator, size: Size) -> Floats:
    """Paint a wall with a window or a door and, sometimes, a wainscot."""
    height, width = size
    image = np.ascontiguousarray(_wall_color(rng, 0.95) + mottled(rng, size, 2.5)[..., None])
    if rng.random() < 0.5:
        image[int(height * rng.uniform(0.55, 0.7)) :] *= rng.uniform(0.8, 0.93, 3).astype(np.float32)
    left = int(rng.choice([rng.uniform(-0.12, 0.08), rng.uniform(0.62, 0.8)]) * width)
    span, top = int(width * rng.uniform(0.26, 0.4)), int(height * rng.uniform(0.02, 0.16))
    frame = tuple((_wall_color(rng, 1.0, 0.1) * 0.98).tolist())
    if rng.random() < 0.6:
        _window(rng, image, (left, top, span, int(height * rng.uniform(0.4, 0.58))), frame)
    else:
        _door(image, (left, top, span, height), tuple((_wall_color(rng, 0.9, 0.45)).tolist()))
    return image


Box = tuple[int, int, int, int]  # left, top, width, height


def _fill(image: Floats, box: Box, color: tuple[float, ...]) -> None:
    left, top, width, height = box
    cv2.rectangle(image, (left, top), (left + width - 1, top + height - 1), color, cv2.FILLED)


def _window(rng: np.random.Generator, image: Floats, box: Box, frame: tuple[float, ...]) -> None:
    left, top, width, height = box
    _fill(image, (left - 3, top - 3, width + 6, height + 8), tuple(0.8 * c for c in frame))
    _fill(image, box, frame)
    sky = rng.uniform((168, 196, 216), (220, 232, 246))
    for row in range(2):
        for column in range(2):
            pane = left + 3 + column * width // 2, top + 3 + row * height // 2, width // 2 - 5, height // 2 - 5
            _fill(image, pane, tuple((sky - 14 * row).tolist()))


def _door(image: Floats, box: Box, color: tuple[float, ...]) -> None:
    left, top, width, height = box
    _fill(image, (left - 4, top - 4, width + 8, height), tuple(min(1.15 * c + 12, 250) for c in color))
    _fill(image, box, color)
    for row in range(3):
        for column in range(2):
            panel = left + 5 + column * width // 2, top + 8 + row * 58, width // 2 - 9, 48
            _fill(image, panel, tuple(0.86 * c for c in color))


def foliage(rng: np.random.Generator, size: Size) -> Floats:
    """Paint out-of-focus leaves."""
    height, width = size
    base = np.array(rng.choice(np.array([(56, 84, 50), (84, 100, 56), (120, 96, 52), (72, 92, 72)])), np.float32)
    brightness = np.linspace(1.5, 0.8, height, dtype=np.float32)[:, None, None]
    image = np.ascontiguousarray(base * brightness * (1 + mottled(rng, size, 0.16))[..., None])
    discs = image.copy()
    for x, y, radius, light in zip(*rng.random((4, 56)), strict=True):
        color = base * (0.8 + 1.5 * light) + np.array([30, 26, 4]) * light
        cv2.circle(
            discs, (int(x * width), int(y * height)), 3 + int(radius * 13), color.tolist(), cv2.FILLED, cv2.LINE_AA
        )
    return cv2.addWeighted(image, 0.5, discs, 0.5, 0)  # pyright: ignore[reportReturnType]


def street(rng: np.random.Generator, size: Size) -> Floats:
    """Paint houses with rows of windows under a sky."""
    height, width = size
    sky = np.linspace((178, 204, 228), (232, 234, 232), height).astype(np.float32)[:, None]
    image = np.ascontiguousarray(np.broadcast_to(sky, (height, width, 3)))
    x = -int(rng.integers(0, 30))
    while x < width:
        span, top = int(rng.integers(34, 84)), int(rng.uniform(-0.1, 0.45) * height)
        color = _wall_color(rng, 0.85, 0.2)
        _fill(image, (x, top, span, height), tuple(color.tolist()))
        across, down = int(rng.integers(10, 16)), int(rng.integers(16, 24))
        pane = tuple((color * rng.uniform(0.5, 0.75)).tolist())
        for left in range(x + 5, x + span - across // 2 - 3, across):
            for row in range(top + 7, height, down):
                _fill(image, (left, row, across // 2 + 1, down * 2 // 3), pane)
        x += span
    return cv2.GaussianBlur(image, (0, 0), 2) + mottled(rng, size, 3)[..., None]


_INDOORS, _OUTDOORS = (planks, tiles, surface), (surface, _pavement)

SCENES: tuple[tuple[Scene, tuple[Scene, ...]], ...] = (
    (gradient, _INDOORS), (brick, _INDOORS), (tiles, _INDOORS), (boards, _INDOORS), (curtain, _INDOORS),
    (room, _INDOORS), (foliage, _OUTDOORS), (street, _OUTDOORS),
)  # fmt: skip
"""Every scene with the surfaces of its floor."""
