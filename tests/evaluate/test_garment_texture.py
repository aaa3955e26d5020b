"""Tests of texture classification on drawn and synthetic patterns."""

from collections import Counter

import cv2
import numpy as np
import pytest

from tryon.categories import Category
from tryon.evaluate.garment_texture import Texture, texture_of
from tryon.synthetic.garments.cloth import garment_image, lay_flat
from tryon.synthetic.item_files import sample_item_garment

STRIPED = {"stripes", "breton", "two_stripes", "pinstripes", "uneven_stripes"}


def draw_garment(pattern, height=128):
    """Draw a garment on white; `pattern` maps x and y in 0..1 to brightness."""
    width = height * 3 // 4
    y, x = np.mgrid[:height, :width] / height
    cloth = np.broadcast_to(pattern(x, y), (height, width))
    inside = (abs(y - 0.5) < 0.375) & (abs(x - 0.375) < 0.28)
    return np.where(inside[..., None], 255 * cloth[..., None], 255.0).repeat(3, axis=2).round().astype(np.uint8)


PATTERNS = {
    Texture.PLAIN: lambda x, y: 0.4 + 0.1 * y,
    Texture.STRIPED: lambda x, y: 0.5 + 0.3 * np.sign(np.sin(60 * (x + 0.5 * y))),
    Texture.PRINTED: lambda x, y: 0.5 + 0.3 * np.sign(np.sin(60 * x) * np.sin(60 * y)),
}


@pytest.mark.parametrize("height", [96, 128, 512, 1000])
@pytest.mark.parametrize("texture", PATTERNS)
def test_classifies_plain_striped_and_printed_at_any_size(texture, height):
    image = draw_garment(PATTERNS[texture], height)
    assert texture_of(image) == texture
    assert texture_of(np.ascontiguousarray(image[:, ::-1])) == texture
    assert texture_of(cv2.rotate(image, cv2.ROTATE_90_CLOCKWISE)) == texture


def test_returns_none_without_visible_garment():
    assert texture_of(np.full((128, 96, 3), 255, np.uint8)) is None
    assert texture_of(draw_garment(PATTERNS[Texture.PLAIN], 8)) is None


def test_finds_patterns_of_synthetic_garments():
    correct = Counter()
    for category in Category:
        for number in range(40):
            garment = sample_item_garment(11, category, number, "catalogue")
            name = garment.fabric.pattern
            truth = Texture.PLAIN if name == "plain" else Texture.STRIPED if name in STRIPED else Texture.PRINTED
            correct[texture_of(garment_image(lay_flat(garment))) == truth] += 1
    assert correct[True] >= 0.85 * correct.total()
