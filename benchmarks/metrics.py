"""All metrics in one streaming pass compared with one torchmetrics call per metric and region: time, memory, scores.

    python -m benchmarks.metrics --pairs 5400 --sample 12

Pairs are catalogue people of synthetic Dress Code at 512x384 with garment masks and key points: a few dozen people,
each time with other noise. Metrics are those without weights (SSIM, MS-SSIM, PSNR, L1), over all regions.

The pass scores all pairs. The other variants would take hours, so they take turns with the pass on a sample; ratios are
medians over the same pairs. Times are CPU times on one thread. Scores are compared in float64, since torchmetrics'
float32 is less precise than ours.
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
from tryon.metrics.metric import PairwiseScorer
from tryon.metrics.pairwise import score_pairs
from tryon.metrics.regions import Regions, regions_of
from tryon.runtime.process_pool import raise_mmap_threshold
from tryon.scoring.row_scores import RowScores
from tryon.synthetic.item_files import lay_flat, sample_item_garment, sample_item_person
from tryon.synthetic.render import render_person

SIZE = (512, 384)
BATCH_SIZE = 8
STAINS = 17  # a prime, so that every person gets all of them


@dataclass(frozen=True)
class Pairs:
    """A batch: results and ground truth uint8 (N, H, W, 3), regions bool (N, H, W)."""

    results: NDArray[np.uint8]
    targets: NDArray[np.uint8]
    regions: Regions


def scenes(count: int) -> tuple[NDArray[np.uint8], NDArray[np.bool_], NDArray[np.float32]]:
    """Render people: images (N, H, W, 3), garment masks (N, H, W), key points (N, 18, 3) in pixels of H x W."""
    people, garments, joints = [], [], []
    for number in range(count):
        category = list(Category)[number % 3]
        figure, garment = sample_item_person(7, category, number), sample_item_garment(7, category, number)
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
    """Yield batches of pairs; a result is the ground truth with a soft stain and noise that vary by pair."""
    random = np.random.default_rng(1)
    stains = random.normal(0, 25, (STAINS, 8, 6, 3)).astype(np.float32)
    noise = random.integers(-6, 7, (STAINS, *SIZE, 3), np.int16)
    faults = [
        cv2.resize(stain, SIZE[::-1]).astype(np.int16) + grain for stain, grain in zip(stains, noise, strict=True)
    ]
    for start in range(0, pairs, BATCH_SIZE):
        numbers = np.arange(start, min(start + BATCH_SIZE, pairs))
        rows = numbers % len(people)
        targets = people[rows]
        errors = [faults[number % STAINS] for number in numbers]
        results = [cv2.add(target, error, dtype=cv2.CV_8U) for target, error in zip(targets, errors, strict=True)]
        yield Pairs(np.array(results, np.uint8), targets, regions_of(garments[rows], joints[rows]))


def measures() -> dict[str, PairwiseScorer]:
    """Load the metrics that the baseline has."""
    return {name: METRICS[name].measure(None, "cpu") for name in published_metrics.METRICS}  # pyright: ignore


def tensors(
    pairs: Pairs, row: int, dtype: torch.dtype = torch.float32
) -> tuple[torch.Tensor, torch.Tensor, dict[str, torch.Tensor | None]]:
    """Convert one pair to torchmetrics' tensors."""
    images = (torch.from_numpy(batch[row]).permute(2, 0, 1)[None] for batch in (pairs.results, pairs.targets))
    result, target = (image.to(dtype) / 255 for image in images)
    regions = {name: None if masks is None else torch.from_numpy(masks[row]) for name, masks in pairs.regions.items()}
    return result, target, regions


def naive(pairs: Pairs, dtype: torch.dtype = torch.float32) -> dict[str, list[float]]:
    """Call torchmetrics for every metric and region."""
    scores: dict[str, list[float]] = {}
    for row in range(len(pairs.results)):
        result, target, regions = tensors(pairs, row, dtype)
        for name, measure in published_metrics.METRICS.items():
            for region, mask in regions.items():
                empty = mask is not None and not mask.any()
                value = float("nan") if empty else measure(result, target, mask)
                scores.setdefault(f"{name} {region}", []).append(value)
    return scores


def library(pairs: Pairs) -> None:
    """Run torchmetrics on complete images, without regions."""
    for row in range(len(pairs.results)):
        published_metrics.full_maps(*tensors(pairs, row)[:2])


def seconds(run: Callable[[], object]) -> float:
    """Measure the CPU time of one call."""
    start = time.process_time()
    run()
    return time.process_time() - start


def compare(sample: list[Pairs]) -> dict[str, float]:
    """Return the largest relative difference of the scores by metric."""
    differences: dict[str, float] = {}
    for pairs in sample:
        scores = score_pairs(measures(), pairs.results, pairs.targets, pairs.regions)
        for key, expected in naive(pairs, torch.float64).items():
            name, region = key.split()
            values = scores[name if region == "image" else f"{name}_{region}"]
            assert np.array_equal(np.isnan(values), np.isnan(expected)), key
            difference = np.nanmax(abs(values / np.array(expected) - 1), initial=0)
            differences[name] = max(differences.get(name, 0), float(difference))
    return differences


def main() -> None:
    """Measure and print one table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=5400)
    parser.add_argument("--sample", type=int, default=12, help="pairs of the other variants")
    parser.add_argument("--scenes", type=int, default=24)
    args = parser.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    raise_mmap_threshold()
    people = scenes(args.scenes)

    loaded = measures()
    scores, spent, peaks = RowScores(), 0.0, []
    for number, pairs in enumerate(batches(*people, args.pairs)):
        start = time.process_time()
        numbers = score_pairs(loaded, pairs.results, pairs.targets, pairs.regions)
        scores.add("paired", "model", "dresses", [str(number)] * len(pairs.results), numbers)
        spent += time.process_time() - start
        peaks.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
    print(f"one pass over {args.pairs} pairs: {spent:.1f} s CPU, {1000 * spent / args.pairs:.2f} ms a pair")
    tenth = len(peaks) // 10
    print(f"peak memory: {peaks[tenth]:.0f} MiB after a tenth of the pairs, {peaks[-1]:.0f} MiB at the end")

    sample = [
        Pairs(pairs.results[row : row + 1], pairs.targets[row : row + 1], {
            name: None if masks is None else masks[row : row + 1] for name, masks in pairs.regions.items()
        })
        for pairs in batches(*people, args.sample)
        for row in range(len(pairs.results))
    ]  # fmt: skip
    print("largest relative difference:", {name: f"{value:.1e}" for name, value in compare(sample[:3]).items()})
    variants: dict[str, Callable[[Pairs], object]] = {
        "one pass": lambda pairs: score_pairs(loaded, pairs.results, pairs.targets, pairs.regions),
        "library, full images": library,
        "one call per metric and region": naive,
    }
    times: dict[str, list[float]] = {name: [] for name in variants}
    for pairs in sample:
        for name, variant in variants.items():
            times[name].append(seconds(lambda variant=variant, pairs=pairs: variant(pairs)))

    print("| variant | ms per pair | ratio to one pass |\n| --- | --- | --- |")
    for name, durations in times.items():
        ratio = statistics.median(duration / base for duration, base in zip(durations, times["one pass"], strict=True))
        print(f"| {name} | {1000 * statistics.median(durations):.1f} | {ratio:.2f} |")


if __name__ == "__main__":
    main()
