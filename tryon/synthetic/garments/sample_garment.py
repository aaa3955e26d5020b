"""Sample garments."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TypeVar

import numpy as np

from tryon.categories import Category, Level
from tryon.synthetic.fabrics.fabric import Color, Fabric
from tryon.synthetic.fabrics.sample_fabric import sample_fabric
from tryon.synthetic.garments.distributions import GARMENT_PRIORS, SHORTS_FRACTION, SKIRT_FRACTION, GarmentPrior
from tryon.synthetic.garments.garment import Belt, Buttons, Garment, Kind, Neckline, Shape, Sleeve

_Option = TypeVar("_Option", bound=str)

_BARE: tuple[Neckline, ...] = ("straps", "one_shoulder")
"""Necklines that are always sleeveless."""

_LEATHERS: tuple[Color, ...] = ((38, 32, 32), (92, 54, 34), (168, 112, 64), (232, 226, 214), (150, 32, 38))
_METALS: tuple[Color, ...] = ((214, 180, 96), (200, 204, 210))


def sample_garment(category: Category, rng: np.random.Generator, level: Level) -> Garment:
    """Sample a garment of a category."""
    prior = GARMENT_PRIORS[level]
    fabric = sample_fabric(rng, level)
    if category is Category.UPPER_BODY:
        return _top(rng, prior, fabric)
    if category is Category.DRESSES:
        return _dress(rng, prior, fabric)
    return _skirt(rng, prior, fabric) if rng.random() < SKIRT_FRACTION else _trousers(rng, prior, fabric)


def _choose(rng: np.random.Generator, weights: Mapping[_Option, float]) -> _Option:
    weights_array = np.array(list(weights.values()))
    return list(weights)[rng.choice(len(weights_array), p=weights_array / weights_array.sum())]


def _top(rng: np.random.Generator, prior: GarmentPrior, fabric: Fabric) -> Garment:
    neckline = _choose(rng, prior.top_necklines)
    loose = rng.random() < 0.25
    return Garment(
        kind="top",
        fabric=fabric,
        hem=rng.uniform(0.475, 0.53),
        ease=rng.uniform(0.006, 0.015),
        flare=rng.uniform(0.12, 0.35) if loose else rng.uniform(0, 0.12),
        straightness=rng.uniform(0.2, 1.0),
        sleeve=_sleeve(rng, neckline, (0.27, 0.38, 0.35)),
        neckline=neckline,
        seed=_seed(rng),
        sleeve_reach=rng.uniform(),
        neck_depth=rng.uniform(*prior.neck_depth),
        buttons=_buttons(rng, neckline, prior),
    )


def _dress(rng: np.random.Generator, prior: GarmentPrior, fabric: Fabric) -> Garment:
    neckline, shape = _choose(rng, prior.dress_necklines), _choose(rng, prior.dresses)
    belt = _belt(rng, prior, fabric)
    return Garment(
        kind="dress",
        fabric=fabric,
        hem=rng.uniform(*prior.dress_hem),
        ease=rng.uniform(0.004, 0.012),
        flare=_flare(rng, prior, shape),
        straightness=rng.uniform(0.0, 0.25 if belt else 0.6),
        sleeve=_sleeve(rng, neckline, (0.4, 0.36, 0.24)),
        neckline=neckline,
        seed=_seed(rng),
        shape=shape,
        sleeve_reach=rng.uniform(),
        neck_depth=rng.uniform(*prior.neck_depth),
        buttons=_buttons(rng, neckline, prior),
        pleats=_pleats(rng, shape),
        waist_seam=shape == "pleated" or rng.random() < prior.waist_seam_fraction,
        belt=belt,
    )


def _skirt(rng: np.random.Generator, prior: GarmentPrior, fabric: Fabric) -> Garment:
    shape = _choose(rng, prior.skirts)
    hem, ease, flare = rng.uniform(*prior.skirt_hem), rng.uniform(0.004, 0.01), _flare(rng, prior, shape)
    lower = _lower("skirt", fabric, hem, ease, flare, shape, rng)
    return replace(lower, pleats=_pleats(rng, shape), belt=_belt(rng, prior, fabric))


def _trousers(rng: np.random.Generator, prior: GarmentPrior, fabric: Fabric) -> Garment:
    shape = _choose(rng, prior.trousers)
    short = rng.random() < SHORTS_FRACTION
    hem = rng.uniform(0.6, 0.68) if short else rng.uniform(0.9, 0.95)
    ease = rng.uniform(0.001, 0.004) if shape == "skinny" else rng.uniform(0.003, 0.01)
    flare = rng.uniform(0.03, 0.09) if shape == "wide" else 0.0
    return replace(_lower("trousers", fabric, hem, ease, flare, shape, rng), belt=_belt(rng, prior, fabric))


def _lower(
    kind: Kind, fabric: Fabric, hem: float, ease: float, flare: float, shape: Shape, rng: np.random.Generator
) -> Garment:
    return Garment(kind, fabric, hem, ease, flare, 0.0, None, None, _seed(rng), shape)


def _sleeve(rng: np.random.Generator, neckline: Neckline, weights_array: tuple[float, float, float]) -> Sleeve:
    if neckline in _BARE:
        return "sleeveless"
    bare, short, long = weights_array
    return _choose(rng, {"sleeveless": 0.0 if neckline == "off_shoulder" else bare, "short": short, "long": long})


def _buttons(rng: np.random.Generator, neckline: Neckline, prior: GarmentPrior) -> Buttons | None:
    """Sample a placket: full or short under each collar, rarely short on a round neck."""
    if "collar" not in prior.top_necklines:
        return None
    if neckline == "collar":
        return "whole" if rng.random() < 0.6 else "short"
    return "short" if neckline == "round" and rng.random() < 0.08 else None


def _flare(rng: np.random.Generator, prior: GarmentPrior, shape: Shape) -> float:
    return {"straight": rng.uniform(0.0, 0.05), "pleated": rng.uniform(0.1, 0.24)}.get(shape, rng.uniform(*prior.flare))


def _pleats(rng: np.random.Generator, shape: Shape) -> int:
    return int(rng.integers(7, 13)) if shape == "pleated" else 0


def _belt(rng: np.random.Generator, prior: GarmentPrior, fabric: Fabric) -> Belt | None:
    """Sample a belt whose color contrasts with the cloth."""
    if rng.random() >= prior.belt_fraction:
        return None
    cloth = np.array(fabric.colors)
    distances = np.array([np.linalg.norm(cloth - leather, axis=1).min() for leather in _LEATHERS])
    candidates = np.flatnonzero(distances >= 0.7 * distances.max())
    color, buckle = _LEATHERS[rng.choice(candidates)], _METALS[rng.integers(len(_METALS))]
    return Belt(rng.uniform(0.012, 0.022), color, buckle)


def _seed(rng: np.random.Generator) -> int:
    return int(rng.integers(2**32))
