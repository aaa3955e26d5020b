from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from tryon.categories import LEVELS, Level
from tryon.synthetic.fabrics.patterns import PATTERNS
from tryon.synthetic.fabrics.sample_fabric import PATTERN_PRIORS, sample_fabric


@pytest.mark.parametrize("level", LEVELS)
def test_every_pattern_occurs_at_its_share(level: Level):
    count = 3000
    fabrics = [sample_fabric(np.random.default_rng((1, number)), level) for number in range(count)]
    seen = Counter(fabric.pattern for fabric in fabrics)
    assert set(seen) == set(PATTERN_PRIORS[level])
    assert sum(draw.probability for draw in PATTERN_PRIORS[level].values()) == pytest.approx(1)
    for name, draw in PATTERN_PRIORS[level].items():
        assert seen[name] / count == pytest.approx(draw.probability, abs=0.025), name
    for fabric in fabrics:
        assert (
            PATTERN_PRIORS[level][fabric.pattern].min_period
            <= fabric.period
            <= PATTERN_PRIORS[level][fabric.pattern].max_period
        )


def test_catalogue_and_wild_draw_from_all_patterns():
    assert set(PATTERN_PRIORS["catalogue"]) == set(PATTERN_PRIORS["wild"]) == set(PATTERNS)
    assert set(PATTERN_PRIORS["easy"]) < set(PATTERNS)


def test_plain_cloth_is_rare():
    assert [PATTERN_PRIORS[level]["plain"].probability for level in LEVELS] == [0.03, 0.06, 0.15]


def test_only_easy_cloth_is_always_smooth():
    weaves = {level: {sample_fabric(np.random.default_rng(n), level).weave for n in range(200)} for level in LEVELS}
    assert weaves["easy"] == {"smooth"}
    assert weaves["catalogue"] == weaves["wild"] == {"smooth", "twill", "rib", "canvas", "melange"}


def test_the_same_draw_gives_the_same_fabric():
    for level in LEVELS:
        assert sample_fabric(np.random.default_rng(4), level) == sample_fabric(np.random.default_rng(4), level)
