from __future__ import annotations

from collections import Counter
from typing import get_args

import numpy as np
import pytest

from tryon.categories import LEVELS, Category, Level
from tryon.dresscode.labels import GARMENT_LABELS
from tryon.synthetic.figure.body import Body
from tryon.synthetic.garments.cloth import cut_pieces
from tryon.synthetic.garments.distributions import GARMENT_PRIORS
from tryon.synthetic.garments.garment import Garment, Neckline, Shape, Sleeve
from tryon.synthetic.garments.sample_garment import sample_garment
from tryon.synthetic.garments.sleeves import SleeveCloth


def garments(category: Category, count: int, level: Level) -> list[Garment]:
    return [sample_garment(category, np.random.default_rng((5, number)), level) for number in range(count)]


@pytest.mark.parametrize("level", LEVELS)
def test_about_29_of_100_lower_body_garments_are_skirts(level):
    kinds = [garment.kind for garment in garments(Category.LOWER_BODY, 600, level)]
    assert kinds.count("skirt") / 600 == pytest.approx(0.29, abs=0.05)


@pytest.mark.parametrize("category", list(Category))
@pytest.mark.parametrize("level", LEVELS)
def test_labels_and_words_belong_to_the_category(category, level):
    for garment in garments(category, 60, level):
        assert garment.label in GARMENT_LABELS[category]
        bodice = garment.kind in ("top", "dress")
        assert (garment.sleeve in get_args(Sleeve)) == bodice
        assert (garment.neckline in get_args(Neckline)) == bodice
        assert (garment.shape in get_args(Shape)) == (garment.kind != "top")


@pytest.mark.parametrize("level", LEVELS)
def test_every_cut_of_a_level_occurs(level):
    tops, lower, dresses = (garments(category, 500, level) for category in Category)
    span = GARMENT_PRIORS[level]
    for worn, weights in ((tops, span.top_necklines), (dresses, span.dress_necklines)):
        assert {garment.neckline for garment in worn} == set(weights)
        assert {garment.sleeve for garment in worn} == set(get_args(Sleeve))
    assert {garment.shape for garment in lower if garment.kind == "trousers"} == set(span.trousers)
    assert {garment.shape for garment in lower if garment.kind == "skirt"} == set(span.skirts)
    assert {garment.shape for garment in dresses} == set(span.dresses)
    belts = Counter(garment.kind for garment in [*tops, *lower, *dresses] if garment.belt)
    assert set(belts) == ({"trousers", "skirt", "dress"} if span.belt_fraction else set())


def test_rare_cuts_are_rare_in_the_catalogue_and_common_in_the_wild():
    rare = {"off_shoulder", "one_shoulder", "high", "straps"}
    shares = [
        np.mean([garment.neckline in rare for garment in garments(Category.DRESSES, 400, level)])
        for level in ("easy", "catalogue", "wild")
    ]
    assert shares[0] == 0
    assert shares[0] < shares[1] < 0.4 < shares[2]


def test_sleeves_go_with_the_neckline_and_end_where_the_word_says():
    for level in ("catalogue", "wild"):
        for garment in [*garments(Category.UPPER_BODY, 150, level), *garments(Category.DRESSES, 150, level)]:
            if garment.neckline in ("straps", "one_shoulder"):
                assert garment.sleeve == "sleeveless"
            if garment.neckline == "off_shoulder":
                assert garment.sleeve != "sleeveless"
            assert (garment.buttons is not None) >= (garment.neckline == "collar")
            for piece in cut_pieces(garment):
                if isinstance(piece, SleeveCloth):
                    elbow, wrist = Body().elbow_and_wrist(piece.side)
                    ends = (
                        (0.65 * elbow, elbow) if garment.sleeve == "short" else ((elbow + 2 * wrist) / 3, wrist + 0.03)
                    )
                    assert ends[0] < piece.length < ends[1]


def test_hems_reach_from_mini_to_maxi():
    hems = [garment.hem for garment in garments(Category.DRESSES, 300, "catalogue")]
    assert min(hems) < 0.63
    assert max(hems) > 0.87


def test_belts_differ_from_the_cloth():
    for garment in garments(Category.DRESSES, 300, "wild"):
        if garment.belt:
            distances = np.linalg.norm(np.subtract(garment.fabric.colors, garment.belt.color), axis=1)
            assert distances.min() > 40
