"""Compare the cost of masks: file floor, manifest rows, exports, and loaders written as published.

Run `python -m benchmarks.agnostic [--items 12] [--rounds 5] [--sizes 512x384]`, or with `--scaling` for many rows.
All variants process every item in turn, from 1024x768 files, on one thread, in CPU time, so that each finds the
caches as another variant left them. Printed are median milliseconds per item and the medians of the ratios to floor and
row, which depend little on machine load. In turn with variants that need ten times its memory, a row finds cold caches,
as in a loader that does other work; a stage that computes only rows takes a fifth less per row.

A row reads label map, DensePose and key points and writes mask and audit. Published loaders cannot compute the mask
alone: an item also reads photo, garment and pose image, resizes them by Pillow's bicubic filter and works on float
maps. `published: loader's item` is that; the two lines above it leave out what a row does not need, down to the mask
alone. See `published_masks` for each.

The floor of a row reads the same files with this project's readers and writes the same mask; `usual readers` does so
with Pillow for the label map and OpenCV for DensePose. The audit runs after the mask on the same parsed person, as in a
row. The floor of an export decodes the photo as the export does and writes two files; the export also reads the
manifest, decodes its mask, verifies the photo's SHA-256, masks the photo, and writes under temporary names.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from itertools import count
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from benchmarks import published_masks
from benchmarks.mask_people import write_index, write_people
from benchmarks.mask_scaling import scaling
from tryon.agnostic.masks.audit import audit_person
from tryon.agnostic.masks.methods import PERSON_METHODS
from tryon.agnostic.masks.parsed_person import ParsedPerson
from tryon.agnostic.process_person import MaskInputs, MaskJob, PersonFiles, person_from_row, process_person, read_inputs
from tryon.agnostic.stage import agnostic
from tryon.categories import Category, Split
from tryon.config.agnostic import AgnosticSettings
from tryon.dresscode.readers import Size, decode_photo
from tryon.export import Format
from tryon.export import render_images as images
from tryon.export.export import parse_size
from tryon.export.plan import plan
from tryon.export.request import ExportRequest
from tryon.export.shards import export_shard
from tryon.manifest import INDEX, MANIFEST, read_table
from tryon.manifest.mask_png import decode_mask, encode_mask
from tryon.runtime.process_pool import raise_mmap_threshold
from tryon.runtime.progress import no_progress
from tryon.workspace import Workspace

SETTINGS = AgnosticSettings.model_validate({"quality_limits": {"max_rejected_fraction": 1.0}})
Times = dict[str, list[float]]


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--items", type=int, default=12, help="people per category")
    arguments.add_argument("--rounds", type=int, default=5, help="times that each is taken")
    arguments.add_argument("--sizes", type=parse_size, nargs="+", default=[(128, 96), (512, 384), (1024, 768)])
    arguments.add_argument("--scaling", action="store_true", help="processes, cost per row and memory instead")
    chosen = arguments.parse_args()
    cv2.setNumThreads(1)
    raise_mmap_threshold()
    with tempfile.TemporaryDirectory() as folder:
        workspace = Workspace(Path(folder))
        if chosen.scaling:
            scaling(workspace)
            return
        for category in Category:
            write_people(workspace, category, chosen.items)
            write_index(workspace, category, chosen.items, chosen.items)
        for size in chosen.sizes:
            for category in Category:
                print(f"\n{category} {size[0]}x{size[1]}{'':25} ms  x floor    x row")
                print_times(rows(category, size, workspace, chosen.rounds), "manifest row")
                print_times(exports(category, size, workspace, chosen.rounds), "export")


def rows(category: Category, size: Size, workspace: Workspace, rounds: int) -> Times:
    """What a manifest row takes, and its parts."""
    making = MaskJob(category, SETTINGS, size, workspace)
    people = [person_from_row(row) for row in read_table(workspace.index(category), INDEX).to_pylist()]
    maps = {person: read_inputs(person, size, workspace) for person in people}
    recipe = PERSON_METHODS[SETTINGS.method]
    scenes = {person: ParsedPerson(*maps[person]) for person in people}
    masks = {person: recipe(category, scenes[person]) for person in people}

    def by(read: Callable[[PersonFiles, Size, Workspace], MaskInputs]) -> Callable[[PersonFiles], object]:
        return lambda person: (read(person, size, workspace), encode_mask(masks[person]))

    def published(way: Callable[[Path, Category, str, Size], object]) -> Callable[[PersonFiles], object]:
        return lambda person: way(workspace.raw, category, person.person_id, size)

    variants: dict[str, Callable[[PersonFiles], object]] = {
        "floor: files read, mask written": by(read_inputs),
        "  by the usual readers": by(usual_maps),
        "manifest row": lambda person: process_person(person, making),
        "  of it the mask": lambda person: recipe(category, ParsedPerson(*maps[person])),
        "  of it the audit": lambda person: audit_person(category, masks[person], scenes[person]),
        "published: mask alone, no photo": published(published_masks.mask_alone),
        "published: agnostic image and mask": published(published_masks.agnostic_and_mask),
        "published: loader's item, 3 photos": published(published_masks.loader_item),
    }
    return timed(variants, people, rounds)


def usual_maps(person: PersonFiles, size: Size, workspace: Workspace) -> MaskInputs:
    """What `read_inputs` gives, by the readers that come to hand."""
    label_map, dense_pose, keypoints = (workspace.raw / file.relative for file in person[1:] if file)
    dense = np.asarray(cv2.imdecode(np.fromfile(dense_pose, np.uint8), cv2.IMREAD_GRAYSCALE))
    dense = cv2.resize(dense, size[::-1], interpolation=cv2.INTER_NEAREST).astype(np.uint8, copy=False)
    points = json.loads(keypoints.read_text())["keypoints"]
    return MaskInputs(published_masks.nearest(label_map, size), dense, np.array(points, np.float32)[:, :3])


def exports(category: Category, size: Size, workspace: Workspace, rounds: int) -> Times:
    """What an exported person takes: photo in, agnostic JPEG and 8-bit mask out as files."""
    agnostic(category, SETTINGS, size, workspace, no_progress)
    people = read_table(workspace.manifest(category), MANIFEST).to_pylist()
    masks = {row["person_id"]: decode_mask(row["mask_png"]) for row in people}
    folder = workspace.work_dir("exports")
    folder.mkdir(parents=True, exist_ok=True)
    jobs = (
        ExportRequest(Format.MASKS, None, folder / f"{category}-{size[0]}-{number}", workspace) for number in count()
    )
    [part] = plan(category, [Split.TRAIN], next(jobs)).parts

    def floor(row: dict[str, Any]) -> None:
        photo = decode_photo((workspace.raw / row["person"]).read_bytes(), size)
        (folder / "agnostic.jpg").write_bytes(images.encode_jpeg(photo))
        (folder / "mask.png").write_bytes(images.encode_mask(masks[row["person_id"]]))

    def published(row: dict[str, Any]) -> None:
        contents = published_masks.agnostic_and_mask(workspace.raw, category, row["person_id"], size)
        for name, content in zip(("mask.png", "agnostic.jpg"), contents, strict=True):
            (folder / name).write_bytes(content)

    def whole(work: Callable[[dict[str, Any]], None]) -> Callable[[None], object]:
        return lambda _: [work(row) for row in people]

    times = timed(
        {
            "floor: photo read, files written": whole(floor),
            "export": lambda _: export_shard(part, next(jobs)),
            "published: agnostic and mask": whole(published),
        },
        [None],
        rounds,
    )
    return {name: [spent / len(people) for spent in values] for name, values in times.items()}


def timed(variants: dict[str, Callable[[Any], object]], items: Sequence[Any], rounds: int) -> Times:
    """Milliseconds of CPU time, by variant: all variants take an item before the next one comes."""
    times: Times = {name: [] for name in variants}
    for _ in range(rounds):
        for item in items:
            for name, work in variants.items():
                since = time.process_time()
                work(item)
                times[name].append((time.process_time() - since) * 1000)
    return times


def print_times(times: Times, row: str) -> None:
    """A line per variant; the first one is the floor."""
    floor = next(iter(times.values()))
    for name, spent in times.items():
        ratios = [statistics.median(a / b for a, b in zip(spent, base, strict=True)) for base in (floor, times[row])]
        print(f"  {name:36} {statistics.median(spent):8.2f} {ratios[0]:8.2f} {ratios[1]:8.2f}")


if __name__ == "__main__":
    main()
