"""The spread of the audit: quantiles in percent, and a image for any numbers."""

import cv2
import numpy as np
import pytest

from tryon.agnostic.preview.histogram import histogram, quantile_table

COLUMNS = ("leak_fraction", "protected_fraction", "mask_fraction", "outline_similarity")


def numbers(values):
    return {name: np.array(values, np.float32) for name in COLUMNS}


def test_quantiles_are_those_of_the_known_values():
    values = [*np.linspace(0, 0.5, 101), np.nan]
    rows = quantile_table(numbers(values), {"leak_fraction": 0.001})
    assert [row["in %"] for row in rows] == ["leak", "protected", "hidden", "outline"]
    for row in rows:
        assert (row["mean"], row["median"], row["90 %"], row["largest"]) == pytest.approx((25, 25, 45, 50))
    assert rows[0]["limit"] == pytest.approx(0.1)
    assert rows[1]["limit"] is None


def test_without_rows_there_are_no_numbers():
    assert {row["mean"] for row in quantile_table(numbers([]), {})} == {None}


@pytest.mark.parametrize("values", [[], [0.0], [0.0, 1.0], [np.nan], np.full(100_000, 0.2), [1e-7, 0.07]])
def test_any_numbers_can_be_drawn_and_give_the_same_bytes(values):
    drawn = [histogram("dresses", numbers(values), {"leak_fraction": 0.001}) for _ in range(2)]
    assert drawn[0] == drawn[1]
    image = cv2.imdecode(np.frombuffer(drawn[0], np.uint8), cv2.IMREAD_COLOR)
    assert image.shape == (36 + 2 * 230, 2 * 380, 3)
