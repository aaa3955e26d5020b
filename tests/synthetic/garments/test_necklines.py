from __future__ import annotations

from dataclasses import replace
from typing import get_args

import numpy as np
import pytest

from tryon.categories import Category
from tryon.synthetic.figure.body import ARMPIT, SHOULDER, Body
from tryon.synthetic.garments.collars import Collar, HighNeck
from tryon.synthetic.garments.garment import Garment, Neckline
from tryon.synthetic.garments.necklines import BARE_TOP, TOP, neck_line, neckline_opening
from tryon.synthetic.garments.sample_garment import sample_garment

_BARE = ("straps", "off_shoulder", "one_shoulder")


@pytest.fixture
def garment() -> Garment:
    top = sample_garment(Category.UPPER_BODY, np.random.default_rng(1), "easy")
    return replace(top, sleeve="sleeveless", neck_depth=1.0)


@pytest.mark.parametrize("neckline", get_args(Neckline))
def test_the_upper_edge_runs_from_one_armpit_to_the_other(garment, neckline):
    upper = neckline_opening(replace(garment, neckline=neckline)).upper
    assert upper[0] == pytest.approx((-1, ARMPIT), abs=0.01)
    assert upper[-1] == pytest.approx((1, ARMPIT), abs=0.01)
    assert np.abs(upper[:, 0]).max() <= 1
    assert upper[:, 1].min() >= min(TOP, BARE_TOP) - 1e-9


@pytest.mark.parametrize("neckline", sorted(set(get_args(Neckline)) - {"one_shoulder"}))
def test_all_but_one_necklines_are_the_same_left_and_right(garment, neckline):
    upper = neckline_opening(replace(garment, neckline=neckline)).upper
    assert np.allclose(upper, upper[::-1] * (-1, 1), atol=1e-9)


def test_bare_shoulders_are_bare(garment):
    shoulder = {}
    for neckline in get_args(Neckline):
        upper = neckline_opening(replace(garment, neckline=neckline)).upper
        shoulder[neckline] = [upper[upper[:, 0] * side > 0.5, 1].min() < BARE_TOP - 0.02 for side in (-1, 1)]
    assert shoulder.pop("one_shoulder") == [False, True]
    for neckline, covered in shoulder.items():
        assert covered == [neckline not in _BARE] * 2


def test_deeper_necks_are_deeper_and_a_v_is_deeper_than_a_boat(garment):
    def depth(neckline: Neckline, factor: float = 1.0) -> float:
        return neck_line(replace(garment, neckline=neckline, neck_depth=factor))[:, 1].max() - SHOULDER

    assert depth("v") > depth("round") > depth("boat") > depth("high")
    assert depth("v", 1.4) == pytest.approx(1.4 * depth("v"))


def test_a_high_neck_lies_around_the_neck_and_a_collar_has_two_points(garment):
    body = Body()
    neck = HighNeck(replace(garment, neckline="high")).fit_to(body).points
    assert neck[1, :, 1].min() < SHOULDER - 0.008
    assert np.ptp(neck[2, 2:-2, 0]) > 2 * 0.62 * body.build.head  # as wide as the skin of the neck at least
    collar = Collar(replace(garment, neckline="collar"))
    leaves = collar.outlines()
    assert len(leaves) == 2
    middle = (collar.grid.columns - 1) / 2
    assert leaves[0][:, 0].min() == pytest.approx(middle)
    assert leaves[1][:, 0].max() == pytest.approx(middle)
    assert max(leaf[:, 1].argmax() for leaf in leaves) > 0


def test_what_is_seen_inside_lies_between_front_and_back(garment):
    shown = neckline_opening(replace(garment, neckline="v"))
    assert shown.inside[:, 1].max() == pytest.approx(shown.edge[:, 1].max())
    assert np.abs(shown.inside[:, 0]).max() == pytest.approx(np.abs(shown.edge[:, 0]).max())
