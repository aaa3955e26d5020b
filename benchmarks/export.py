"""`tryon export --format masks` beside its file floor, per person, at 512x384 from 1024x768 files.

Run `python benchmarks/export.py [--items 64] [--rounds 7]`. The floor reads the photo, decodes the JPEG at half size,
encodes one JPEG of quality 95 and the mask's PNG, and writes both files. Beyond it the export reads the manifest,
decodes its mask, verifies the photo's SHA-256, hides the pixels, writes under a temporary name and notes the hashes.
Both take the same people in turn, on one thread, in CPU time; printed are medians and the median of the ratios.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

from tryon.categories import Category, Setting
from tryon.dresscode.layout import relative_path
from tryon.dresscode.readers import decode_label_map
from tryon.export import Format
from tryon.export.job import Job
from tryon.export.pictures import encode_mask
from tryon.export.plan import Take, plan
from tryon.export.shards import export_shard
from tryon.files import sha256_bytes
from tryon.manifest import MANIFEST, read_table, table_from_rows, write_table
from tryon.manifest.mask_png import decode_mask
from tryon.manifest.mask_png import encode_mask as encode_bits
from tryon.synthetic.items import item_files
from tryon.workspace import Workspace

SIZE = (512, 384)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--items", type=int, default=64, help="people")
    arguments.add_argument("--rounds", type=int, default=7, help="times that each is taken")
    chosen = arguments.parse_args()
    cv2.setNumThreads(1)
    with tempfile.TemporaryDirectory() as folder:
        workspace = Workspace(Path(folder))
        write_manifest(workspace, chosen.items)
        job = Job(Format.MASKS, None, workspace.root / "out", workspace)
        parts = plan(Category.DRESSES, list(Setting), job).parts
        report(job, parts, chosen.items, chosen.rounds)


def write_manifest(workspace: Workspace, people: int) -> None:
    """People of the synthetic twin with a manifest whose mask is the body."""
    category, rows = Category.DRESSES, []
    for number in range(people):
        item = f"{number:06d}"
        files = dict(item_files(0, category, number, item))
        photo, labels = (relative_path(role, category, item) for role in ("person", "label_map"))
        content = {Path(name): data for name, data in files.items()}
        (workspace.raw / photo).parent.mkdir(parents=True, exist_ok=True)
        (workspace.raw / photo).write_bytes(content[photo])
        mask = decode_label_map(content[labels], SIZE) > 0
        rows.append(
            {"pair_id": f"{item}_{item}", "category": category, "setting": "train", "person_id": item}
            | {"garment_id": item, "person": photo.as_posix(), "person_sha256": sha256_bytes(content[photo])}
            | {"mask_png": encode_bits(mask), "height": SIZE[0], "width": SIZE[1], "recipe": "x", "status": "ok"}
        )
    write_table(workspace.manifest(category), table_from_rows(rows, MANIFEST), MANIFEST)


def report(job: Job, parts: list[tuple[Take, ...]], people: int, rounds: int) -> None:
    workspace, out = job.workspace, job.out
    rows = read_table(workspace.manifest(Category.DRESSES), MANIFEST, ["person", "mask_png"]).to_pylist()
    masks = {workspace.raw / row["person"]: decode_mask(row["mask_png"]) for row in rows}

    def floor() -> None:
        out.mkdir()
        for photo, mask in masks.items():
            half = cv2.imdecode(np.frombuffer(photo.read_bytes(), np.uint8), cv2.IMREAD_REDUCED_COLOR_2)
            assert half is not None
            (out / photo.name).write_bytes(cv2.imencode(".jpg", half, (cv2.IMWRITE_JPEG_QUALITY, 95))[1].tobytes())
            (out / f"{photo.stem}.png").write_bytes(encode_mask(mask))

    def exported() -> None:
        for part in parts:
            export_shard(part, job)

    variants: dict[str, Callable[[], None]] = {"floor": floor, "export": exported}
    times: dict[str, list[float]] = {name: [] for name in variants}
    for _ in range(rounds):
        for name, work in variants.items():
            shutil.rmtree(out, ignore_errors=True)
            since = time.process_time()
            work()
            times[name].append((time.process_time() - since) * 1000 / people)
    for name, spent in times.items():
        print(f"{name:8} {statistics.median(spent):6.2f} ms per person")
    ratio = statistics.median(one / other for one, other in zip(times["export"], times["floor"], strict=True))
    print(f"export / floor: {ratio:.2f}")


if __name__ == "__main__":
    main()
