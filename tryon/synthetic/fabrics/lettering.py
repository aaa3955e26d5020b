"""Paint words in capital letters from stroke glyphs."""

from __future__ import annotations

import cv2
import numpy as np

from tryon.dresscode.layout import HEIGHT, WIDTH
from tryon.synthetic.fabrics.fabric import Color, Fabric, ImageArray, Region
from tryon.synthetic.fabrics.tiles import Points, Tile, lay_tiles

WORDS = ("LOMUNA", "TILU", "NELUM", "ROMIA", "SELTO", "ORENI", "MUTO", "ALUNE", "STIMO", "RUMAL")
"""Made-up words."""


def _arc(x: float, y: float, rx: float, ry: float, start: float, end: float) -> list[tuple[float, float]]:
    angles = np.deg2rad(np.linspace(start, end, 15))
    return list(zip((x + rx * np.cos(angles)).tolist(), (y + ry * np.sin(angles)).tolist(), strict=True))


_GLYPHS: dict[str, list[list[tuple[float, float]]]] = {
    "A": [[(0, 1), (0.35, 0), (0.7, 1)], [(0.13, 0.66), (0.57, 0.66)]],
    "E": [[(0.55, 0), (0, 0), (0, 1), (0.55, 1)], [(0, 0.49), (0.46, 0.49)]],
    "I": [[(0, 0), (0, 1)]],
    "L": [[(0, 0), (0, 1), (0.52, 1)]],
    "M": [[(0, 1), (0, 0), (0.38, 0.68), (0.76, 0), (0.76, 1)]],
    "N": [[(0, 1), (0, 0), (0.64, 1), (0.64, 0)]],
    "O": [_arc(0.4, 0.5, 0.4, 0.5, 0, 360)],
    "R": [[(0, 1), (0, 0), (0.3, 0), *_arc(0.32, 0.265, 0.27, 0.265, -90, 90), (0, 0.53)], [(0.3, 0.53), (0.62, 1)]],
    "S": [[*_arc(0.3, 0.25, 0.29, 0.25, -30, -270), *_arc(0.3, 0.75, 0.29, 0.25, -90, 150)]],
    "T": [[(0, 0), (0.66, 0)], [(0.33, 0), (0.33, 1)]],
    "U": [[(0, 0), (0, 0.66), *_arc(0.32, 0.66, 0.32, 0.34, 180, 0), (0.64, 0)]],
}
"""Strokes of each letter in units of the letter height: x from its left edge, y from the top."""

_GAP = 0.34  # between the stroke centers of two letters
_STROKE = 0.2
_CHEST_WIDTH = 0.29 * WIDTH


def paint_lettering(fabric: Fabric, region: Region) -> ImageArray:
    """Paint a word chosen by the seed: large on the chest above two bars, or in rows all over the cloth.

    The period is the height of a row; letters in rows are 0.56 of it high.
    """
    rng = np.random.default_rng(fabric.seed)
    word = WORDS[rng.integers(len(WORDS))]
    if rng.random() < 0.4:
        return region.crop(_paint_chest(fabric, word))
    return _paint_rows(fabric, region, word, str(WORDS[rng.integers(len(WORDS))]))


def _paint_chest(fabric: Fabric, word: str) -> ImageArray:
    """Write both halves of a word below each other, at most as wide as a narrow chest, above two bars."""
    ground, second, third = fabric.colors
    sheet = Tile(WIDTH, HEIGHT, ground)
    half = (len(word) + 1) // 2
    lines = word[:half], word[half:]
    height = min(fabric.period, _CHEST_WIDTH / max(_word_width(line) for line in lines))
    y = HEIGHT * 0.4 - 1.2 * height
    for line in lines:
        draw_word(sheet, line, (WIDTH - _word_width(line) * height) / 2, y, height, second)
        y += 1.42 * height
    for color in (third, second):
        cv2.rectangle(sheet.image, (0, round(y)), (WIDTH, round(y + 0.4 * height)), color, cv2.FILLED)
        y += 0.62 * height
    return sheet.image


def _paint_rows(fabric: Fabric, region: Region, *words: str) -> ImageArray:
    height = 0.56 * fabric.period
    lengths = [(_word_width(word) + 0.95) * height for word in words]
    tile = Tile(sum(lengths), 2 * fabric.period, fabric.colors[0])
    for row in range(2):
        x = row * lengths[0] * 0.62
        for number, word in enumerate(words):
            y = (row + 0.5) * fabric.period - height / 2
            draw_word(tile, word, x, y, height, fabric.colors[1 + (number + row) % 2])
            x += lengths[number]
    return lay_tiles(tile.image, fabric.angle, fabric.origin, region)


def _word_width(word: str) -> float:
    """Return the width of a word in letter heights."""
    return sum(_letter_width(letter) for letter in word) + _GAP * (len(word) - 1)


def _letter_width(letter: str) -> float:
    return max(x for stroke in _GLYPHS[letter] for x, _ in stroke)


def draw_word(tile: Tile, word: str, left: float, top: float, height: float, color: Color) -> None:
    """Draw a word of the letters A E I L M N O R S T U.

    `left`, `top` and `height` (pixels) refer to the center lines of the strokes.
    """
    thickness = max(round(height * _STROKE), 1)
    for letter in word:
        for stroke in _GLYPHS[letter]:
            points: Points = np.array(stroke) * height + (left, top)
            tile.line(points, thickness, color)
        left += (_letter_width(letter) + _GAP) * height
