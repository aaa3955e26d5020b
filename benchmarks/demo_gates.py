"""Did the demo model learn to try on? Checks the last `make demo` against its gates; exit code 1 if one is missed.

python -m benchmarks.demo_gates [metrics.json]
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from tryon.categories import Category
from tryon.console import show_table

GATES = {"ratio_to_copy": 0.35, "ratio_to_mean_colour": 0.8}
"""Most that the model's L1 inside the garment may be of each baseline's, per category and setting."""


def main() -> int:
    path = Path(sys.argv[1] if len(sys.argv) > 1 else "data/evaluation/metrics.json")
    headline = json.loads(path.read_text())["headline"]
    rows = [
        {
            "setting": setting,
            "category": str(category),
            **{gate: headline[setting][category][gate] for gate in GATES},
            "passes": all(headline[setting][category][gate] <= most for gate, most in GATES.items()),
        }
        for setting in ("paired", "unpaired")
        for category in Category
    ]
    show_table(rows)
    return 0 if all(row["passes"] for row in rows) else 1


if __name__ == "__main__":
    raise SystemExit(main())
