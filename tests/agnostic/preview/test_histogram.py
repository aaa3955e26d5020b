"""Quantiles in percent, and a histogram for any values."""

import cv2
import numpy as np
import pytest

from tryon.agnostic.preview.histogram import histogram, quantile_table

COLUMNS = ("leak_fraction", "protected_fraction", "mask_fraction", "outline_similarity")


def numbers(values):
    return {name: np.array(values, np.float32) for name in COLUMNS}


def test_quantiles_ignore_unknown_values():
    values = [*np.linspace(0, 0.5, 101), np.nan]
    rows = quantile_table(numbers(values), {"leak_fraction": 0.001})
    assert [row["in %"] for row in rows] == ["leak", "protected", "masked", "outline"]
    for row in rows:
        assert (row["mean"], row["median"], row["90 %"], row["max"]) == pytest.approx((25, 25, 45, 50))
    assert rows[0]["limit"] == pytest.approx(0.1)
    assert rows[1]["limit"] is None


def test_no_rows_give_no_quantiles():
    assert {row["mean"] for row in quantile_table(numbers([]), {})} == {None}


@pytest.mark.parametrize("values", [[], [0.0], [0.0, 1.0], [np.nan], np.full(100_000, 0.2), [1e-7, 0.07]])
def test_histogram_of_any_values_is_deterministic(values):
    images = [histogram("dresses", numbers(values), {"leak_fraction": 0.001}) for _ in range(2)]
    assert images[0] == images[1]
    image = cv2.imdecode(np.frombuffer(images[0], np.uint8), cv2.IMREAD_COLOR)
    assert image.shape == (36 + 2 * 230, 2 * 380, 3)
