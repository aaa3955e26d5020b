"""Which settings of fine-tuning earn their place: one change at a time, trained and scored on the twin.

    python -m benchmarks.ablation --data data --home FOLDER [--variants default flip_off ...] [--seeds 7 8] [--jobs 1]
    python -m benchmarks.ablation --home FOLDER --table [--curves docs/scratch_or_finetuned.csv]

Every variant is the `finetune` section of params.yaml with one change, trained from the starting point and on the
subset of a finished run; the seed is that of the order and the augmentation, the data stay the same, so the spread of
`default` over its seeds is the noise that a gain has to beat. The scores are L1 (0..1) of the best checkpoint on the
held-out rows: inside the garment, by category, by pattern and in the neckline band, on the run's own level and on
people of the twin's `wild` level, which training never saw. Each run is a process of its own; its result is written
to FOLDER/results/ when it is done and not made again.
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
"""What each variant changes in the finetune section. `scratch` starts from an untrained network and has the same steps
of fine-tuning; with a seventh epoch it has a few more than the default's two stages together."""

STARTS = ("default", "scratch", "scratch_7_epochs")
"""Variants whose curves show what a starting point is worth."""

PATTERNS = {
    "plain": "plain",
    **dict.fromkeys(("stripes", "uneven_stripes", "two_stripes", "breton", "pinstripes"), "striped"),
}
"""Slice of a pattern; all others are `printed`."""

Scores = dict[str, dict[str, float]]
"""Mean L1 by test set (`catalogue paired`, ...) and by what it is over (`all`, `dresses`, `striped`, `neckline`)."""


def main() -> int:
    parser = argparse.ArgumentParser(description="Settings of fine-tuning, one change at a time.")
    parser.add_argument("--home", type=Path, required=True, help="where runs and results lie")
    parser.add_argument("--data", type=Path, default=Path("data"), help="of a finished run: subset and pretrained")
    parser.add_argument("--params", type=Path, default=Path("params.yaml"), help="of that run")
    parser.add_argument("--variants", nargs="+", choices=VARIANTS, default=list(VARIANTS))
    parser.add_argument("--seeds", nargs="+", type=int, default=[7])
    parser.add_argument("--jobs", type=int, default=1, help="runs at once, each with one thread")
    parser.add_argument("--table", action="store_true", help="only print the results that are there")
    parser.add_argument("--curves", type=Path, help="with --table, write the validation curves of STARTS to this csv")
    parser.add_argument("--here", action="store_true", help="run in this process what is asked for")
    chosen = parser.parse_args()
    if chosen.table:
        print_table(chosen.home)
        if chosen.curves:
            write_curves(chosen.home, chosen.curves)
        return 0
    prepare_home(chosen)
    wanted = [(variant, seed) for seed in chosen.seeds for variant in chosen.variants]
    wanted = [run for run in wanted if not result_file(chosen.home, *run).is_file()]
    if chosen.here:
        for variant, seed in wanted:
            trained_and_scored(chosen.home, variant, seed)
        return 0
    with ThreadPoolExecutor(chosen.jobs) as pool:
        codes = list(pool.map(lambda run: run_apart(chosen.home, *run), wanted))
    print_table(chosen.home)
    return max(codes, default=0)


def prepare_home(chosen: argparse.Namespace) -> None:
    """Copy what every run starts from, and make the test rows of the other level."""
    home: Path = chosen.home
    if (home / "wild" / "data" / "subset").is_dir():
        return
    (home / "wild").mkdir(parents=True, exist_ok=True)
    write_text(home / "params.yaml", chosen.params.read_text())
    for name in ("subset", "pretrained"):
        subprocess.run(["cp", "-r", str(chosen.data / name), str(home / name)], check=True)
    yaml = YAML()
    parameters = yaml.load((home / "params.yaml").read_text())
    parameters["seed"] += 1000  # no person or garment of the training rows
    parameters["download"]["synthetic"] |= {"difficulty": "wild", "train_pairs": 2}
    with (home / "wild" / "params.yaml").open("w") as stream:
        yaml.dump(parameters, stream)
    for step in ("refresh-inputs", "download", "agnostic", "sample"):
        subprocess.run([sys.executable, "-m", "tryon", step, "--root", str(home / "wild")], check=True)


def run_apart(home: Path, variant: str, seed: int) -> int:
    """One run in a process of its own; its exit code."""
    command = [sys.executable, "-m", "benchmarks.ablation", "--home", str(home), "--here"]
    threads = {"OMP_NUM_THREADS": "1", "TRYON_THREADS": "1"}
    command += ["--variants", variant, "--seeds", str(seed)]
    return subprocess.run(command, env={**os.environ, **threads}, check=False).returncode


def result_file(home: Path, variant: str, seed: int) -> Path:
    """Where the result of a run lies."""
    return home / "results" / f"{variant}-{seed}.json"


def trained_and_scored(home: Path, variant: str, seed: int) -> None:
    """Train a variant, score its best checkpoint, and write both down."""
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
        changed(parameters.finetune.model_dump(mode="json"), VARIANTS[variant])
    )
    since = time.process_time()
    finetune(settings, seed, workspace, no_progress)
    seconds = time.process_time() - since
    result = {
        "variant": variant,
        "seed": seed,
        "cpu_seconds": round(seconds, 1),
        "history": read_history(workspace.checkpoints / "history.csv"),
        "scores": scored(workspace, home),
    }
    result_file(home, variant, seed).parent.mkdir(exist_ok=True)
    write_text(result_file(home, variant, seed), json.dumps(result, indent=1) + "\n")
    log_line(
        f"{variant}, seed {seed}: {result['scores']['catalogue unpaired']['all']:.4f} in {seconds:.0f} s of CPU time"
    )


def changed(settings: dict[str, Any], change: dict[str, Any]) -> dict[str, Any]:
    """Settings with some of them replaced, also inside sections."""
    inner = {key: changed(settings[key], value) for key, value in change.items() if isinstance(value, dict)}
    return {**settings, **change, **inner}


def scored(workspace: Workspace, home: Path) -> Scores:
    """Scores of a run's best checkpoint."""
    network = load_network(workspace.checkpoints / "best.ckpt")
    levels = {"catalogue": home / "subset", "wild": home / "wild" / "data" / "subset"}
    return {
        f"{level} {setting}": score(network, folder / f"test_{setting}.arrow", setting)
        for level, folder in levels.items()
        for setting in ("paired", "unpaired")
    }


def score(network: torch.nn.Module, path: Path, setting: str) -> dict[str, float]:
    """Mean L1 of one test set: inside the garment for all rows and slices of them, in the neckline band, outside."""
    truth = ("person", "garment_mask") if setting == "paired" else ("truth", "truth_garment_mask")
    rows = PackedDataset.read(path, (*TRAINING_COLUMNS, "truth", "truth_garment_mask", "pattern"))
    found: dict[str, list[float]] = defaultdict(list)
    for index, result in enumerate(results(network, rows)):
        garment = rows.mask(truth[1], index)
        regions = {"garment": garment, "outside": ~garment}
        category = rows.categories[index]
        if category != Category.LOWER_BODY:
            regions["neckline"] = neckline_band(garment, rows.keypoints(index))
        difference = np.abs(result.astype(np.int16) - rows.image(truth[0], index)).mean(-1) / 255
        values = {name: float(difference[region].mean()) for name, region in regions.items() if region.any()}
        for name in ("all", category, PATTERNS.get(rows.text("pattern", index), "printed")):
            found[name].append(values["garment"])
        for name in values.keys() - {"garment"}:
            found[name].append(values[name])
    return {str(name): round(statistics.fmean(value), 5) for name, value in sorted(found.items())}


def results(network: torch.nn.Module, rows: PackedDataset, batch_size: int = 8) -> Iterator[NDArray[np.uint8]]:
    """What the network makes of each row, uint8 (H, W, 3), in their order."""
    starts = range(0, len(rows), batch_size)
    for batch in load_batches(rows, [np.arange(start, min(start + batch_size, len(rows))) for start in starts]):
        inputs = prepare(batch)
        with torch.inference_mode():
            result = network(inputs.reference, inputs.garment, inputs.agnostic)
        yield from np.ascontiguousarray(denormalize(result).permute(0, 2, 3, 1).numpy())


def read_results(home: Path) -> dict[str, list[dict[str, Any]]]:
    """Results by variant, in the order of `VARIANTS` and of the seeds."""
    found = [json.loads(path.read_text()) for path in sorted((home / "results").glob("*.json"))]
    by_variant = {name: [result for result in found if result["variant"] == name] for name in VARIANTS}
    return {name: results for name, results in by_variant.items() if results}


def write_curves(home: Path, path: Path) -> None:
    """Validation L1 of the variants in `STARTS` after each epoch, by optimizer steps of both training stages."""
    before = read_history(home / "pretrained" / "history.csv")[-1]["step"] or 0
    lines = [",".join(("variant", "seed", "epoch", "step", *VALIDATION_COLUMNS))]
    for name, results in read_results(home).items():
        for result in results if name in STARTS else ():
            offset = 0 if name.startswith("scratch") else before
            for row in result["history"]:
                place = (name, result["seed"], f"{row['epoch']:.0f}", f"{row['step'] + offset:.0f}")
                lines.append(",".join(map(str, (*place, *(row[column] for column in VALIDATION_COLUMNS)))))
    write_text(path, "\n".join(lines) + "\n")


def print_table(home: Path) -> None:
    """Means over seeds in thousandths: one line a variant, and the default's spread as the last."""
    found = read_results(home)
    if not found:
        log_line("no results yet")
        return
    columns = [(test, over) for test, scores in found["default"][0]["scores"].items() for over in scores]
    for tests in sorted({test for test, _ in columns}):
        own = [over for test, over in columns if test == tests]
        print(f"\n| {tests} | seeds | {' | '.join(own)} | CPU s |\n| --- |{' --- |' * (len(own) + 2)}")
        for name, results in found.items():
            cells = [1000 * statistics.mean(result["scores"][tests][over] for result in results) for over in own]
            seconds = statistics.median(result["cpu_seconds"] for result in results)
            print(f"| {name} | {len(results)} | {' | '.join(f'{cell:.1f}' for cell in cells)} | {seconds:.0f} |")
        spread = [[1000 * result["scores"][tests][over] for result in found["default"]] for over in own]
        print(f"| default, range | | {' | '.join(f'{max(values) - min(values):.1f}' for values in spread)} | |")


if __name__ == "__main__":
    raise SystemExit(main())
