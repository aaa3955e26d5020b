"""The measurement of masks against synthetic ground truth, on a few bodies, and its gates."""

import numpy as np
import pytest

from benchmarks.mask_quality import LEAK, PAIRS, Row, iou, measure, part_of, report
from tryon.categories import Category


@pytest.mark.parametrize("category", list(Category))
@pytest.mark.parametrize("number", [1, 2])
def test_synthetic_bodies_meet_the_gates(category, number, capsys):
    rows = measure(5, category, "catalogue", number, damaged=2)
    damaged = {row.quantity for row in rows if "|" in row.quantity}
    assert bool(damaged) is (number < 2)
    assert report(category, "catalogue", rows) == []
    assert "leak: none on 100.00%" in capsys.readouterr().out


def test_missed_gates_are_named(capsys):
    good = {"leak": 0.0, "protected": 0.0, "fraction": 0.3, "sizes": 1.0, "pairs": 1.0}
    bad = good | {"leak": 2 * LEAK, "sizes": 0.9, "pairs": 0.5, "pairs within the standard flare": PAIRS - 0.01}
    missed = report(Category.LOWER_BODY, "wild", [Row(name, 3, value) for name, value in bad.items()])
    assert [line.split(": ")[1] for line in missed] == [
        "rows without leak", "largest leak", "IoU between sizes", "IoU of trousers and skirt",
        "IoU within the standard flare",
    ]  # fmt: skip
    assert "body 3" in capsys.readouterr().out


def test_fraction_and_iou_of_empty_masks():
    empty, diagonal = np.zeros((3, 3), bool), np.eye(3, dtype=bool)
    assert part_of(empty, diagonal) == 0
    assert part_of(diagonal, diagonal) == 1
    assert iou(empty, empty) == 1
    assert iou(empty, diagonal) == 0
