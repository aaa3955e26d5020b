from __future__ import annotations

import numpy as np
import pytest

from tryon.synthetic.garments.folds import Fold, relief_shading, ridges, soft_folds, waves


def ridge(points: np.ndarray, start: tuple[float, float], end: tuple[float, float]) -> np.ndarray:
    return ridges(points, [Fold(np.array(start), np.array(end), 0.012, 0.6)])[0]


@pytest.fixture
def points() -> np.ndarray:
    return np.stack(np.meshgrid(np.linspace(0, 0.2, 41), np.linspace(0, 0.2, 41)), axis=-1)


def test_flat_cloth_is_lit_evenly(points):
    assert np.allclose(relief_shading(np.zeros((41, 41)), points), 1)
    assert np.allclose(relief_shading(np.full((41, 41), 0.01), points), 1)


def test_a_fold_is_bright_towards_the_light_and_dark_behind(points):
    upright = ridge(points, (0.1, 0.02), (0.1, 0.19))
    light = relief_shading(upright, points)[15]
    assert light[:20].max() > 1.08
    assert light[21:].min() < 0.92


def test_a_fold_fades_towards_its_end(points):
    crest = ridge(points, (0.1, 0.03), (0.1, 0.17))[:, 20]
    assert crest.argmax() < 20
    assert crest[-5] < 0.1 * crest.max()


def test_folds_of_one_call_are_those_of_several(points):
    folds = [Fold(*np.random.default_rng(n).uniform(0, 0.2, (2, 2)), 0.01 + 0.001 * n, 0.2 * n - 0.3) for n in range(4)]
    assert np.array_equal(ridges(points, folds), np.concatenate([ridges(points, [fold]) for fold in folds]))


def test_turning_the_mesh_turns_the_light(points):
    """The light comes from the image's upper left, however the grid lies."""
    relief = ridge(points, (0.02, 0.1), (0.19, 0.1))
    light = relief_shading(relief, points)
    turned = relief_shading(relief.T, np.ascontiguousarray(points.transpose(1, 0, 2)))
    assert np.allclose(light, turned.T, atol=1e-6)
    assert light[:20].max() > 1.05 > 0.95 > light[21:].min()


def test_a_mesh_that_is_folded_over_gives_no_wild_light(points):
    bent = points.copy()
    bent[20:] = bent[19]
    light = relief_shading(np.random.default_rng(0).normal(0, 0.01, (41, 41)), bent)
    assert np.isfinite(light).all()
    assert 0.6 < light.min() <= light.max() < 1.3


def test_waves_have_about_the_asked_number_of_crests():
    wave = waves(np.linspace(-1, 1, 400), 5.0, 0.3)
    crests = np.count_nonzero(np.diff(np.sign(np.diff(wave))) < 0)
    assert 4 <= crests <= 6


def test_folds_of_flat_cloth_are_gentle(points):
    light = relief_shading(soft_folds(points, np.random.default_rng(1), 3, 0.2), points)
    assert 0 < np.abs(light - 1).max() < 0.25
