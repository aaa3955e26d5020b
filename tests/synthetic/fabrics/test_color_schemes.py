from __future__ import annotations

import numpy as np

from tryon.categories import Level
from tryon.synthetic.fabrics.color_schemes import _DYES, SCHEMES, sample_colors


def distances(level: Level, count: int = 300) -> np.ndarray:
    """From ground to pattern, ground to accent, pattern to accent: (count, 3)."""
    chosen = np.array([sample_colors(np.random.default_rng(number), level) for number in range(count)], float)
    ground, second, third = chosen.transpose(1, 0, 2)
    return np.stack([np.linalg.norm(a - b, axis=1) for a, b in ((ground, second), (ground, third), (second, third))], 1)


def test_easy_colors_are_far_apart():
    apart = distances("easy")
    assert apart[:, 0].min() > 100
    assert apart[:, 1:].min() > 60


def test_schemes_have_contrast_between_ground_and_pattern():
    for ground, second, _ in SCHEMES:
        assert np.linalg.norm(np.subtract(_DYES[ground], _DYES[second])) >= 130, (ground, second)


def test_catalogue_patterns_stand_out_from_their_ground():
    apart = distances("catalogue")
    assert (apart[:, 0] >= 130).mean() > 0.9
    assert apart[:, 0].min() > 105
    assert (apart[:, 2] > 40).mean() > 0.9


def test_wild_colors_are_sometimes_close():
    assert 0.1 < (distances("wild")[:, 0] < 130).mean() < 0.6


def test_catalogue_colors_are_quieter_than_easy_ones():
    def saturation(level: Level) -> float:
        chosen = np.array([sample_colors(np.random.default_rng(n), level) for n in range(200)], float)
        return float((chosen.max(-1) - chosen.min(-1)).mean())

    assert saturation("catalogue") < 0.7 * saturation("easy")


def test_every_color_is_three_bytes():
    for level in ("easy", "catalogue", "wild"):
        for number in range(100):
            for color in sample_colors(np.random.default_rng(number), level):
                assert len(color) == 3
                assert all(isinstance(c, int) and 0 <= c <= 255 for c in color)
