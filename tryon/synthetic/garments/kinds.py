"""What a garment is: its kind, cut and fabric, and how one is drawn by chance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from tryon.categories import Category
from tryon.dresscode.labels import Label
from tryon.synthetic.fabrics.patterns import Fabric, sample_fabric
from tryon.synthetic.levels import Level

Kind = Literal["top", "trousers", "skirt", "dress"]
Sleeve = Literal["sleeveless", "short", "long"]
Neckline = Literal["round", "v", "square", "boat"]

LABELS: dict[Kind, Label] = {
    "top": Label.UPPER_CLOTHES,
    "trousers": Label.PANTS,
    "skirt": Label.SKIRT,
    "dress": Label.DRESS,
}
"""How each kind is labelled in the label map."""

_SKIRT_SHARE = 0.29
"""Share of skirts among lower-body garments, as in the real test list."""


@dataclass(frozen=True)
class Garment:
    """One garment, apart from any body. Lengths are in body heights.

    Args:
        kind: top, trousers (shorts among them), skirt or dress.
        fabric: what it is painted with.
        hem: height of the hem on the upright body (0 crown, 1 soles).
        ease: how far it stands off the body.
        flare: widening below the waist, body heights per body height; trousers: widening towards the hem.
        straightness: 0 follows the waist, 1 hangs straight from bust to hip.
        sleeve: tops and dresses.
        neckline: tops and dresses.
        seed: fixes its folds where it lies flat.
    """

    kind: Kind
    fabric: Fabric
    hem: float
    ease: float
    flare: float
    straightness: float
    sleeve: Sleeve | None
    neckline: Neckline | None
    seed: int

    @property
    def label(self) -> Label:
        """ATR label of the garment when worn."""
        return LABELS[self.kind]


def sample_garment(category: Category, rng: np.random.Generator, level: Level) -> Garment:
    """Draw a garment of a category."""
    if category is Category.UPPER_BODY:
        return _top(rng, level)
    if category is Category.DRESSES:
        return _dress(rng, level)
    return _skirt(rng, level) if rng.random() < _SKIRT_SHARE else _trousers(rng, level)


def _neckline(rng: np.random.Generator) -> Neckline:
    return rng.choice(["round", "v", "square", "boat"], p=[0.45, 0.25, 0.15, 0.15])


def _seed(rng: np.random.Generator) -> int:
    return int(rng.integers(2**32))


def _top(rng: np.random.Generator, level: Level) -> Garment:
    return Garment(
        kind="top",
        fabric=sample_fabric(rng, level),
        hem=rng.uniform(0.475, 0.53),
        ease=rng.uniform(0.006, 0.015),
        flare=rng.uniform(0, 0.12) if rng.random() < 0.75 else rng.uniform(0.12, 0.35),
        straightness=rng.uniform(0.2, 1.0),
        sleeve=rng.choice(["sleeveless", "short", "long"], p=[0.25, 0.4, 0.35]),
        neckline=_neckline(rng),
        seed=_seed(rng),
    )


def _dress(rng: np.random.Generator, level: Level) -> Garment:
    return Garment(
        kind="dress",
        fabric=sample_fabric(rng, level),
        hem=rng.uniform(0.62, 0.88),
        ease=rng.uniform(0.004, 0.012),
        flare=rng.uniform(0.04, 0.32),
        straightness=rng.uniform(0.0, 0.6),
        sleeve=rng.choice(["sleeveless", "short", "long"], p=[0.45, 0.33, 0.22]),
        neckline=_neckline(rng),
        seed=_seed(rng),
    )


def _skirt(rng: np.random.Generator, level: Level) -> Garment:
    hem, flare = rng.uniform(0.6, 0.86), rng.uniform(0.02, 0.3)
    return _lower("skirt", hem, rng.uniform(0.004, 0.01), flare, rng, level)


def _trousers(rng: np.random.Generator, level: Level) -> Garment:
    short = rng.random() < 0.2
    hem = rng.uniform(0.61, 0.68) if short else rng.uniform(0.9, 0.95)
    return _lower("trousers", hem, rng.uniform(0.003, 0.01), rng.uniform(0, 0.045), rng, level)


def _lower(kind: Kind, hem: float, ease: float, flare: float, rng: np.random.Generator, level: Level) -> Garment:
    return Garment(kind, sample_fabric(rng, level), hem, ease, flare, 0.0, None, None, _seed(rng))
