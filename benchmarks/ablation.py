"""Ablation of fine-tuning settings: one change at a time, trained and scored on synthetic Dress Code.

    python -m benchmarks.ablation --data data --home FOLDER [--variants default flip_off ...] [--seeds 7 8] [--jobs 1]
    python -m benchmarks.ablation --home FOLDER --table [--curves docs/scratch_or_finetuned.csv]

Every variant is the `finetune` section of params.yaml with one change, trained from the starting point and on the
subset of a finished run. The seed affects row order and augmentation only, so the spread of `default` over its seeds is
the noise of a gain. Scores are L1 (0..1) of the best checkpoint on the test rows: inside the garment, by category, by
pattern and in the neckline band, on the run's level and on the unseen level `wild`. Each run is a process; finished
results in FOLDER/results/ are reused.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from ruamel.yaml import YAML

from tryon.categories import Category
from tryon.config.parameters import load_parameters
from tryon.console import log_line
from tryon.finetune.stage import finetune
from tryon.loading.batch_loader import load_batches
from tryon.loading.packed_dataset import TRAINING_COLUMNS, PackedDataset
from tryon.loading.transforms import denormalize, prepare
from tryon.metrics.regions import neckline_band
from tryon.pretrain.stage import pretrain
from tryon.runtime.atomic_files import write_text
from tryon.runtime.progress import no_progress
from tryon.training.checkpoint import load_network
from tryon.training.training_log import VALIDATION_COLUMNS, read_history
from tryon.workspace import Workspace

MOVED: dict[str, Any] = {"person_affine_prob": 0.5, "garment_affine_prob": 0.5}
VARIANTS: dict[str, dict[str, Any]] = {
    "default": {},
    "flip_off": {"flip_prob": 0.0},
    "color_jitter_prob": {"augment": {"color_jitter_prob": 0.5}},
    "person_affine_prob": {"augment": {**MOVED}},
    "background_prob": {"augment": {"background_prob": 0.3}},
    "mask_dilate_prob": {"augment": {"mask_dilate_prob": 0.5}},
    "all_augmentation": {
        "augment": {**MOVED, "color_jitter_prob": 0.5, "background_prob": 0.3, "mask_dilate_prob": 0.5}
    },
    "freeze_bn_stats": {"freeze_bn_stats": True},
    "ema": {"ema_decay": 0.99},
    "image_gradient": {"loss": {"image_gradient": 1.0}},
    "flow_smoothness": {"loss": {"flow_smoothness": 0.1}},
    "scale_power_0": {"loss": {"scale_weight_exponent": 0.0}},
    "scale_power_2": {"loss": {"scale_weight_exponent": 2.0}},
    "flip_off_scale_power_2": {"flip_prob": 0.0, "loss": {"scale_weight_exponent": 2.0}},
    "scratch": {},
    "scratch_7_epochs": {"epochs": 7},
}
"""Changes of the finetune section. `scratch` starts from an untrained network with the same steps; with a seventh epoch
it has slightly more than the default's two stages together."""

STARTS = ("default", "scratch", "scratch_7_epochs")
"""Variants whose curves show the effect of the starting point."""

PATTERNS = {
    "plain": "plain",
    **dict.fromkeys(("stripes", "uneven_stripes", "two_stripes", "breton", "pinstripes"), "striped"),
}
"""Slices of patterns; others are `printed`."""

Scores = dict[str, dict[str, float]]
"""Mean L1 by test set (`catalogue paired`, ...) and slice (`all`, `dresses`, `striped`, `neckline`)."""


def main() -> int:
    parser = argparse.ArgumentParser(description="Ablation of fine-tuning settings.")
    parser.add_argument("--home", type=Path, required=True, help="folder of runs and results")
    parser.add_argument("--data", type=Path, default=Path("data"), help="of a finished run: subset and pretrained")
    parser.add_argument("--params", type=Path, default=Path("params.yaml"), help="of that run")
    parser.add_argument("--variants", nargs="+", choices=VARIANTS, default=list(VARIANTS))
    parser.add_argument("--seeds", nargs="+", type=int, default=[7])
    parser.add_argument("--jobs", type=int, default=1, help="number of parallel runs, each with one thread")
    parser.add_argument("--table", action="store_true", help="only print existing results")
    parser.add_argument("--curves", type=Path, help="with --table, write the validation curves of STARTS to this csv")
    parser.add_argument("--in-process", action="store_true", help="run in this process")
    args = parser.parse_args()
    if args.table:
        print_table(args.home)
        if args.curves:
            write_curves(args.home, args.curves)
        return 0
    prepare_home(args)
    runs = [(variant, seed) for seed in args.seeds for variant in args.variants]
    runs = [run for run in runs if not result_file(args.home, *run).is_file()]
    if args.in_process:
        for variant, seed in runs:
            train_and_score(args.home, variant, seed)
        return 0
    with ThreadPoolExecutor(args.jobs) as pool:
        codes = list(pool.map(lambda run: run_in_subprocess(args.home, *run), runs))
    print_table(args.home)
    return max(codes, default=0)


def prepare_home(args: argparse.Namespace) -> None:
    """Copy the inputs of all runs, and create the test rows of the level `wild`."""
    home: Path = args.home
    if (home / "wild" / "data" / "subset").is_dir():
        return
    (home / "wild").mkdir(parents=True, exist_ok=True)
    write_text(home / "params.yaml", args.params.read_text())
    for name in ("subset", "pretrained"):
        subprocess.run(["cp", "-r", str(args.data / name), str(home / name)], check=True)
    yaml = YAML()
    parameters = yaml.load((home / "params.yaml").read_text())
    parameters["seed"] += 1000  # no person or garment of the training rows
    parameters["download"]["synthetic"] |= {"difficulty": "wild", "train_pairs": 2}
    with (home / "wild" / "params.yaml").open("w") as stream:
        yaml.dump(parameters, stream)
    for step in ("refresh-inputs", "download", "agnostic", "sample"):
        subprocess.run([sys.executable, "-m", "tryon", step, "--root", str(home / "wild")], check=True)


def run_in_subprocess(home: Path, variant: str, seed: int) -> int:
    """Run in a subprocess, and return its exit code."""
    command = [sys.executable, "-m", "benchmarks.ablation", "--home", str(home), "--in-process"]
    threads = {"OMP_NUM_THREADS": "1", "TRYON_THREADS": "1"}
    command += ["--variants", variant, "--seeds", str(seed)]
    return subprocess.run(command, env={**os.environ, **threads}, check=False).returncode


def result_file(home: Path, variant: str, seed: int) -> Path:
    """Return the result file of a run."""
    return home / "results" / f"{variant}-{seed}.json"


def train_and_score(home: Path, variant: str, seed: int) -> None:
    """Train a variant, score its best checkpoint, and write the result."""
    parameters = load_parameters(home / "params.yaml")
    workspace = Workspace(home / "runs" / f"{variant}-{seed}")
    workspace.data.mkdir(parents=True, exist_ok=True)
    if not (workspace.data / "subset").exists():
        (workspace.data / "subset").symlink_to((home / "subset").resolve())
    if variant.startswith("scratch"):
        untrained = parameters.pretrain.model_copy(update={"init_from": "scratch", "epochs": 0})
        pretrain(untrained, seed, workspace, no_progress)
    elif not workspace.pretrained.exists():
        workspace.pretrained.symlink_to((home / "pretrained").resolve())
    settings = type(parameters.finetune).model_validate(
        override(parameters.finetune.model_dump(mode="json"), VARIANTS[variant])
    )
    since = time.process_time()
    finetune(settings, seed, workspace, no_progress)
    seconds = time.process_time() - since
    result = {
        "variant": variant,
        "seed": seed,
        "cpu_seconds": round(seconds, 1),
        "history": read_history(workspace.checkpoints / "history.csv"),
        "scores": score_run(workspace, home),
    }
    result_file(home, variant, seed).parent.mkdir(exist_ok=True)
    write_text(result_file(home, variant, seed), json.dumps(result, indent=1) + "\n")
    log_line(
        f"{variant}, seed {seed}: {result['scores']['catalogue unpaired']['all']:.4f} in {seconds:.0f} s of CPU time"
    )


def override(settings: dict[str, Any], change: dict[str, Any]) -> dict[str, Any]:
    """Replace settings, recursively in sections."""
    inner = {key: override(settings[key], value) for key, value in change.items() if isinstance(value, dict)}
    return {**settings, **change, **inner}


def score_run(workspace: Workspace, home: Path) -> Scores:
    """Score a run's best checkpoint."""
    network = load_network(workspace.checkpoints / "best.ckpt")
    levels = {"catalogue": home / "subset", "wild": home / "wild" / "data" / "subset"}
    return {
        f"{level} {setting}": score(network, folder / f"test_{setting}.arrow", setting)
        for level, folder in levels.items()
        for setting in ("paired", "unpaired")
    }


def score(network: torch.nn.Module, path: Path, setting: str) -> dict[str, float]:
    """Compute mean L1 of a test set: inside the garment by slice, in the neckline band, and outside."""
    truth = ("person", "garment_mask") if setting == "paired" else ("truth", "truth_garment_mask")
    rows = PackedDataset.read(path, (*TRAINING_COLUMNS, "truth", "truth_garment_mask", "pattern"))
    values_by_slice: dict[str, list[float]] = defaultdict(list)
    for index, result in enumerate(results(network, rows)):
        garment = rows.mask(truth[1], index)
        regions = {"garment": garment, "outside": ~garment}
        category = rows.categories[index]
        if category != Category.LOWER_BODY:
            regions["neckline"] = neckline_band(garment, rows.keypoints(index))
        difference = np.abs(result.astype(np.int16) - rows.image(truth[0], index)).mean(-1) / 255
        values = {name: float(difference[region].mean()) for name, region in regions.items() if region.any()}
        for name in ("all", category, PATTERNS.get(rows.text("pattern", index), "printed")):
            values_by_slice[name].append(values["garment"])
        for name in values.keys() - {"garment"}:
            values_by_slice[name].append(values[name])
    return {str(name): round(statistics.fmean(value), 5) for name, value in sorted(values_by_slice.items())}


def results(network: torch.nn.Module, rows: PackedDataset, batch_size: int = 8) -> Iterator[NDArray[np.uint8]]:
    """Yield the network's result for each row, uint8 (H, W, 3)."""
    starts = range(0, len(rows), batch_size)
    for batch in load_batches(rows, [np.arange(start, min(start + batch_size, len(rows))) for start in starts]):
        inputs = prepare(batch)
        with torch.inference_mode():
            result = network(inputs.reference, inputs.garment, inputs.agnostic)
        yield from np.ascontiguousarray(denormalize(result).permute(0, 2, 3, 1).numpy())


def read_results(home: Path) -> dict[str, list[dict[str, Any]]]:
    """Read results by variant, in the order of `VARIANTS` and seeds."""
    loaded = [json.loads(path.read_text()) for path in sorted((home / "results").glob("*.json"))]
    by_variant = {name: [result for result in loaded if result["variant"] == name] for name in VARIANTS}
    return {name: results for name, results in by_variant.items() if results}


def write_curves(home: Path, path: Path) -> None:
    """Write validation L1 of the variants in `STARTS` by epoch and by optimizer steps of both stages."""
    pretrain_steps = read_history(home / "pretrained" / "history.csv")[-1]["step"] or 0
    lines = [",".join(("variant", "seed", "epoch", "step", *VALIDATION_COLUMNS))]
    for name, results in read_results(home).items():
        for result in results if name in STARTS else ():
            offset = 0 if name.startswith("scratch") else pretrain_steps
            for row in result["history"]:
                cells = (name, result["seed"], f"{row['epoch']:.0f}", f"{row['step'] + offset:.0f}")
                lines.append(",".join(map(str, (*cells, *(row[column] for column in VALIDATION_COLUMNS)))))
    write_text(path, "\n".join(lines) + "\n")


def print_table(home: Path) -> None:
    """Print means over seeds in thousandths by variant, and the spread of the default."""
    by_variant = read_results(home)
    if not by_variant:
        log_line("no results yet")
        return
    columns = [(test, over) for test, scores in by_variant["default"][0]["scores"].items() for over in scores]
    for tests in sorted({test for test, _ in columns}):
        slices = [over for test, over in columns if test == tests]
        print(f"\n| {tests} | seeds | {' | '.join(slices)} | CPU s |\n| --- |{' --- |' * (len(slices) + 2)}")
        for name, results in by_variant.items():
            cells = [1000 * statistics.mean(result["scores"][tests][over] for result in results) for over in slices]
            seconds = statistics.median(result["cpu_seconds"] for result in results)
            print(f"| {name} | {len(results)} | {' | '.join(f'{cell:.1f}' for cell in cells)} | {seconds:.0f} |")
        spread = [[1000 * result["scores"][tests][over] for result in by_variant["default"]] for over in slices]
        print(f"| default, range | | {' | '.join(f'{max(values) - min(values):.1f}' for values in spread)} | |")


if __name__ == "__main__":
    raise SystemExit(main())
