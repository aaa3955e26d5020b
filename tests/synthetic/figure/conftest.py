"""Figures of every level."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from tryon.categories import Level
from tryon.synthetic.figure.body import Body, sample_build
from tryon.synthetic.figure.pose import sample_pose


@pytest.fixture(scope="session")
def bodies() -> Callable[[Level, int], list[Body]]:
    def sampled(level: Level, count: int) -> list[Body]:
        rngs = [np.random.default_rng((3, number)) for number in range(count)]
        return [Body(sample_build(rng, level), sample_pose(rng, level)) for rng in rngs]

    return sampled
