"""Measure how well the default settings learn on synthetic Dress Code, by level and seed, for docs/synthetic.md.

    python -m benchmarks.learnability [--levels easy catalogue wild] [--seeds 7 8 9] [--jobs 2] [--keep FOLDER]

Each run is the complete pipeline in its own folder, with only seed and level changed in params.yaml, so every seed has
other people and garments, another initialization and another row order. Scores are L1 inside the garment on the test
rows divided by the baselines' L1. Exit code 1 if a run on `catalogue` misses a gate of `benchmarks.demo_gates`.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from pathlib import Path
from typing import NamedTuple

from ruamel.yaml import YAML

from benchmarks.demo_gates import GATES
from tryon.categories import LEVELS, Category
from tryon.console import log_line
from tryon.pipeline.stages import STAGES

SETTINGS = ("paired", "unpaired")


class Run(NamedTuple):
    """Level and seed of a run."""

    level: str
    seed: int


def main() -> int:
    parser = argparse.ArgumentParser(description="Default settings on synthetic Dress Code, by level and seed.")
    parser.add_argument("--levels", nargs="+", choices=LEVELS, default=list(LEVELS))
    parser.add_argument("--seeds", nargs="+", type=int, default=[7, 8, 9])
    parser.add_argument("--jobs", type=int, default=1, help="number of parallel runs, each with one thread")
    parser.add_argument("--keep", type=Path, help="folder that retains the runs' data")
    args = parser.parse_args()
    runs = [Run(level, seed) for level, seed in product(args.levels, args.seeds)]
    with tempfile.TemporaryDirectory() as temporary, ThreadPoolExecutor(args.jobs) as pool:
        home = args.keep or Path(temporary)
        results = list(pool.map(lambda run: run_pipeline(run, home / f"{run.level}-{run.seed}", args.jobs), runs))
    print(f"| level | seed | minutes | {' | '.join(f'{s} {c}' for s in SETTINGS for c in Category)} |")
    print("| --- | ---: | ---: |" + " --- |" * (len(SETTINGS) * len(Category)))
    for run, (minutes, headline) in zip(runs, results, strict=True):
        cells = (cell(headline[setting][category]) for setting in SETTINGS for category in Category)
        print(f"| {run.level} | {run.seed} | {minutes:.1f} | {' | '.join(cells)} |")
    passed = (passes(headline) for run, (_, headline) in zip(runs, results, strict=True) if run.level == "catalogue")
    return 0 if all(passed) else 1


def run_pipeline(run: Run, root: Path, jobs: int) -> tuple[float, dict]:
    """Run the pipeline, and return its minutes and the headline of its metrics.json."""
    root.mkdir(parents=True, exist_ok=True)
    yaml = YAML()
    parameters = yaml.load(Path("params/default.yaml").read_text())
    parameters["seed"] = run.seed
    parameters["download"]["synthetic"]["difficulty"] = run.level
    yaml.dump(parameters, root / "params.yaml")
    limits = {"TRYON_THREADS": "1", "TRYON_WORKERS": "1", "OMP_NUM_THREADS": "1"} if jobs > 1 else {}
    since = time.monotonic()
    for step in ("refresh-inputs", *STAGES):
        command = [sys.executable, "-m", "tryon", step, "--root", str(root)]
        done = subprocess.run(command, env={**os.environ, **limits}, capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(f"{run}: {step} failed:\n{done.stderr}")
    log_line(f"{run.level}, seed {run.seed}: done")
    return (time.monotonic() - since) / 60, json.loads((root / "data/evaluation/metrics.json").read_text())["summary"]


def cell(numbers: dict[str, float]) -> str:
    """Format the ratios to the baselines of `GATES`."""
    return " / ".join(f"{numbers[gate]:.2f}" for gate in GATES)


def passes(headline: dict) -> bool:
    rows = (headline[setting][category] for setting in SETTINGS for category in Category)
    return all(row[gate] <= limit for row in rows for gate, limit in GATES.items())


if __name__ == "__main__":
    raise SystemExit(main())
