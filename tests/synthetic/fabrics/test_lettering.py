from __future__ import annotations

import cv2
import numpy as np
import pytest

from tryon.synthetic.fabrics.fabric import FULL_IMAGE, Fabric
from tryon.synthetic.fabrics.lettering import _GLYPHS, WORDS, draw_word, paint_lettering
from tryon.synthetic.fabrics.tiles import Tile

WHITE, BLACK = (255, 255, 255), (0, 0, 0)


def ink(word: str) -> np.ndarray:
    """Where a word of letters 100 px high leaves ink."""
    tile = Tile(900, 180, WHITE)
    draw_word(tile, word, 40, 40, 100, BLACK)
    return tile.image[..., 0] < 128


def test_every_word_can_be_written():
    assert {letter for word in WORDS for letter in word} <= set(_GLYPHS)


@pytest.mark.parametrize("word", WORDS)
def test_letters_stand_apart(word):
    assert cv2.connectedComponents(ink(word).astype(np.uint8))[0] - 1 == len(word)


def test_letters_differ_from_each_other():
    shapes = {letter: ink(letter)[:, 20:160] for letter in _GLYPHS}
    for one, first in shapes.items():
        for other, second in shapes.items():
            assert one == other or (first ^ second).sum() > 0.2 * min(first.sum(), second.sum()), (one, other)


@pytest.mark.parametrize("seed", range(8))
def test_written_cloth_has_a_readable_share_of_ink(seed):
    fabric = Fabric("lettering", (WHITE, BLACK, BLACK), 0, 260, (0.3, 0.4), seed)
    share = (paint_lettering(fabric, FULL_IMAGE)[..., 0] < 128).mean()
    assert 0.08 < share < 0.45
