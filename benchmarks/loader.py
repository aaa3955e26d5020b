"""Loading packed rows compared with loaders written like the published code, from full-size and resized files.

Run `python benchmarks/loader.py [--items 8] [--rounds 5]`. All variants take turns on a few pairs, on one thread, in
CPU time; medians of milliseconds and ratios are printed. Then complete epochs, by our threads and by a worker process
of torch's DataLoader: samples per second of CPU time, their ratios, samples per second of wall time, and memory.
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
BASELINE = "packed rows, one thread"
EPOCH = 4
"""Repetitions of each pair in an epoch."""

RUN = 4
"""Pairs per turn of a variant."""

ALL_AUGMENTATIONS = AugmentSettings(
    color_jitter_prob=1, person_affine_prob=1, garment_affine_prob=1, background_prob=1, mask_dilate_prob=1
)  # pyright: ignore[reportCallIssue]
SINGLE_AUGMENTATIONS = {
    "colors": AugmentSettings(color_jitter_prob=1),  # pyright: ignore[reportCallIssue]
    "person affine": AugmentSettings(person_affine_prob=1),  # pyright: ignore[reportCallIssue]
    "garment affine": AugmentSettings(garment_affine_prob=1),  # pyright: ignore[reportCallIssue]
    "background": AugmentSettings(background_prob=1),  # pyright: ignore[reportCallIssue]
    "larger mask": AugmentSettings(mask_dilate_prob=1),  # pyright: ignore[reportCallIssue]
}
TO_FLOATS = Compose([ToTensor(), Normalize((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))])


@dataclass(frozen=True)
class Published(Dataset[dict[str, Tensor]]):
    """Four JPEG files per pair, opened with Pillow, resized if needed, as floats in [-1, 1]."""

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
        return cast(Tensor, TO_FLOATS(image))


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--items", type=int, default=8, help="pairs per category")
    arguments.add_argument("--rounds", type=int, default=5, help="number of rounds")
    args = arguments.parse_args()
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    np.empty(30 << 20, np.uint8)  # as `load_batches` does, for all variants
    with tempfile.TemporaryDirectory() as folder:
        names = write_pairs(Path(folder), args.items)
        rows = PackedDataset.read(Path(folder) / "rows.arrow")
        full, presized = (Published(Path(folder) / kind, names) for kind in ("full", "presized"))
        report_samples(rows, full, presized, args.rounds)
        report_epochs(rows, full, presized, args.rounds)


def write_pairs(folder: Path, items: int) -> list[str]:
    """Write synthetic pairs as packed rows, and as four full-size and four resized files each; return their names."""
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
        exists = path.exists()
        row[role] = path.relative_to(workspace.raw).as_posix() if exists else None
        row[f"{role}_sha256"] = sha256_bytes(path.read_bytes()) if exists else None
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
    """Write four JPEG files of quality 95, at full size and at `SIZE`."""
    images = {role: decode_photo(files[role].read_bytes()) for role in ("person", "garment", "pose")}
    images["agnostic"] = images["person"].copy()
    images["agnostic"][300:700, 200:560] = 0
    for role, image in images.items():
        for kind, sized in (("full", image), ("presized", resize_photo(image, SIZE))):
            (folder / kind).mkdir(exist_ok=True)
            (folder / kind / f"{name}_{role}.jpg").write_bytes(encode_image(sized, JPEG))


def report_samples(rows: PackedDataset, full: Published, presized: Published, rounds: int) -> None:
    def augmented(settings: AugmentSettings) -> Callable[[int], object]:
        dataset = AugmentedDataset(rows, 0.5, settings, 0, 1)
        return lambda index: collate([dataset.sample(index)])

    variants: dict[str, Callable[[int], object]] = {
        "packed row, bytes": lambda index: collate([rows.sample(index)]),
        "packed row, floats on the CPU": lambda index: prepare(collate([rows.sample(index)])),
        **{f"  with {name}": augmented(settings) for name, settings in SINGLE_AUGMENTATIONS.items()},
        "  with all of these": augmented(ALL_AUGMENTATIONS),
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
    print(f"{SIZE[0]}x{SIZE[1]}: median CPU ms for a batch of one, and ratio to the packed row")
    for name, milliseconds in times.items():
        ratio = statistics.median(a / b for a, b in zip(milliseconds, times["packed row, bytes"], strict=True))
        print(f"  {name:32} {statistics.median(milliseconds):8.2f} {ratio:8.2f}")


def report_epochs(rows: PackedDataset, full: Published, presized: Published, rounds: int) -> None:
    def published(data: Published) -> Callable[[], Iterable[object]]:
        dataset = ConcatDataset([data] * EPOCH)
        loader = DataLoader(dataset, batch_size=1, num_workers=1, persistent_workers=True)
        return lambda: loader

    order = [np.array([index]) for index in range(len(rows))] * EPOCH
    augmented = AugmentedDataset(rows, 0.5, ALL_AUGMENTATIONS, 0, 1)
    variants: dict[str, Callable[[], Iterable[object]]] = {
        BASELINE: lambda: load_batches(rows, order, threads=1),
        "packed rows, two threads": lambda: load_batches(rows, order, threads=2),
        "  with all augmentation, two": lambda: load_batches(augmented, order, 2),
        "four files, pre-sized, one process": published(presized),
        "four files, 1024x768, one process": published(full),
    }
    on_cpu: dict[str, list[float]] = {name: [] for name in variants}
    on_wall: dict[str, list[float]] = {name: [] for name in variants}
    memory: dict[str, list[int]] = {name: [] for name in variants}
    for _ in range(rounds + 1):
        for name, epoch in variants.items():
            since, started = cpu_seconds(), time.perf_counter()
            count = sum(1 for _ in epoch())
            on_wall[name].append(count / (time.perf_counter() - started))
            on_cpu[name].append(count / (cpu_seconds() - since))
            memory[name].append(anonymous_memory())
    print("epochs of batches of one: median samples per CPU second, ratio of one thread on packed rows to it, samples")
    print("per second of wall time, MiB of anonymous memory after first and last epoch")
    for name, rates in on_cpu.items():
        ratio = statistics.median(a / b for a, b in zip(on_cpu[BASELINE][1:], rates[1:], strict=True))
        speed, wall = statistics.median(rates[1:]), statistics.median(on_wall[name][1:])
        print(f"  {name:36} {speed:8.1f} {ratio:8.2f} {wall:8.1f} {memory[name][0]:6d} {memory[name][-1]:6d}")


def cpu_seconds() -> float:
    """Return the CPU time of this process and its workers (Linux)."""
    ticks = 0
    for worker in multiprocessing.active_children():
        fields = Path(f"/proc/{worker.pid}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])  # user and system
    return time.process_time() + ticks / os.sysconf("SC_CLK_TCK")


def anonymous_memory() -> int:
    """Return the anonymous memory of this process in MiB (Linux)."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line.split()[1] for line in lines if line.startswith("RssAnon:"))) // 1024


if __name__ == "__main__":
    main()
