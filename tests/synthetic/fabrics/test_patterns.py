from __future__ import annotations

from dataclasses import replace
from typing import get_args

import numpy as np
import pytest

from tryon.categories import Level
from tryon.synthetic.fabrics.fabric import Fabric, Region
from tryon.synthetic.fabrics.patterns import PATTERNS, Family, family, paint_fabric
from tryon.synthetic.fabrics.sample_fabric import PATTERN_PRIORS, sample_fabric

pytestmark = pytest.mark.slow

RED, BLUE, GREEN = (200, 0, 0), (0, 0, 200), (0, 200, 0)
PATTERNED = sorted(set(PATTERNS) - {"plain"})
PLACED = {"plain", "blocks", "logo", "emblem", "lettering"}
"""Patterns that are not the same all over the cloth."""


def fabric_of(pattern: str, angle: float = 0.0, period: float = 160.0, seed: int = 3) -> Fabric:
    return Fabric(pattern, (RED, BLUE, GREEN), angle, period, (0.2, 0.7), seed)


def drawn(pattern: str, level: Level, count: int) -> list[Fabric]:
    """Fabrics of one pattern as a level draws them."""
    fabrics = (sample_fabric(np.random.default_rng((2, number)), level) for number in range(10**6))
    return [fabric for fabric, _ in zip((f for f in fabrics if f.pattern == pattern), range(count), strict=False)]


def kept_at_an_eighth(fabric: Fabric) -> tuple[float, float]:
    """Mean deviation of the cloth from its mean color, and that of the cloth at an eighth of its size."""
    cloth = paint_fabric(fabric)[128:896, 96:672].astype(float)
    small = cloth.reshape(96, 8, 72, 8, 3).mean((1, 3))
    deviation, kept = (float(np.abs(image - image.mean((0, 1))).mean()) for image in (cloth, small))
    return deviation, kept


@pytest.mark.parametrize("pattern", sorted(PATTERNS))
def test_every_pattern_covers_the_image_in_its_own_colors(pattern):
    image = paint_fabric(fabric_of(pattern))
    assert image.shape == (1024, 768, 3)
    assert image.dtype == np.uint8
    assert image.flags.writeable
    if family(pattern) != "floral":
        ink = image.astype(float) @ np.linalg.inv(np.array([RED, BLUE, GREEN], float))  # shares of the colors
        assert np.abs(ink.sum(-1) - 1).max() < 0.02
        assert ink.min() > -0.02
        assert (ink.reshape(-1, 3).max(0)[: 1 if pattern == "plain" else 2] > 0.95).all()


@pytest.mark.parametrize("pattern", sorted(PATTERNS))
def test_the_same_fabric_is_painted_the_same(pattern):
    assert np.array_equal(paint_fabric(fabric_of(pattern, 30)), paint_fabric(fabric_of(pattern, 30)))


@pytest.mark.parametrize("angle", [0, 90, 45, -20])
@pytest.mark.parametrize("pattern", sorted(PATTERNS))
def test_a_part_is_painted_as_on_the_whole(pattern, angle):
    fabric, part = replace(fabric_of(pattern, angle), weave="twill"), Region(131, 77, 640, 913)
    assert np.array_equal(paint_fabric(fabric, part), part.crop(paint_fabric(fabric)))


@pytest.mark.parametrize("pattern", ["logo", "emblem", "icons", "camouflage", "animal", "floral", "lettering"])
def test_the_seed_draws_another_print(pattern):
    images = {paint_fabric(fabric_of(pattern, seed=seed)).tobytes() for seed in range(5)}
    assert len(images) >= 3


TURNED = ["stripes", "two_stripes", "uneven_stripes", "pinstripes", "checks", "gingham", "plaid", "tartan"]
TURNED += ["windowpane", "argyle", "houndstooth", "dots", "icons"]


@pytest.mark.parametrize("pattern", TURNED)
def test_the_angle_turns_the_pattern_about_its_origin(pattern):
    """Patterns of all the cloth, in a square about their origin: turned by 90 degrees they are the turned image."""
    level, upright = (paint_fabric(replace(fabric_of(pattern, a, 150), phase=(0.5, 0.5))) for a in (0, 90))
    turned = np.rot90(level[212:813, 84:685], -1)
    difference = np.abs(turned.astype(int) - upright[212:813, 84:685])
    assert difference.mean() < 4  # pixel centers of the origin differ by one at most
    diagonal = paint_fabric(replace(fabric_of(pattern, 45, 150), phase=(0.5, 0.5)))[212:813, 84:685]
    assert np.abs(turned.astype(int) - diagonal).mean() > 10


@pytest.mark.parametrize("pattern", sorted(PATTERN_PRIORS["easy"].keys() - {"plain"}))
def test_easy_patterns_are_strong_and_coarse(pattern):
    for fabric in drawn(pattern, "easy", 3):
        deviation, kept = kept_at_an_eighth(fabric)
        assert deviation > 20
        assert kept > 0.9 * deviation


def test_catalogue_patterns_survive_an_eighth_of_the_size_in_the_mean():
    fabrics = [sample_fabric(np.random.default_rng((6, number)), "catalogue") for number in range(80)]
    smooth = [replace(f, weave="smooth") for f in fabrics if f.pattern != "plain"]
    deviation, kept = np.array([kept_at_an_eighth(fabric) for fabric in smooth]).mean(0)
    assert deviation > 35
    assert kept > 0.85 * deviation


def test_wild_holds_finer_patterns_than_catalogue():
    def lost(level: Level) -> np.ndarray:
        fabrics = [sample_fabric(np.random.default_rng((6, number)), level) for number in range(60)]
        deviations = np.array([kept_at_an_eighth(replace(f, weave="smooth")) for f in fabrics if f.pattern != "plain"])
        return 1 - deviations[:, 1] / deviations[:, 0]

    wild = lost("wild")
    assert wild.mean() > 1.5 * lost("catalogue").mean()
    assert (wild > 0.25).any()
    assert (wild < 0.03).any()


@pytest.mark.parametrize("pattern", sorted(set(PATTERNS) - PLACED))
def test_patterns_of_the_whole_cloth_are_alike_in_every_quarter(pattern):
    image = paint_fabric(fabric_of(pattern, 0, 90)).astype(float)
    quarters = [part.mean((0, 1)) for half in np.split(image, 2, 0) for part in np.split(half, 2, 1)]
    assert np.ptp(quarters, axis=0).max() < 45


def test_families_are_the_named_ones_and_none_is_empty():
    assert {family(pattern) for pattern in PATTERNS} == set(get_args(Family))
    assert family("gingham") == "checked"
