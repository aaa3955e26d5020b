"""Define sampling priors of garments per difficulty level."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tryon.categories import Level
from tryon.synthetic.garments.garment import Neckline, Shape

SKIRT_FRACTION = 0.29
"""Fraction of skirts among lower-body garments, as in the real test list."""

SHORTS_FRACTION = 0.2

Range = tuple[float, float]


@dataclass(frozen=True)
class GarmentPrior:
    """Sampling prior of one level: weights of cuts (which need not sum to 1) and ranges of lengths.

    Args:
        top_necklines, dress_necklines: weights.
        trousers, skirts, dresses: weights of the shapes.
        skirt_hem, dress_hem: range of hem heights, mini to maxi.
        neck_depth: range of the factor on a neckline's depth.
        flare: range of the flare of flared skirts.
        belt_fraction: fraction of trousers, skirts and dresses with a belt.
        waist_seam_fraction: fraction of dresses with a waist seam.
    """

    top_necklines: Mapping[Neckline, float]
    dress_necklines: Mapping[Neckline, float]
    trousers: Mapping[Shape, float]
    skirts: Mapping[Shape, float]
    dresses: Mapping[Shape, float]
    skirt_hem: Range
    dress_hem: Range
    neck_depth: Range
    flare: Range
    belt_fraction: float
    waist_seam_fraction: float


_PLAIN_NECKS: Mapping[Neckline, float] = {"round": 0.45, "v": 0.25, "square": 0.15, "boat": 0.15}

GARMENT_PRIORS: dict[Level, GarmentPrior] = {
    "easy": GarmentPrior(
        top_necklines=_PLAIN_NECKS,
        dress_necklines=_PLAIN_NECKS,
        trousers={"straight": 1},
        skirts={"straight": 0.5, "flared": 0.5},
        dresses={"straight": 0.4, "flared": 0.6},
        skirt_hem=(0.62, 0.82),
        dress_hem=(0.64, 0.84),
        neck_depth=(0.9, 1.1),
        flare=(0.12, 0.26),
        belt_fraction=0.0,
        waist_seam_fraction=0.0,
    ),
    "catalogue": GarmentPrior(
        top_necklines={
            "round": 0.34, "v": 0.19, "collar": 0.15, "high": 0.08, "boat": 0.07, "square": 0.06, "straps": 0.07,
            "off_shoulder": 0.04,
        },
        dress_necklines={
            "round": 0.29, "v": 0.22, "straps": 0.16, "square": 0.08, "boat": 0.07, "collar": 0.06, "high": 0.05,
            "off_shoulder": 0.04, "one_shoulder": 0.03,
        },
        trousers={"skinny": 0.34, "straight": 0.44, "wide": 0.22},
        skirts={"straight": 0.42, "flared": 0.36, "pleated": 0.22},
        dresses={"straight": 0.44, "flared": 0.46, "pleated": 0.1},
        skirt_hem=(0.59, 0.88),
        dress_hem=(0.61, 0.9),
        neck_depth=(0.85, 1.2),
        flare=(0.12, 0.34),
        belt_fraction=0.16,
        waist_seam_fraction=0.35,
    ),
    "wild": GarmentPrior(
        top_necklines={
            "round": 0.14, "v": 0.14, "collar": 0.15, "high": 0.12, "boat": 0.08, "square": 0.09, "straps": 0.11,
            "off_shoulder": 0.1, "one_shoulder": 0.07,
        },
        dress_necklines={
            "round": 0.13, "v": 0.14, "collar": 0.1, "high": 0.1, "boat": 0.08, "square": 0.09, "straps": 0.14,
            "off_shoulder": 0.11, "one_shoulder": 0.11,
        },
        trousers={"skinny": 0.34, "straight": 0.26, "wide": 0.4},
        skirts={"straight": 0.28, "flared": 0.38, "pleated": 0.34},
        dresses={"straight": 0.3, "flared": 0.46, "pleated": 0.24},
        skirt_hem=(0.57, 0.92),
        dress_hem=(0.59, 0.93),
        neck_depth=(0.75, 1.5),
        flare=(0.12, 0.42),
        belt_fraction=0.35,
        waist_seam_fraction=0.5,
    ),
}  # fmt: skip
