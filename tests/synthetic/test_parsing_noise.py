"""Errors are where they are said to be, only labels change, and the same stream gives the same errors."""

from __future__ import annotations

import numpy as np
import pytest

from tryon.categories import Category
from tryon.dresscode.labels import Label
from tryon.synthetic import parsing_noise
from tryon.synthetic.item_files import render_in_garment
from tryon.synthetic.parsing_noise import ERROR_KINDS, add_parsing_noise


def person(garments: tuple[tuple[Label, tuple[slice, slice]], ...]) -> np.ndarray:
    """A wooden doll: arms, legs and shoes, a bag, and garments over it."""
    labels = np.zeros((512, 384), np.uint8)
    labels[60:300, 100:130], labels[60:300, 250:280] = Label.RIGHT_ARM, Label.LEFT_ARM
    labels[280:470, 140:180], labels[280:470, 200:240] = Label.RIGHT_LEG, Label.LEFT_LEG
    labels[470:500, 130:180], labels[470:500, 200:250] = Label.RIGHT_SHOE, Label.LEFT_SHOE
    for label, place in garments:
        labels[place] = label
    labels[250:330, 270:330] = Label.BAG
    return labels


TRUNK, BELOW = np.s_[60:260, 130:250], np.s_[255:380, 120:260]
DOLLS = {
    "skirt": person(((Label.UPPER_CLOTHES, TRUNK), (Label.SKIRT, BELOW))),
    "dress": person(((Label.DRESS, TRUNK), (Label.DRESS, BELOW))),
}


def rng(*words: int) -> np.random.Generator:
    return np.random.default_rng(words)


def box_mask(shape: tuple[int, ...], box: parsing_noise.BoundingBox) -> np.ndarray:
    inside = np.zeros(shape, bool)
    inside[box.top : box.top + box.height, box.left : box.left + box.width] = True
    return inside


@pytest.mark.parametrize("doll", DOLLS)
def test_every_change_lies_in_the_box_of_an_error_and_every_box_holds_one(doll):
    for number in range(60):
        clean = DOLLS[doll]
        wrong, errors = add_parsing_noise(clean, rng(number))
        assert 1 <= len(errors) <= 3
        assert len({error.kind for error in errors}) == len(errors)
        allowed = np.zeros(clean.shape, bool)
        for error in errors:
            allowed |= box_mask(clean.shape, error.box)
        assert (wrong != clean).any()
        assert not (wrong != clean)[~allowed].any()


def test_the_same_stream_gives_the_same_errors_and_the_map_that_went_in_stays():
    before = DOLLS["skirt"].copy()
    first, again, other = (add_parsing_noise(DOLLS["skirt"], rng(seed)) for seed in (3, 3, 4))
    assert np.array_equal(first[0], again[0])
    assert first[1] == again[1]
    assert first[1] != other[1]
    assert np.array_equal(DOLLS["skirt"], before)


def test_every_kind_comes_up_where_it_can():
    found = {error.kind for doll in DOLLS.values() for n in range(150) for error in add_parsing_noise(doll, rng(n))[1]}
    assert found == set(ERROR_KINDS)


def test_the_box_is_the_smallest_one():
    for kind in ("missing_shoe", "skirt_as_trousers", "missed_bag"):
        doll = DOLLS["skirt"]
        made = (add_parsing_noise(doll, rng(seed)) for seed in range(500))
        wrong, box = next((wrong, errors[0].box) for wrong, errors in made if [e.kind for e in errors] == [kind])
        rows, columns = np.nonzero(wrong != doll)
        assert (box.left, box.top) == (columns.min(), rows.min())
        assert (box.width, box.height) == (np.ptp(columns) + 1, np.ptp(rows) + 1)


def test_nothing_can_be_wrong_with_an_empty_map():
    empty = np.zeros((64, 48), np.uint8)
    wrong, errors = add_parsing_noise(empty, rng(0))
    assert errors == []
    assert np.array_equal(wrong, empty)


def count(labels: np.ndarray, *wanted: Label) -> int:
    return int(np.isin(labels, wanted).sum())


def test_an_eroded_garment_is_smaller_and_a_ragged_one_both_gains_and_loses():
    doll = person(((Label.UPPER_CLOTHES, TRUNK),))
    eroded = parsing_noise.eroded_edge(doll, rng(1))
    assert 0.7 < count(eroded, Label.UPPER_CLOTHES) / count(doll, Label.UPPER_CLOTHES) < 0.97
    assert not ((eroded == Label.UPPER_CLOTHES) & (doll != Label.UPPER_CLOTHES)).any()
    ragged = parsing_noise.ragged_edge(doll, rng(1))
    assert ((doll == Label.UPPER_CLOTHES) & (ragged == Label.BACKGROUND)).any()
    assert ((doll == Label.BACKGROUND) & (ragged == Label.UPPER_CLOTHES)).any()
    holes = parsing_noise.holes(doll, rng(1))
    assert set(np.unique(holes[doll != holes])) == {Label.BACKGROUND}
    edge = doll[60:64, 130:250]
    assert np.array_equal(holes[60:64, 130:250], edge)


def test_swapping_twice_gives_the_map_back():
    for swap in (parsing_noise.swapped_arms, parsing_noise.swapped_legs):
        doll = DOLLS["skirt"]
        swapped = swap(doll, rng(5))
        assert (swapped != doll).any()
        assert np.array_equal(swap(swapped, rng(5)), doll)


def test_missing_parts_lie_at_the_far_end_and_go_to_a_neighbor():
    doll = DOLLS["skirt"]
    hand, forearm = (find(doll, rng(2)) for find in (parsing_noise.missing_hand, parsing_noise.missing_forearm))
    for wrong, least in ((hand, 240), (forearm, 175)):
        rows = np.nonzero(wrong != doll)[0]
        assert least < rows.min() < least + 15
        assert rows.max() == 299
    assert (forearm != doll).sum() > 1.8 * (hand != doll).sum()
    bag = parsing_noise.missed_bag(doll, rng(0))
    assert count(bag, Label.BAG) == 0
    assert set(bag[doll == Label.BAG]) == {Label.BACKGROUND}


def test_skirts_become_trousers_and_dresses_top_and_skirt():
    skirt = parsing_noise.skirt_as_trousers(DOLLS["skirt"], rng(0))
    assert np.array_equal(skirt == Label.PANTS, DOLLS["skirt"] == Label.SKIRT)
    wrong = parsing_noise.dress_as_top_and_skirt(DOLLS["dress"], rng(0))
    dress = DOLLS["dress"] == Label.DRESS
    assert set(np.unique(wrong[dress])) == {Label.UPPER_CLOTHES, Label.SKIRT}
    assert np.nonzero(wrong == Label.UPPER_CLOTHES)[0].mean() < np.nonzero(wrong == Label.SKIRT)[0].mean()


@pytest.mark.parametrize("category", list(Category))
def test_people_of_the_twin_get_plausible_errors(category):
    clean = render_in_garment(5, category, 0, 0).label_map
    for number in range(6):
        wrong, errors = add_parsing_noise(clean, rng(number))
        assert errors
        assert 0 < (wrong != clean).mean() < 0.45
        assert wrong.max() <= max(Label)
