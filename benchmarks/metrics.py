"""Metrics in one streaming pass beside one torchmetrics call per metric and region: time, memory, and the same numbers.

    python -m benchmarks.metrics --pairs 5400 --sample 12

Pairs are catalogue people of the synthetic twin at 512x384, with their garment masks and key points: a few dozen
different ones, scored over and over, each time with other noise. Metrics are those that need no weights (SSIM, MS-SSIM,
PSNR, L1), each over the image, the garment, the rest and the neckline band.

The pass takes all pairs. The other ways would take hours, so they take a sample of them, in turn with the pass, and
ratios are medians over the same pairs. Times are CPU times, on one thread. Numbers are compared in float64, since
torchmetrics' own float32 is off by more than ours.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks import published_metrics
from tryon.categories import Category
from tryon.dresscode.labels import GARMENT_LABELS
from tryon.metrics import METRICS
from tryon.metrics.metric import Measure
from tryon.metrics.pairwise import score_pairs
from tryon.metrics.regions import Regions, regions_of
from tryon.runtime.process_pool import raise_mmap_threshold
from tryon.scoring.row_scores import RowScores
from tryon.synthetic.item_files import figure_of, garment_of, lay_flat
from tryon.synthetic.render import render_person

SIZE = (512, 384)
AT_ONCE = 8
STAINS = 17  # a prime: every person meets all of them


@dataclass(frozen=True)
class Pairs:
    """A batch: results, true images uint8 (N, H, W, 3), regions bool (N, H, W)."""

    results: NDArray[np.uint8]
    targets: NDArray[np.uint8]
    regions: Regions


def scenes(count: int) -> tuple[NDArray[np.uint8], NDArray[np.bool_], NDArray[np.float32]]:
    """People of the twin: images (N, H, W, 3), garments (N, H, W), key points (N, 18, 3) in pixels of H x W."""
    people, garments, joints = [], [], []
    for number in range(count):
        category = list(Category)[number % 3]
        figure, garment = figure_of(7, category, number), garment_of(7, category, number)
        image = render_person(figure, lay_flat(garment))
        people.append(cv2.resize(image.photo, SIZE[::-1], interpolation=cv2.INTER_AREA))
        labels = cv2.resize(image.label_map, SIZE[::-1], interpolation=cv2.INTER_NEAREST)
        garments.append(np.isin(labels, GARMENT_LABELS[category]))
        scale = np.array([SIZE[1] / image.photo.shape[1], SIZE[0] / image.photo.shape[0], 1])
        joints.append(image.keypoints * scale)
    return np.array(people, np.uint8), np.array(garments, np.bool_), np.array(joints, np.float32)


def batches(
    people: NDArray[np.uint8], garments: NDArray[np.bool_], joints: NDArray[np.float32], pairs: int
) -> Iterator[Pairs]:
    """Pairs in batches; a result is its true image with a soft stain and noise, another one than the last time."""
    random = np.random.default_rng(1)
    stains = random.normal(0, 25, (STAINS, 8, 6, 3)).astype(np.float32)
    noise = random.integers(-6, 7, (STAINS, *SIZE, 3), np.int16)
    faults = [cv2.resize(stain, SIZE[::-1]).astype(np.int16) + own for stain, own in zip(stains, noise, strict=True)]
    for start in range(0, pairs, AT_ONCE):
        numbers = np.arange(start, min(start + AT_ONCE, pairs))
        chosen = numbers % len(people)
        targets = people[chosen]
        drawn = [faults[number % STAINS] for number in numbers]
        results = [cv2.add(target, own, dtype=cv2.CV_8U) for target, own in zip(targets, drawn, strict=True)]
        yield Pairs(np.array(results, np.uint8), targets, regions_of(garments[chosen], joints[chosen]))


def measures() -> dict[str, Measure]:
    """Ours, of those that the other side has."""
    return {name: METRICS[name].measure(None, "cpu") for name in published_metrics.METRICS}  # pyright: ignore


def tensors(
    pairs: Pairs, row: int, dtype: torch.dtype = torch.float32
) -> tuple[torch.Tensor, torch.Tensor, dict[str, torch.Tensor | None]]:
    """One pair as the library takes it."""
    whole = (torch.from_numpy(own[row]).permute(2, 0, 1)[None] for own in (pairs.results, pairs.targets))
    result, target = (own.to(dtype) / 255 for own in whole)
    regions = {name: None if own is None else torch.from_numpy(own[row]) for name, own in pairs.regions.items()}
    return result, target, regions


def naive(pairs: Pairs, dtype: torch.dtype = torch.float32) -> dict[str, list[float]]:
    """One call for every metric and region."""
    found: dict[str, list[float]] = {}
    for row in range(len(pairs.results)):
        result, target, regions = tensors(pairs, row, dtype)
        for name, measure in published_metrics.METRICS.items():
            for region, mask in regions.items():
                empty = mask is not None and not mask.any()
                value = float("nan") if empty else measure(result, target, mask)
                found.setdefault(f"{name} {region}", []).append(value)
    return found


def library(pairs: Pairs) -> None:
    """The library's own compute for whole images, all regions left out."""
    for row in range(len(pairs.results)):
        published_metrics.full_maps(*tensors(pairs, row)[:2])


def seconds(run: Callable[[], object]) -> float:
    """CPU time of one run."""
    start = time.process_time()
    run()
    return time.process_time() - start


def compare(sample: list[Pairs]) -> dict[str, float]:
    """Largest relative difference between both sides' numbers, by metric."""
    found: dict[str, float] = {}
    for pairs in sample:
        ours = score_pairs(measures(), pairs.results, pairs.targets, pairs.regions)
        for key, theirs in naive(pairs, torch.float64).items():
            name, region = key.split()
            own = ours[name if region == "image" else f"{name}_{region}"]
            assert np.array_equal(np.isnan(own), np.isnan(theirs)), key
            off = np.nanmax(abs(own / np.array(theirs) - 1), initial=0)
            found[name] = max(found.get(name, 0), float(off))
    return found


def main() -> None:
    """Measure and print one table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=5400)
    parser.add_argument("--sample", type=int, default=12, help="pairs that the other ways take")
    parser.add_argument("--scenes", type=int, default=24)
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    raise_mmap_threshold()
    made = scenes(chosen.scenes)

    own = measures()
    scores, spent, peaks = RowScores(), 0.0, []
    for number, pairs in enumerate(batches(*made, chosen.pairs)):
        start = time.process_time()
        told = score_pairs(own, pairs.results, pairs.targets, pairs.regions)
        scores.add("paired", "model", "dresses", [str(number)] * len(pairs.results), told)
        spent += time.process_time() - start
        peaks.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
    print(f"one pass over {chosen.pairs} pairs: {spent:.1f} s CPU, {1000 * spent / chosen.pairs:.2f} ms a pair")
    tenth = len(peaks) // 10
    print(f"most memory: {peaks[tenth]:.0f} MiB after a tenth of the pairs, {peaks[-1]:.0f} MiB at the end")

    sample = [
        Pairs(pairs.results[row : row + 1], pairs.targets[row : row + 1], {
            name: None if own is None else own[row : row + 1] for name, own in pairs.regions.items()
        })
        for pairs in batches(*made, chosen.sample)
        for row in range(len(pairs.results))
    ]  # fmt: skip
    print("largest relative difference:", {name: f"{off:.1e}" for name, off in compare(sample[:3]).items()})
    ways: dict[str, Callable[[Pairs], object]] = {
        "one pass": lambda pairs: score_pairs(own, pairs.results, pairs.targets, pairs.regions),
        "library, full images": library,
        "one call per metric and region": naive,
    }
    times: dict[str, list[float]] = {name: [] for name in ways}
    for pairs in sample:
        for name, way in ways.items():
            times[name].append(seconds(lambda way=way, pairs=pairs: way(pairs)))

    print("| way | ms a pair | of one pass |\n| --- | --- | --- |")
    for name, taken in times.items():
        ratio = statistics.median(each / base for each, base in zip(taken, times["one pass"], strict=True))
        print(f"| {name} | {1000 * statistics.median(taken):.1f} | {ratio:.2f} |")


if __name__ == "__main__":
    main()
