"""Sample fabrics: pattern, scale, orientation, colors and weave per difficulty level."""

from __future__ import annotations

from typing import Literal, NamedTuple, get_args

import numpy as np

from tryon.categories import Level
from tryon.synthetic.fabrics.color_schemes import sample_colors
from tryon.synthetic.fabrics.fabric import Fabric, Weave

Orientation = Literal["level", "upright", "square", "striped", "any"]
"""Sets of angles: 0; 0 or 90; 0 or 45; 0, 90, 45, -45 or any; any."""


class PatternPrior(NamedTuple):
    """Sampling prior of one pattern; the period (pixels of the catalogue image) is log-uniform."""

    probability: float
    min_period: float
    max_period: float
    orientation: Orientation


PATTERN_PRIORS: dict[Level, dict[str, PatternPrior]] = {
    "easy": {
        "plain": PatternPrior(0.03, 180, 260, "level"),
        "stripes": PatternPrior(0.22, 170, 280, "striped"),
        "two_stripes": PatternPrior(0.15, 240, 360, "striped"),
        "checks": PatternPrior(0.15, 220, 340, "striped"),
        "plaid": PatternPrior(0.08, 240, 340, "striped"),
        "dots": PatternPrior(0.11, 170, 260, "upright"),
        "blocks": PatternPrior(0.16, 180, 280, "striped"),
        "logo": PatternPrior(0.10, 240, 330, "level"),
    },
    "catalogue": {
        "plain": PatternPrior(0.06, 180, 260, "level"),
        "stripes": PatternPrior(0.18, 190, 360, "striped"),
        "two_stripes": PatternPrior(0.09, 260, 440, "striped"),
        "uneven_stripes": PatternPrior(0.05, 360, 580, "striped"),
        "pinstripes": PatternPrior(0.01, 200, 300, "striped"),
        "breton": PatternPrior(0.04, 200, 320, "level"),
        "chevron": PatternPrior(0.04, 240, 380, "level"),
        "checks": PatternPrior(0.08, 220, 380, "square"),
        "gingham": PatternPrior(0.05, 200, 340, "square"),
        "plaid": PatternPrior(0.05, 320, 500, "square"),
        "tartan": PatternPrior(0.03, 360, 540, "square"),
        "windowpane": PatternPrior(0.01, 220, 340, "square"),
        "argyle": PatternPrior(0.04, 240, 380, "level"),
        "houndstooth": PatternPrior(0.02, 260, 400, "level"),
        "dots": PatternPrior(0.06, 190, 300, "upright"),
        "floral": PatternPrior(0.05, 220, 320, "level"),
        "blocks": PatternPrior(0.08, 190, 340, "striped"),
        "logo": PatternPrior(0.01, 220, 300, "level"),
        "emblem": PatternPrior(0.01, 200, 280, "level"),
        "icons": PatternPrior(0.01, 220, 300, "level"),
        "lettering": PatternPrior(0.01, 170, 240, "level"),
        "camouflage": PatternPrior(0.01, 180, 260, "level"),
        "animal": PatternPrior(0.01, 180, 260, "level"),
    },
    "wild": {
        "plain": PatternPrior(0.15, 180, 260, "level"),
        "stripes": PatternPrior(0.08, 20, 400, "any"),
        "two_stripes": PatternPrior(0.05, 30, 420, "any"),
        "uneven_stripes": PatternPrior(0.05, 90, 560, "any"),
        "pinstripes": PatternPrior(0.06, 84, 240, "any"),
        "breton": PatternPrior(0.04, 36, 200, "level"),
        "chevron": PatternPrior(0.04, 30, 300, "level"),
        "checks": PatternPrior(0.03, 20, 320, "any"),
        "gingham": PatternPrior(0.05, 20, 280, "square"),
        "plaid": PatternPrior(0.04, 90, 480, "any"),
        "tartan": PatternPrior(0.04, 140, 520, "any"),
        "windowpane": PatternPrior(0.03, 64, 360, "square"),
        "argyle": PatternPrior(0.03, 60, 340, "level"),
        "houndstooth": PatternPrior(0.04, 40, 360, "square"),
        "dots": PatternPrior(0.05, 32, 300, "any"),
        "floral": PatternPrior(0.08, 60, 330, "level"),
        "blocks": PatternPrior(0.01, 120, 400, "any"),
        "logo": PatternPrior(0.01, 150, 300, "any"),
        "emblem": PatternPrior(0.02, 80, 280, "any"),
        "icons": PatternPrior(0.02, 40, 300, "any"),
        "lettering": PatternPrior(0.05, 40, 220, "any"),
        "camouflage": PatternPrior(0.02, 60, 340, "level"),
        "animal": PatternPrior(0.01, 40, 240, "level"),
    },
}
"""Priors by level; the probabilities of a level sum to 1."""

_SMOOTH_PROBABILITY = {"easy": 1.0, "catalogue": 0.4, "wild": 0.25}


def sample_fabric(rng: np.random.Generator, level: Level) -> Fabric:
    """Sample a fabric."""
    priors = PATTERN_PRIORS[level]
    pattern = str(rng.choice(list(priors), p=[prior.probability for prior in priors.values()]))
    prior = priors[pattern]
    return Fabric(
        pattern,
        sample_colors(rng, level),
        _sample_angle(rng, prior.orientation),
        float(np.exp(rng.uniform(np.log(prior.min_period), np.log(prior.max_period)))),
        (rng.uniform(), rng.uniform()),
        int(rng.integers(2**32)),
        _sample_weave(rng, level),
    )


def _sample_angle(rng: np.random.Generator, orientation: Orientation) -> float:
    random_angle = rng.uniform(-90, 90)
    if orientation == "upright":
        return float(rng.choice([0, 90]))
    if orientation == "square":
        return float(rng.choice([0, 45], p=[0.8, 0.2]))
    if orientation == "striped":
        return float(rng.choice([0, 90, 45, -45, random_angle]))
    return random_angle if orientation == "any" and rng.random() < 0.6 else 0.0


def _sample_weave(rng: np.random.Generator, level: Level) -> Weave:
    weaves = get_args(Weave)
    smooth = _SMOOTH_PROBABILITY[level]
    probabilities = [smooth, *[(1 - smooth) / (len(weaves) - 1)] * (len(weaves) - 1)]
    return weaves[int(rng.choice(len(weaves), p=probabilities))]
