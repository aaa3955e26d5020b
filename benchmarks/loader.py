"""Loading side by side: packed rows, and loaders written the published way, from full-size and from pre-sized files.

Run `python benchmarks/loader.py [--items 8] [--rounds 5]`. Every variant takes a few pairs in turn, on one thread, in
CPU time; printed are median milliseconds and the medians of the ratios, which machine load moves far less. Then whole
epochs as training takes them, from our threads and from a worker process of torch's DataLoader: samples a second of CPU
of all that takes part, the ratios of these, samples a second of wall time, and the memory after each.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import cv2
import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.utils.data import ConcatDataset, DataLoader, Dataset, default_collate
from torchvision.transforms import Compose, Normalize, ToTensor

from tryon.agnostic import agnostic_mask
from tryon.categories import Category, Split
from tryon.config.augmentation import AugmentSettings
from tryon.dresscode.layout import relative_path
from tryon.dresscode.readers import (
    Size,
    decode_dense_pose,
    decode_keypoints,
    decode_label_map,
    decode_photo,
    resize_photo,
)
from tryon.loading.augmented_dataset import AugmentedDataset
from tryon.loading.batch_loader import collate, load_batches
from tryon.loading.packed_dataset import PackedDataset
from tryon.loading.transforms import prepare
from tryon.manifest import PACKED, table_from_rows, write_table
from tryon.manifest.mask_png import encode_mask
from tryon.runtime.atomic_files import sha256_bytes
from tryon.sample.packing import COPIED, JPEG, RAW_ROLES, encode_image, pack_row
from tryon.synthetic.item_files import RenderOptions, item_files
from tryon.workspace import Workspace

SIZE = (512, 384)
IMAGES = ("person", "garment", "pose", "agnostic")
FIRST = "packed rows, one thread"
EPOCH = 4
"""Times that an epoch takes each pair."""

RUN = 4
"""Pairs that a variant takes before the next one's turn."""

EVERYTHING = AugmentSettings(
    color_jitter_prob=1, person_affine_prob=1, garment_affine_prob=1, background_prob=1, mask_dilate_prob=1
)  # pyright: ignore[reportCallIssue]
ALONE = {
    "colors": AugmentSettings(color_jitter_prob=1),  # pyright: ignore[reportCallIssue]
    "person moved": AugmentSettings(person_affine_prob=1),  # pyright: ignore[reportCallIssue]
    "garment moved": AugmentSettings(garment_affine_prob=1),  # pyright: ignore[reportCallIssue]
    "background": AugmentSettings(background_prob=1),  # pyright: ignore[reportCallIssue]
    "larger mask": AugmentSettings(mask_dilate_prob=1),  # pyright: ignore[reportCallIssue]
}
AS_FLOATS = Compose([ToTensor(), Normalize((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))])


@dataclass(frozen=True)
class Published(Dataset[dict[str, Tensor]]):
    """Four JPEG files a pair opened with Pillow, resized where needed, as floats in -1..1."""

    folder: Path
    names: list[str]

    def __len__(self) -> int:
        return len(self.names)

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        return {image: self._read(f"{self.names[index]}_{image}.jpg") for image in IMAGES}

    def _read(self, name: str) -> Tensor:
        image = Image.open(self.folder / name).convert("RGB")
        if image.size != (SIZE[1], SIZE[0]):
            image = image.resize((SIZE[1], SIZE[0]), Image.Resampling.BICUBIC)
        return cast(Tensor, AS_FLOATS(image))


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--items", type=int, default=8, help="pairs per category")
    arguments.add_argument("--rounds", type=int, default=5, help="times that each is taken")
    chosen = arguments.parse_args()
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    np.empty(30 << 20, np.uint8)  # as `load_batches` does, for all variants alike
    with tempfile.TemporaryDirectory() as folder:
        names = write_pairs(Path(folder), chosen.items)
        rows = PackedDataset.read(Path(folder) / "rows.arrow")
        full, presized = (Published(Path(folder) / kind, names) for kind in ("full", "presized"))
        report_samples(rows, full, presized, chosen.rounds)
        report_epochs(rows, full, presized, chosen.rounds)


def write_pairs(folder: Path, items: int) -> list[str]:
    """The twin's people as packed rows, as four full-size files each, and as four pre-sized ones; their names."""
    workspace, packed, names = Workspace(folder), [], []
    for category in Category:
        for number in range(items):
            item = f"{number:06d}"
            files = dict(item_files(0, category, number, item, RenderOptions(level="wild")))
            for relative, data in files.items():
                path = workspace.raw / relative
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(data)
            raw = {role: workspace.raw / relative_path(role, category, item) for role in RAW_ROLES}
            packed.append(packed_row(category, item, raw, workspace))
            names.append(f"{category}_{item}")
            write_published(
                folder, names[-1], raw | {"pose": workspace.raw / relative_path("skeleton", category, item)}
            )
    write_table(folder / "rows.arrow", table_from_rows(packed, PACKED), PACKED, {"images": "jpeg"})
    return names


def packed_row(category: Category, item: str, raw: dict[str, Path], workspace: Workspace) -> dict[str, Any]:
    row: dict[str, Any] = dict.fromkeys(COPIED) | {"part": "train", "split": str(Split.TRAIN)}
    row |= {"pair_id": f"{item}_{item}", "person_id": item, "garment_id": item, "category": str(category)}
    row["mask_png"] = encode_mask(mask_of(category, item, workspace))
    for role, path in raw.items():
        there = path.exists()
        row[role] = path.relative_to(workspace.raw).as_posix() if there else None
        row[f"{role}_sha256"] = sha256_bytes(path.read_bytes()) if there else None
    return pack_row(row, SIZE, workspace)


def mask_of(category: Category, item: str, workspace: Workspace, size: Size = SIZE) -> np.ndarray:
    data = {
        role: (workspace.raw / relative_path(role, category, item)).read_bytes()
        for role in ("label_map", "dense_pose", "keypoints")
    }
    labels = decode_label_map(data["label_map"], size)
    return agnostic_mask(
        category, labels, decode_dense_pose(data["dense_pose"], size), decode_keypoints(data["keypoints"], size)
    )


def write_published(folder: Path, name: str, files: dict[str, Path]) -> None:
    """Four JPEG files of quality 95, at full size and at `SIZE`."""
    images = {role: decode_photo(files[role].read_bytes()) for role in ("person", "garment", "pose")}
    images["agnostic"] = images["person"].copy()
    images["agnostic"][300:700, 200:560] = 0
    for role, image in images.items():
        for kind, sized in (("full", image), ("presized", resize_photo(image, SIZE))):
            (folder / kind).mkdir(exist_ok=True)
            (folder / kind / f"{name}_{role}.jpg").write_bytes(encode_image(sized, JPEG))


def report_samples(rows: PackedDataset, full: Published, presized: Published, rounds: int) -> None:
    def augmented(settings: AugmentSettings) -> Callable[[int], object]:
        changed = AugmentedDataset(rows, 0.5, settings, 0, 1)
        return lambda index: collate([changed.sample(index)])

    variants: dict[str, Callable[[int], object]] = {
        "packed row, bytes": lambda index: collate([rows.sample(index)]),
        "packed row, floats on the CPU": lambda index: prepare(collate([rows.sample(index)])),
        **{f"  with {name}": augmented(settings) for name, settings in ALONE.items()},
        "  with all of these": augmented(EVERYTHING),
        "four files, pre-sized": lambda index: default_collate([presized[index]]),
        "four files, 1024x768": lambda index: default_collate([full[index]]),
    }
    times: dict[str, list[float]] = {name: [] for name in variants}
    for _ in range(rounds):
        for start in range(0, len(rows), RUN):
            for name, work in variants.items():
                indices = range(start, min(start + RUN, len(rows)))
                since = time.process_time()
                for index in indices:
                    work(index)
                times[name].append((time.process_time() - since) * 1000 / len(indices))
    print(f"{SIZE[0]}x{SIZE[1]}: median ms of CPU for a batch of one, and times the packed row's")
    for name, spent in times.items():
        ratio = statistics.median(one / other for one, other in zip(spent, times["packed row, bytes"], strict=True))
        print(f"  {name:32} {statistics.median(spent):8.2f} {ratio:8.2f}")


def report_epochs(rows: PackedDataset, full: Published, presized: Published, rounds: int) -> None:
    def published(data: Published) -> Callable[[], Iterable[object]]:
        everything = ConcatDataset([data] * EPOCH)
        loader = DataLoader(everything, batch_size=1, num_workers=1, persistent_workers=True)
        return lambda: loader

    order = [np.array([index]) for index in range(len(rows))] * EPOCH
    variants: dict[str, Callable[[], Iterable[object]]] = {
        FIRST: lambda: load_batches(rows, order, threads=1),
        "packed rows, two threads": lambda: load_batches(rows, order, threads=2),
        "  with all augmentation, two": lambda: load_batches(AugmentedDataset(rows, 0.5, EVERYTHING, 0, 1), order, 2),
        "four files, pre-sized, one process": published(presized),
        "four files, 1024x768, one process": published(full),
    }
    on_cpu: dict[str, list[float]] = {name: [] for name in variants}
    on_wall: dict[str, list[float]] = {name: [] for name in variants}
    kept: dict[str, list[int]] = {name: [] for name in variants}
    for _ in range(rounds + 1):
        for name, epoch in variants.items():
            since, started = cpu_seconds(), time.perf_counter()
            count = sum(1 for _ in epoch())
            on_wall[name].append(count / (time.perf_counter() - started))
            on_cpu[name].append(count / (cpu_seconds() - since))
            kept[name].append(own_memory())
    print(
        "epochs of batches of one: median samples a second of CPU, times fewer than one thread on packed rows, samples"
    )
    print("a second of wall time, MiB of own memory after first and last epoch")
    for name, found in on_cpu.items():
        ratio = statistics.median(one / own for one, own in zip(on_cpu[FIRST][1:], found[1:], strict=True))
        speed, wall = statistics.median(found[1:]), statistics.median(on_wall[name][1:])
        print(f"  {name:36} {speed:8.1f} {ratio:8.2f} {wall:8.1f} {kept[name][0]:6d} {kept[name][-1]:6d}")


def cpu_seconds() -> float:
    """CPU time of this process and of the workers that it has (Linux)."""
    ticks = 0
    for worker in multiprocessing.active_children():
        after_name = Path(f"/proc/{worker.pid}/stat").read_text().rpartition(")")[2].split()
        ticks += int(after_name[11]) + int(after_name[12])  # user and system
    return time.process_time() + ticks / os.sysconf("SC_CLK_TCK")


def own_memory() -> int:
    """MiB of this process that no file backs (Linux)."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line.split()[1] for line in lines if line.startswith("RssAnon:"))) // 1024


if __name__ == "__main__":
    main()
