"""The twin side by side with the floor: what an item costs, and what encoding its finished images alone costs.

Run `python benchmarks/twin.py [--items 12] [--rounds 3] [--scaling 60] [--memory 400]`. Everything is 1024x768. Making
and encoding take every item in turn, on one thread, in CPU time; printed are median milliseconds, pairs per second of
one core, and the medians of the ratios to both floors, which machine load moves far less. `ours` are this project's
encoders, `usual` the ones that come to hand: OpenCV, Pillow for the palette, `np.savez_compressed`. Scaling is wall
time and CPU time, of all processes together, of a whole archive with one and with two of them; memory is what one
process has in use, and had at most, after 100, 400, 1600 and 3000 items, as far as `--memory` goes.
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
from tryon.synthetic.item_files import RenderOptions, encode_jpeg, encode_keypoints, figure_of, garment_of, make_item
from tryon.synthetic.render import RenderedPerson, render_person

SEED = 7
WATCHED = (100, 400, 1600, 3000)
CONTENTS = {"default": RenderOptions(), "everything": RenderOptions(uv=True, flow=True, parsing_noise_fraction=1.0)}


class Finished(NamedTuple):
    """All that an item's files hold, drawn and not yet encoded."""

    image: RenderedPerson
    photos: tuple[np.ndarray, ...]


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--items", type=int, default=12, help="items per category")
    arguments.add_argument("--rounds", type=int, default=3, help="times that each is made")
    arguments.add_argument(
        "--scaling", type=int, default=60, help="training pairs of the archives for scaling; 0: none"
    )
    arguments.add_argument("--memory", type=int, default=400, help="items made to watch the memory; 0: none")
    chosen = arguments.parse_args()
    cv2.setNumThreads(1)
    print(f"{'':24} {'ms':>7} {'pairs/s':>8} {'ours ms':>8} {'x ours':>7} {'usual ms':>9} {'x usual':>8}")
    for name, content in CONTENTS.items():
        for category in Category:
            report(name, content, category, chosen.items, chosen.rounds)
    if chosen.scaling:
        scaling(chosen.scaling, chosen.rounds)
    if chosen.memory:
        memory(chosen.memory)


def report(name: str, content: RenderOptions, category: Category, items: int, rounds: int) -> None:
    finished = [finish(category, number, content) for number in range(items)]
    variants: list[Callable[[int], object]] = [
        lambda number: make_item(SEED, category, number, f"{number:06d}", content),
        lambda number: encode_ours(finished[number]),
        lambda number: encode_usual(finished[number]),
    ]
    spent: list[list[float]] = [[] for _ in variants]
    for _ in range(rounds):
        for number in range(items):
            for times, work in zip(spent, variants, strict=True):
                since = time.process_time()
                work(number)
                times.append((time.process_time() - since) * 1000)
    whole, ours, usual = (statistics.median(times) for times in spent)
    to_ours, to_usual = (
        statistics.median(a / b for a, b in zip(spent[0], floor, strict=True)) for floor in (spent[1], spent[2])
    )
    title = f"{name}, {category}"
    print(f"{title:24} {whole:7.1f} {1000 / whole:8.1f} {ours:8.1f} {to_ours:7.2f} {usual:9.1f} {to_usual:8.2f}")


def finish(category: Category, number: int, content: RenderOptions) -> Finished:
    flat = lay_flat(garment_of(SEED, category, number))
    image = render_person(figure_of(SEED, category, number), flat, content.uv or content.flow)
    skeleton = draw_pose(image.keypoints.astype(np.float32), (HEIGHT, WIDTH), SKELETON_STROKE)
    return Finished(image, (image.photo, garment_image(flat), skeleton))


def encode_ours(finished: Finished) -> list[bytes]:
    image = finished.image
    files = [encode_jpeg(photo) for photo in finished.photos]
    files += [encode_palette(image.label_map), encode_gray(image.dense_pose), encode_keypoints(image.keypoints)]
    if image.truth:
        files += [encode_uv(image.truth.uv), encode_flow(image.truth.flow, image.truth.cover)]
        files.append(encode_palette(image.label_map))  # with a parser's errors there are two
    return files


def encode_usual(finished: Finished) -> list[Any]:
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


def scaling(pairs: int, rounds: int) -> None:
    made = 3 * (pairs + 2) + 3 * 2
    print(f"\narchive of {made} images; its wall time needs a machine with nothing else to do")
    took: dict[int, list[tuple[float, float]]] = {1: [], 2: []}
    settings = SyntheticSettings(train_pairs=pairs, test_pairs=2)
    for _ in range(rounds):
        for workers, times in took.items():
            os.environ["TRYON_WORKERS"] = str(workers)
            with tempfile.TemporaryDirectory() as folder:
                since, spent = time.perf_counter(), cpu_seconds()
                write_archive(Path(folder) / "twin.zip", settings, SEED, no_progress)
                times.append((time.perf_counter() - since, cpu_seconds() - spent))
    for workers, times in took.items():
        wall, cpu = (statistics.median(column) for column in zip(*times, strict=True))
        gain = statistics.median(alone / other for (alone, _), (other, _) in zip(took[1], times, strict=True))
        print(f"  {workers} processes {wall:7.1f} s, {gain:5.2f} times one; {1000 * cpu / made:6.1f} ms of CPU a image")


def cpu_seconds() -> float:
    """Of this process and of all that it started and that have ended."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def memory(items: int) -> None:
    print("\nmemory of one process that makes and writes, MiB in use (at most)")
    for name, content in CONTENTS.items():
        with get_context("spawn").Pool(1) as pool:
            print(f"  {name:12} {pool.apply(in_use, (content, items))}")


def in_use(content: RenderOptions, items: int) -> str:
    os.environ["TRYON_WORKERS"] = "1"
    seen: dict[int, tuple[float, float]] = {}

    def progress(done: int, total: int, what: str) -> None:
        if done in (*WATCHED, items):
            seen[done] = (resident("VmRSS"), resident("VmHWM"))

    pairs = -(-items // 3)
    settings = SyntheticSettings(
        train_pairs=pairs,
        test_pairs=2,
        uv=content.uv,
        flow=content.flow,
        parsing_noise_fraction=content.parsing_noise_fraction,
    )
    with tempfile.TemporaryDirectory() as folder:
        write_archive(Path(folder) / "twin.zip", settings, SEED, progress)
    return ", ".join(f"{now:.0f} ({most:.0f}) after {done}" for done, (now, most) in sorted(seen.items()))


def resident(what: str) -> float:
    """MiB. Not `ru_maxrss`, which a new process has from the one that started it."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(what))


if __name__ == "__main__":
    main()
