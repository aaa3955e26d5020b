"""The one table that says whether the model tries on: its error inside the garment, two baselines' and a bound."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tryon.evaluate.baselines import COPY, IDEAL, MEAN_COLOR
from tryon.runtime.stage_result import Cell

MODEL = "model"
KEY = "l1_garment"
"""The metric of the headline: mean absolute difference inside the garment, 0..1, lower is better."""


def summary_table(content: Mapping[str, Any]) -> list[dict[str, Cell]]:
    """Rows of the headline from the content of `metrics.json`: setting by setting, each category, then all.

    Columns: setting, category, model, copy, mean_color, ideal_warp (L1 inside the garment; the last None where no true
    flow is known), ratio_to_copy, ratio_to_mean_color (the model's L1 over the baseline's; below 1 is better than the
    baseline). Settings without truth have no rows.
    """
    rows: list[dict[str, Cell]] = []
    for setting, categories in content["metrics"].items():
        for category, methods in categories.items():
            errors = {method: numbers[KEY] for method, numbers in methods.items()}
            if errors[MODEL] is not None:
                rows.append({"setting": setting, "category": category, **_row(errors)})
    return rows


def _row(errors: Mapping[str, Any]) -> dict[str, Cell]:
    model, copy, painted = errors[MODEL], errors[COPY], errors[MEAN_COLOR]
    return {
        "model": model,
        "copy": copy,
        "mean_color": painted,
        "oracle_warp": errors[IDEAL],
        "ratio_to_copy": _ratio(model, copy),
        "ratio_to_mean_color": _ratio(model, painted),
    }


def _ratio(model: float, baseline: float) -> float | None:
    return round(model / baseline, 4) if baseline else None


def to_dict(rows: list[dict[str, Cell]]) -> dict[str, Any]:
    """The same rows as setting → category → numbers, for `metrics.json`."""
    found: dict[str, Any] = {}
    for row in rows:
        numbers = {key: value for key, value in row.items() if key not in ("setting", "category")}
        found.setdefault(str(row["setting"]), {})[str(row["category"])] = numbers
    return found


def summary_sentence(rows: list[dict[str, Cell]]) -> str:
    """The headline in words, from its `all` rows."""
    told = [
        f"{row['setting']} {row['model']:.4f} ({_times(row['ratio_to_copy'])} agnostic copied, "
        f"{_times(row['ratio_to_mean_color'])} mean garment color{_bound(row['ideal_warp'])})"
        for row in rows
        if row["category"] == "all"
    ]
    return f"L1 inside the garment: {'; '.join(told)}" if told else "no row shows its garment in a true image"


def _bound(error: Cell) -> str:
    return "" if error is None else f"; an ideal warp {error:.4f}"


def _times(ratio: Cell) -> str:
    return "–" if ratio is None else f"{ratio:.2f}×"
