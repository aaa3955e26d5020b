"""Errors stay inside their listed boxes and repeat with the random stream."""

from __future__ import annotations

import numpy as np
import pytest

from tryon.categories import Category
from tryon.dresscode.labels import Label
from tryon.synthetic import parsing_noise
from tryon.synthetic.item_files import render_in_garment
from tryon.synthetic.parsing_noise import ERROR_KINDS, add_parsing_noise


def draw_person(garments: tuple[tuple[Label, tuple[slice, slice]], ...]) -> np.ndarray:
    """Draw a schematic label map: arms, legs, shoes, a bag and garments."""
    labels = np.zeros((512, 384), np.uint8)
    labels[60:300, 100:130], labels[60:300, 250:280] = Label.RIGHT_ARM, Label.LEFT_ARM
    labels[280:470, 140:180], labels[280:470, 200:240] = Label.RIGHT_LEG, Label.LEFT_LEG
    labels[470:500, 130:180], labels[470:500, 200:250] = Label.RIGHT_SHOE, Label.LEFT_SHOE
    for label, region in garments:
        labels[region] = label
    labels[250:330, 270:330] = Label.BAG
    return labels


TRUNK, BELOW = np.s_[60:260, 130:250], np.s_[255:380, 120:260]
DOLLS = {
    "skirt": draw_person(((Label.UPPER_CLOTHES, TRUNK), (Label.SKIRT, BELOW))),
    "dress": draw_person(((Label.DRESS, TRUNK), (Label.DRESS, BELOW))),
}


def rng(*words: int) -> np.random.Generator:
    return np.random.default_rng(words)


def box_mask(shape: tuple[int, ...], box: parsing_noise.BoundingBox) -> np.ndarray:
    inside = np.zeros(shape, bool)
    inside[box.top : box.top + box.height, box.left : box.left + box.width] = True
    return inside


@pytest.mark.parametrize("doll", DOLLS)
def test_changes_are_inside_the_listed_boxes(doll):
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


def test_errors_repeat_with_the_seed_and_leave_the_input_unchanged():
    before = DOLLS["skirt"].copy()
    first, repeated, reseeded = (add_parsing_noise(DOLLS["skirt"], rng(seed)) for seed in (3, 3, 4))
    assert np.array_equal(first[0], repeated[0])
    assert first[1] == repeated[1]
    assert first[1] != reseeded[1]
    assert np.array_equal(DOLLS["skirt"], before)


def test_every_kind_occurs():
    kinds = {error.kind for doll in DOLLS.values() for n in range(150) for error in add_parsing_noise(doll, rng(n))[1]}
    assert kinds == set(ERROR_KINDS)


def test_boxes_are_minimal():
    for kind in ("missing_shoe", "skirt_as_trousers", "missed_bag"):
        doll = DOLLS["skirt"]
        results = (add_parsing_noise(doll, rng(seed)) for seed in range(500))
        wrong, box = next((wrong, errors[0].box) for wrong, errors in results if [e.kind for e in errors] == [kind])
        rows, columns = np.nonzero(wrong != doll)
        assert (box.left, box.top) == (columns.min(), rows.min())
        assert (box.width, box.height) == (np.ptp(columns) + 1, np.ptp(rows) + 1)


def test_empty_maps_get_no_errors():
    empty = np.zeros((64, 48), np.uint8)
    wrong, errors = add_parsing_noise(empty, rng(0))
    assert errors == []
    assert np.array_equal(wrong, empty)


def count(labels: np.ndarray, *ids: Label) -> int:
    return int(np.isin(labels, ids).sum())


def test_eroded_edges_shrink_and_ragged_edges_grow_and_shrink():
    doll = draw_person(((Label.UPPER_CLOTHES, TRUNK),))
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


def test_swapping_twice_restores_the_map():
    for swap in (parsing_noise.swapped_arms, parsing_noise.swapped_legs):
        doll = DOLLS["skirt"]
        swapped = swap(doll, rng(5))
        assert (swapped != doll).any()
        assert np.array_equal(swap(swapped, rng(5)), doll)


def test_missing_parts_are_at_the_far_end_and_take_a_neighboring_label():
    doll = DOLLS["skirt"]
    hand, forearm = (apply(doll, rng(2)) for apply in (parsing_noise.missing_hand, parsing_noise.missing_forearm))
    for wrong, min_row in ((hand, 240), (forearm, 175)):
        rows = np.nonzero(wrong != doll)[0]
        assert min_row < rows.min() < min_row + 15
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
def test_rendered_people_get_plausible_errors(category):
    clean = render_in_garment(5, category, 0, 0).label_map
    for number in range(6):
        wrong, errors = add_parsing_noise(clean, rng(number))
        assert errors
        assert 0 < (wrong != clean).mean() < 0.45
        assert wrong.max() <= max(Label)
