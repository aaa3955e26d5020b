"""Tests of the summary table, dict and sentence."""

from __future__ import annotations

from typing import Any

from tryon.evaluate.summary import summary_sentence, summary_table, summary_to_dict


def _methods(
    model: float | None, masked: float | None, filled: float | None, oracle: float | None = None
) -> dict[str, Any]:
    values = {"model": model, "masked_input": masked, "mean_color_fill": filled, "oracle_warp": oracle}
    return {method: {"l1_garment": value} for method, value in values.items()}


CONTENT = {
    "metrics": {
        "paired": {"dresses": _methods(0.1, 0.4, 0.2, 0.05), "all": _methods(0.1, 0.4, 0.0)},
        "unpaired": {"dresses": _methods(None, None, None), "all": _methods(None, None, None)},
    }
}


def test_rows_contain_errors_and_ratios() -> None:
    first, second = summary_table(CONTENT)
    assert first == {
        "setting": "paired",
        "category": "dresses",
        "model": 0.1,
        "masked_input": 0.4,
        "mean_color_fill": 0.2,
        "oracle_warp": 0.05,
        "ratio_to_masked_input": 0.25,
        "ratio_to_mean_color_fill": 0.5,
    }
    assert second["oracle_warp"] is None
    assert second["ratio_to_mean_color_fill"] is None  # the baseline has no error


def test_summary_dict_matches_rows() -> None:
    summary = summary_to_dict(summary_table(CONTENT))
    assert summary["paired"]["dresses"]["ratio_to_masked_input"] == 0.25
    assert set(summary) == {"paired"}


def test_sentence_summarizes_all_categories() -> None:
    sentence = summary_sentence(summary_table(CONTENT))
    assert sentence == "L1 inside the garment: paired 0.1000 (0.25× masked input, – mean-color fill)"
    with_oracle = summary_sentence([row | {"oracle_warp": 0.05} for row in summary_table(CONTENT)])
    assert with_oracle.endswith("– mean-color fill; oracle warp 0.0500)")
    assert summary_sentence([]) == "no ground-truth image shows its garment"
