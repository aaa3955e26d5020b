"""Masks side by side: the file floor, this project's manifest rows, and a loader written the published way.

Run `python benchmarks/agnostic.py [--items 12] [--rounds 5]`. Every variant takes every item in turn, on one thread, in
CPU time; printed are median milliseconds and the medians of the ratios, which machine load moves far less.
"""

from __future__ import annotations

import argparse
import io
import json
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageDraw

from tryon.agnostic import agnostic_mask
from tryon.agnostic.audit import audit
from tryon.agnostic.memory import keep_freed_memory
from tryon.agnostic.people import Making, Person, RawFile, mask_person, read_maps
from tryon.agnostic.settings import AgnosticSettings
from tryon.categories import Category
from tryon.dresscode.layout import relative_path
from tryon.dresscode.readers import Size
from tryon.files import sha256_bytes
from tryon.manifest.mask_png import encode_mask
from tryon.synthetic.items import item_files
from tryon.workspace import Workspace

ROLES = ("label_map", "dense_pose", "keypoints")


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--items", type=int, default=12, help="people per category")
    arguments.add_argument("--rounds", type=int, default=5, help="times that each is taken")
    chosen = arguments.parse_args()
    cv2.setNumThreads(1)
    keep_freed_memory()
    with tempfile.TemporaryDirectory() as folder:
        workspace = Workspace(Path(folder))
        for size in ((128, 96), (512, 384), (1024, 768)):
            for category in Category:
                people = [write_item(workspace, category, number) for number in range(chosen.items)]
                report(category, size, people, workspace, chosen.rounds)


def write_item(workspace: Workspace, category: Category, number: int) -> Person:
    """One person of the synthetic twin, on disk; made once."""
    item = f"{number:06d}"
    files = {role: relative_path(role, category, item).as_posix() for role in ROLES}
    if not (workspace.raw / files["label_map"]).exists():
        for relative, data in item_files(0, category, number, item):
            path = workspace.raw / relative
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
    hashed = {role: RawFile(name, sha256_bytes((workspace.raw / name).read_bytes())) for role, name in files.items()}
    return Person(item, hashed["label_map"], hashed["dense_pose"], hashed["keypoints"])


def report(category: Category, size: Size, people: list[Person], workspace: Workspace, rounds: int) -> None:
    making = Making(category, AgnosticSettings(), size, workspace)
    maps = {person: read_maps(person, size, workspace) for person in people}
    masks = {person: agnostic_mask(category, *maps[person]) for person in people}

    def floor(person: Person) -> None:
        read_maps(person, size, workspace)
        encode_mask(masks[person])

    variants: dict[str, Callable[[Person], object]] = {
        "floor: files read, mask written": floor,
        "manifest row": lambda person: mask_person(person, making),
        "  of it the mask": lambda person: agnostic_mask(category, *maps[person]),
        "  of it the audit": lambda person: audit(category, masks[person], *maps[person]),
        "published way": lambda person: published_way(workspace.raw, category, person.person_id, size),
    }
    times: dict[str, list[float]] = {name: [] for name in variants}
    for _ in range(rounds):
        for person in people:
            for name, work in variants.items():
                since = time.process_time()
                work(person)
                times[name].append((time.process_time() - since) * 1000)
    print(f"\n{category} {size[0]}x{size[1]}: median ms, and times the manifest row's")
    row = times["manifest row"]
    for name, spent in times.items():
        ratio = statistics.median(one / other for one, other in zip(spent, row, strict=True))
        print(f"  {name:32} {statistics.median(spent):8.2f} {ratio:8.2f}")


def published_way(raw: Path, category: Category, item: str, size: Size) -> bytes:
    """Mask and agnostic picture as public loaders make them: Pillow, float masks, constants in pixels, pixel loops.

    They cannot make a mask without reading the photo. Here to be measured, not to be used: skirts stay visible.
    """
    height, width = size
    photo = Image.open(raw / relative_path("person", category, item)).convert("RGB").resize((width, height))
    picture = np.asarray(photo, np.float32) / 127.5 - 1
    labels = Image.open(raw / relative_path("label_map", category, item)).resize(
        (width, height), Image.Resampling.NEAREST
    )
    parsed = np.array(labels)

    def part(*ids: int) -> np.ndarray:
        return sum(((parsed == one).astype(np.float32) for one in ids), np.zeros(parsed.shape, np.float32))

    head, fixed = part(1, 2, 3, 11), part(1, 2, 3, 9, 10, 16, 17)
    garments = {Category.UPPER_BODY: (4,), Category.LOWER_BODY: (6, 12, 13), Category.DRESSES: (7, 12, 13)}
    others = {Category.UPPER_BODY: (5, 6, 12, 13), Category.LOWER_BODY: (4, 14, 15), Category.DRESSES: ()}
    garment, fixed = part(*garments[category]), fixed + part(*others[category])
    content = json.loads((raw / relative_path("keypoints", category, item)).read_text())
    joints = np.array(content["keypoints"], np.float64)[:, :2] * (height / 512)
    kernel = np.ones((20, 20) if height > 512 else (5, 5), np.float32)
    hidden = cv2.dilate(garment, kernel, iterations=5)
    if category is not Category.LOWER_BODY:
        lines = Image.new("L", (width, height))
        arm = [tuple(joints[joint]) for joint in (4, 3, 2, 5, 6, 7) if joints[joint, 0] > 0]
        ImageDraw.Draw(lines).line(arm, 255, 30, "curve")
        drawn = np.asarray(lines, np.float32) / 255
        fixed = fixed + part(14, 15) * (1 - drawn)
        hidden = np.maximum(hidden, drawn)
        head = _without_neck(head, joints, height)
    fixed = np.clip(fixed + head, 0, 1)
    mask = np.logical_and(hidden > 0, fixed == 0).astype(np.float32)
    mask = np.maximum(mask, garment)
    picture *= 1 - mask[..., None]
    stream = io.BytesIO()
    Image.fromarray((mask * 255).astype(np.uint8)).save(stream, "PNG")
    return stream.getvalue()


def _without_neck(head: np.ndarray, joints: np.ndarray, height: int) -> np.ndarray:
    """Take the head's pixels below the line of the shoulders out, column by column."""
    (x1, y1), (x2, y2) = joints[2], joints[5]
    kept = head.copy()
    for column in range(head.shape[1]):
        level = y1 + (y2 - y1) * (column - x1) / ((x2 - x1) or 1) - 20 * height / 512
        for row in range(max(0, int(level)), head.shape[0]):
            if head[row, column]:
                kept[row, column] = 0
    return kept


if __name__ == "__main__":
    main()
