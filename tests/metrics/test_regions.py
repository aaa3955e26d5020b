"""Regions of metrics: the garment, its complement, and the neckline band."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from tryon.dresscode.labels import Joint
from tryon.metrics.regions import BAND, GARMENT, IMAGE, NECKLINE, OUTSIDE, REGIONS, neckline_band, regions_of

SIZE = (120, 100)
LEFT, RIGHT, SHOULDERS = 70.0, 30.0, 30.0
"""Columns of the left and right shoulder, and their row: 40 pixels apart, so the band reaches 10."""


def _joints(**changes: tuple[float, float, float]) -> NDArray[np.float32]:
    joints = np.zeros((18, 3), np.float32)
    joints[Joint.LEFT_SHOULDER] = LEFT, SHOULDERS, 0.9
    joints[Joint.RIGHT_SHOULDER] = RIGHT, SHOULDERS, 0.9
    for name, joint in changes.items():
        joints[Joint[name.upper()]] = joint
    return joints


def _garment(top: int = 28) -> NDArray[np.bool_]:
    garment = np.zeros(SIZE, bool)
    garment[top : top + 60, 20:81] = True
    return garment


def test_regions_of_a_batch() -> None:
    garment = np.stack([_garment(), np.zeros(SIZE, bool)])
    regions = regions_of(garment, np.stack([_joints()] * 2))
    assert list(regions) == list(REGIONS)
    assert regions[IMAGE] is None
    np.testing.assert_array_equal(regions[GARMENT], garment)
    np.testing.assert_array_equal(regions[OUTSIDE], ~garment)
    band = regions[NECKLINE]
    assert band is not None
    assert band[0].any()
    assert not band[1].any()


def test_empty_batch_has_empty_regions() -> None:
    regions = regions_of(np.empty((0, *SIZE), bool), np.empty((0, 18, 3)))
    assert {None if region is None else region.shape for region in regions.values()} == {None, (0, *SIZE)}


def test_band_is_within_a_quarter_of_the_shoulder_width() -> None:
    garment = _garment()
    garment[28:38, 45:56] = False  # a neckline, 10 pixels deep
    edge = [(28 if not 45 <= column <= 55 else 38, column) for column in range(30, 71)]
    rows, columns = np.indices(SIZE)
    distance = np.min([np.hypot(rows - y, columns - x) for y, x in edge], axis=0)
    np.testing.assert_array_equal(neckline_band(garment, _joints()), distance <= BAND * 40)


@pytest.mark.parametrize("strap", [3, 6])
def test_edge_rises_along_straps_and_ends_at_armholes(strap: int) -> None:
    garment = _garment(45)
    straps = [*range(38 - strap, 38), *range(63, 63 + strap)]
    garment[22:45, straps] = True
    edge = [(22 if column in straps else 45, column) for column in range(38 - strap, 63 + strap)]
    rows, columns = np.indices(SIZE)
    distance = np.min([np.hypot(rows - y, columns - x) for y, x in edge], axis=0)
    np.testing.assert_array_equal(neckline_band(garment, _joints()), distance <= BAND * 40)


def test_band_follows_the_neckline() -> None:
    high, low = neckline_band(_garment(25), _joints()), neckline_band(_garment(45), _joints())
    assert np.flatnonzero(high.any(1))[[0, -1]].tolist() == [15, 35]
    assert np.flatnonzero(low.any(1))[[0, -1]].tolist() == [35, 55]


@pytest.mark.parametrize("joint", ["left_shoulder", "right_shoulder"])
def test_band_is_empty_without_a_shoulder(joint: str) -> None:
    assert not neckline_band(_garment(), _joints(**{joint: (-1, -1, 0)})).any()


def test_trousers_and_sleeves_have_no_band() -> None:
    assert not neckline_band(_garment(top=75), _joints()).any()
    sleeve = np.zeros(SIZE, bool)
    sleeve[25:60, 75:85] = True
    assert not neckline_band(sleeve, _joints()).any()


def test_shoulders_may_be_outside_the_image_or_swapped() -> None:
    outside = _joints(right_shoulder=(-30, 5, 1), left_shoulder=(130, 5, 1))
    assert neckline_band(_garment(top=0), outside).any()
    turned = _joints(right_shoulder=(LEFT, SHOULDERS, 1), left_shoulder=(RIGHT, SHOULDERS, 1))
    np.testing.assert_array_equal(neckline_band(_garment(), turned), neckline_band(_garment(), _joints()))
    same = _joints(right_shoulder=(LEFT, SHOULDERS, 1))
    assert neckline_band(_garment(top=30), same).sum() <= 1
