"""Tests of the published scores."""

from __future__ import annotations

from tryon.categories import Category
from tryon.evaluate.report.published import ALL, CATVTON_1, LEFFA_5, PROMO, PUBLISHED, PublishedScore


def row(table: object, method: str, category: str) -> PublishedScore:
    (match,) = [each for each in PUBLISHED if (each.table, each.method, each.category) == (table, method, category)]
    return match


def test_published_rows_are_unique_and_plausible() -> None:
    assert len(PUBLISHED) == len({(each.table, each.method, each.category) for each in PUBLISHED}) == 3 * 18 + 25
    for each in PUBLISHED:
        assert each.category in (*Category, ALL)
        assert each.n == (5400 if each.category == ALL else 1800)
        assert each.ssim is None or 0.7 < each.ssim < 1
        assert each.lpips is None or 0.01 < each.lpips < 0.5
        assert all(value is None or 1 < value < 40 for value in (each.fid, each.fid_unpaired))
        assert each.table.source
        assert each.table.protocol


def test_sample_scores_are_in_their_columns() -> None:
    leffa = row(LEFFA_5, "Leffa", "lower_body")
    assert (leffa.ssim, leffa.lpips, leffa.fid, leffa.fid_unpaired, leffa.kid_unpaired) == (
        0.941,
        0.024,
        4.79,
        12.25,
        1.66,
    )
    assert row(CATVTON_1, "LaDI-VTON", ALL).ssim == 0.7656
    assert row(PROMO, "LaDI-VTON", ALL).kid_unpaired is None


def test_published_ssim_of_one_checkpoint_differs_between_papers() -> None:
    scores = {each.ssim for each in PUBLISHED if each.method == "LaDI-VTON" and each.category == ALL}
    assert scores == {0.9025, 0.7656, 0.756}
