from __future__ import annotations

import numpy as np
import pytest

from tryon.categories import Category
from tryon.dresscode.labels import GARMENT_LABELS
from tryon.synthetic.fabrics.patterns import PATTERNS, Fabric, paint_fabric, sample_colours, sample_fabric
from tryon.synthetic.garments.kinds import sample_garment


def garments(category: Category, count: int) -> list:
    return [sample_garment(category, np.random.default_rng((5, number)), "catalogue") for number in range(count)]


def test_about_29_of_100_lower_body_garments_are_skirts():
    kinds = [garment.kind for garment in garments(Category.LOWER_BODY, 1000)]
    assert kinds.count("skirt") / 1000 == pytest.approx(0.29, abs=0.05)


@pytest.mark.parametrize("category", list(Category))
def test_labels_belong_to_the_category(category):
    assert {garment.label for garment in garments(category, 50)} <= set(GARMENT_LABELS[category])


def test_plain_cloth_is_rare_and_every_pattern_occurs():
    patterns = [sample_fabric(np.random.default_rng(n), "easy").pattern for n in range(800)]
    assert set(patterns) == set(PATTERNS)
    assert patterns.count("plain") / 800 < 0.06


def test_colours_of_one_cloth_are_far_apart():
    for number in range(50):
        first, second, third = (np.array(c) for c in sample_colours(np.random.default_rng(number)))
        assert np.linalg.norm(first - second) > 100
        assert min(np.linalg.norm(first - third), np.linalg.norm(second - third)) > 60


@pytest.mark.parametrize("pattern", sorted(set(PATTERNS) - {"plain"}))
def test_patterns_are_strong_and_coarse(pattern):
    """At an eighth of the size the cloth still differs as much from its mean colour as before."""
    rng = np.random.default_rng(2)
    fabric = sample_fabric(rng, "easy")
    while fabric.pattern != pattern:
        fabric = sample_fabric(rng, "easy")
    cloth = paint_fabric(fabric)[128:896, 96:672].astype(float)
    small = cloth.reshape(96, 8, 72, 8, 3).mean((1, 3))
    deviation, kept = (np.abs(picture - picture.mean((0, 1))).mean() for picture in (cloth, small))
    assert deviation > 20
    assert kept > 0.9 * deviation


def test_the_same_fabric_is_painted_the_same():
    fabric = Fabric("dots", ((200, 0, 0), (0, 0, 200), (0, 200, 0)), 30, 200, (0.2, 0.7))
    assert np.array_equal(paint_fabric(fabric), paint_fabric(fabric))
