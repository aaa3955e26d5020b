"""Build the summary table: L1 inside the garment of model, baselines and oracle warp."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tryon.categories import ALL
from tryon.evaluate.baselines import MASKED_INPUT, MEAN_COLOR_FILL, ORACLE_WARP
from tryon.runtime.stage_result import Cell
from tryon.scoring.compare import PRIMARY_METRIC
from tryon.scoring.saved_scores import MODEL


def summary_table(content: Mapping[str, Any]) -> list[dict[str, Cell]]:
    """Return the rows of the summary from the content of `metrics.json`, one per setting and group.

    Columns: setting, category, the L1 inside the garment of model, masked_input, mean_color_fill and oracle_warp (None
    where the true flow is unknown), and ratio_to_masked_input, ratio_to_mean_color_fill: the model's error divided by
    the baseline's, below 1 if the model is better. Settings without ground truth have no rows.
    """
    rows: list[dict[str, Cell]] = []
    for setting, groups in content["metrics"].items():
        for group, methods in groups.items():
            errors = {method: scores[PRIMARY_METRIC] for method, scores in methods.items()}
            if errors[MODEL] is not None:
                row: dict[str, Cell] = {"setting": setting, "category": group}
                row |= {method: errors[method] for method in (MODEL, MASKED_INPUT, MEAN_COLOR_FILL, ORACLE_WARP)}
                for name in (MASKED_INPUT, MEAN_COLOR_FILL):
                    row[f"ratio_to_{name}"] = round(errors[MODEL] / errors[name], 4) if errors[name] else None
                rows.append(row)
    return rows


def summary_to_dict(rows: list[dict[str, Cell]]) -> dict[str, Any]:
    """Return the summary as setting → group → columns, for `metrics.json`."""
    summary: dict[str, Any] = {}
    for row in rows:
        columns = {key: value for key, value in row.items() if key not in ("setting", "category")}
        summary.setdefault(str(row["setting"]), {})[str(row["category"])] = columns
    return summary


def summary_sentence(rows: list[dict[str, Cell]]) -> str:
    """Return the summary of all categories in one sentence."""
    parts = [
        f"{row['setting']} {row['model']:.4f} ({_ratio(row['ratio_to_masked_input'])} masked input, "
        f"{_ratio(row['ratio_to_mean_color_fill'])} mean-color fill"
        + (")" if row[ORACLE_WARP] is None else f"; oracle warp {row[ORACLE_WARP]:.4f})")
        for row in rows
        if row["category"] == ALL
    ]
    return f"L1 inside the garment: {'; '.join(parts)}" if parts else "no ground-truth image shows its garment"


def _ratio(ratio: Cell) -> str:
    return "–" if ratio is None else f"{ratio:.2f}×"
