"""Check the scores of the last `make demo` against their gates; exit code 1 if one is missed.

    python -m benchmarks.demo_gates [metrics.json]

A missing number, for example without ground-truth images, misses its gate.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from tryon.categories import Category
from tryon.console import log_line, print_table
from tryon.runtime.stage_result import Cell

GATES = {"ratio_to_masked_input": 0.35, "ratio_to_mean_color_fill": 0.8}
"""Most that the model's L1 inside the garment may be of each baseline's, per category and setting."""


def main() -> int:
    path = Path(sys.argv[1] if len(sys.argv) > 1 else "data/evaluation/metrics.json")
    try:
        summary = json.loads(path.read_text())["summary"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        log_line(f"{path} is not a metrics.json of ours ({type(error).__name__}). Run `make demo` first.")
        return 1
    rows = [_row(summary, setting, category) for setting in ("paired", "unpaired") for category in Category]
    print_table(rows)
    return 0 if all(row["passes"] for row in rows) else 1


def _row(summary: dict[str, Any], setting: str, category: Category) -> dict[str, Cell]:
    found = summary.get(setting, {}).get(category, {})
    ratios: dict[str, float | None] = {gate: found.get(gate) for gate in GATES}
    passes = all(ratio is not None and ratio <= GATES[gate] for gate, ratio in ratios.items())
    return {"setting": setting, "category": str(category), **ratios, "passes": passes}


if __name__ == "__main__":
    raise SystemExit(main())
