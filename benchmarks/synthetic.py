"""Measure the cost of synthetic items next to the cost of encoding their finished images alone.

Run `python benchmarks/synthetic.py [--items 12] [--rounds 3] [--scaling 60] [--memory 400]`. Everything is 1024x768.
Rendering and encoding alternate item by item on one thread. Printed are median CPU milliseconds, pairs per second of
one core, and the median ratios to encoding with this project's encoders (`own`) and with common ones (`ref`: OpenCV,
Pillow for the palette, `np.savez_compressed`); ratios depend far less on machine load. Scaling is wall and CPU time,
over all processes, of an archive written by one and by two processes. Memory is the current and peak resident size of
one process after 100, 400, 1600 and 3000 items, up to `--memory`.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import resource
import statistics
import tempfile
import time
from collections.abc import Callable
from multiprocessing import get_context
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
from PIL import Image

from tryon.categories import Category
from tryon.config.download import SyntheticSettings
from tryon.dresscode.layout import HEIGHT, WIDTH
from tryon.dresscode.pose import SKELETON_STROKE, draw_pose
from tryon.imaging.png_encoder import encode_gray, encode_palette, label_palette
from tryon.runtime.progress import no_progress
from tryon.synthetic.archive import write_archive
from tryon.synthetic.garments.cloth import garment_image, lay_flat
from tryon.synthetic.ground_truth_io import encode_flow, encode_uv
from tryon.synthetic.item_files import (
    RenderOptions,
    encode_jpeg,
    encode_keypoints,
    make_item,
    sample_item_garment,
    sample_item_person,
)
from tryon.synthetic.render import RenderedPerson, render_person

SEED = 7
MEMORY_STEPS = (100, 400, 1600, 3000)
OPTIONS = {"default": RenderOptions(), "everything": RenderOptions(uv=True, flow=True, parsing_noise_fraction=1.0)}


class Finished(NamedTuple):
    """A rendered item before encoding."""

    image: RenderedPerson
    photos: tuple[np.ndarray, ...]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--items", type=int, default=12, help="items per category")
    parser.add_argument("--rounds", type=int, default=3, help="repetitions")
    parser.add_argument("--scaling", type=int, default=60, help="training pairs of the archives for scaling; 0: skip")
    parser.add_argument("--memory", type=int, default=400, help="items rendered to measure memory; 0: skip")
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    print(f"{'':24} {'ms':>7} {'pairs/s':>8} {'own ms':>8} {'x own':>7} {'ref ms':>9} {'x ref':>8}")
    for name, options in OPTIONS.items():
        for category in Category:
            report(name, options, category, arguments.items, arguments.rounds)
    if arguments.scaling:
        report_scaling(arguments.scaling, arguments.rounds)
    if arguments.memory:
        report_memory(arguments.memory)


def report(name: str, options: RenderOptions, category: Category, items: int, rounds: int) -> None:
    finished = [render(category, number, options) for number in range(items)]
    variants: list[Callable[[int], object]] = [
        lambda number: make_item(SEED, category, number, f"{number:06d}", options),
        lambda number: encode_own(finished[number]),
        lambda number: encode_reference(finished[number]),
    ]
    times: list[list[float]] = [[] for _ in variants]
    for _ in range(rounds):
        for number in range(items):
            for variant_times, run in zip(times, variants, strict=True):
                start = time.process_time()
                run(number)
                variant_times.append((time.process_time() - start) * 1000)
    total, own, reference = (statistics.median(variant_times) for variant_times in times)
    to_own, to_reference = (
        statistics.median(a / b for a, b in zip(times[0], baseline, strict=True)) for baseline in times[1:]
    )
    title = f"{name}, {category}"
    print(f"{title:24} {total:7.1f} {1000 / total:8.1f} {own:8.1f} {to_own:7.2f} {reference:9.1f} {to_reference:8.2f}")


def render(category: Category, number: int, options: RenderOptions) -> Finished:
    flat = lay_flat(sample_item_garment(SEED, category, number))
    image = render_person(sample_item_person(SEED, category, number), flat, options.uv or options.flow)
    skeleton = draw_pose(image.keypoints.astype(np.float32), (HEIGHT, WIDTH), SKELETON_STROKE)
    return Finished(image, (image.photo, garment_image(flat), skeleton))


def encode_own(finished: Finished) -> list[bytes]:
    image = finished.image
    files = [encode_jpeg(photo) for photo in finished.photos]
    files += [encode_palette(image.label_map), encode_gray(image.dense_pose), encode_keypoints(image.keypoints)]
    if image.truth:
        files += [encode_uv(image.truth.uv), encode_flow(image.truth.flow, image.truth.cover)]
        files.append(encode_palette(image.label_map))  # parsing noise adds a clean label map
    return files


def encode_reference(finished: Finished) -> list[Any]:
    image = finished.image
    quality = [cv2.IMWRITE_JPEG_QUALITY, 95]
    files: list[Any] = [cv2.imencode(".jpg", cv2.cvtColor(p, cv2.COLOR_RGB2BGR), quality) for p in finished.photos]
    files += [palette_png(image.label_map), cv2.imencode(".png", image.dense_pose)]
    files.append(json.dumps({"keypoints": image.keypoints.tolist()}))
    if image.truth:
        stream = io.BytesIO()
        np.savez_compressed(stream, uv=np.moveaxis(image.truth.uv, -1, 0))
        units = np.dstack([image.truth.cover, image.truth.flow[..., ::-1] * 32]).astype(np.uint16)
        files += [stream, cv2.imencode(".png", units), palette_png(image.label_map)]
    return files


def palette_png(labels: np.ndarray) -> io.BytesIO:
    stream, image = io.BytesIO(), Image.fromarray(labels)
    image.putpalette(label_palette())
    image.save(stream, "PNG")
    return stream


def report_scaling(pairs: int, rounds: int) -> None:
    images = 3 * (pairs + 2) + 3 * 2
    print(f"\narchive of {images} images; wall time needs an otherwise idle machine")
    times: dict[int, list[tuple[float, float]]] = {1: [], 2: []}
    settings = SyntheticSettings(train_pairs=pairs, test_pairs=2)
    for _ in range(rounds):
        for workers, worker_times in times.items():
            os.environ["TRYON_WORKERS"] = str(workers)
            with tempfile.TemporaryDirectory() as folder:
                wall_start, cpu_start = time.perf_counter(), cpu_seconds()
                write_archive(Path(folder) / "synthetic.zip", settings, SEED, no_progress)
                worker_times.append((time.perf_counter() - wall_start, cpu_seconds() - cpu_start))
    for workers, worker_times in times.items():
        wall, cpu = (statistics.median(column) for column in zip(*worker_times, strict=True))
        speedup = statistics.median(a / b for (a, _), (b, _) in zip(times[1], worker_times, strict=True))
        print(
            f"  {workers} processes {wall:7.1f} s, speedup {speedup:5.2f}, {1000 * cpu / images:6.1f} CPU ms per image"
        )


def cpu_seconds() -> float:
    """Return the CPU time of this process and its finished children."""
    usage = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(times.ru_utime + times.ru_stime for times in usage)


def report_memory(items: int) -> None:
    print("\nmemory of one process that renders and writes, MiB resident (peak)")
    for name, options in OPTIONS.items():
        with get_context("spawn").Pool(1) as pool:
            print(f"  {name:12} {pool.apply(measure_memory, (options, items))}")


def measure_memory(options: RenderOptions, items: int) -> str:
    os.environ["TRYON_WORKERS"] = "1"
    sizes: dict[int, tuple[float, float]] = {}

    def progress(done: int, total: int, what: str) -> None:
        if done in (*MEMORY_STEPS, items):
            sizes[done] = (resident("VmRSS"), resident("VmHWM"))

    settings = SyntheticSettings(
        train_pairs=-(-items // 3),
        test_pairs=2,
        uv=options.uv,
        flow=options.flow,
        parsing_noise_fraction=options.parsing_noise_fraction,
    )
    with tempfile.TemporaryDirectory() as folder:
        write_archive(Path(folder) / "synthetic.zip", settings, SEED, progress)
    return ", ".join(f"{current:.0f} ({peak:.0f}) after {done}" for done, (current, peak) in sorted(sizes.items()))


def resident(key: str) -> float:
    """Return MiB from /proc; `ru_maxrss` would start at the value of the parent process."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(key))


if __name__ == "__main__":
    main()
