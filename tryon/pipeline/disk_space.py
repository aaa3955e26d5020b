"""How much disk a stage needs, told from its settings and inputs before it starts.

The numbers per image are measured on the twin, the largest kind each, and rounded up. An output counts twice: as the
stage writes it, and as DVC keeps a copy of it where the file system cannot share the blocks of both.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pyarrow.parquet

from tryon.categories import Category
from tryon.config.download import SyntheticSettings
from tryon.config.parameters import Parameters
from tryon.errors import DiskError
from tryon.workspace import Workspace

COPIES = 2
"""Of an output: in its place, and in DVC's cache."""

ITEM, UV, TRUTH, FLOW = 500_000, 320_000, 300_000, 400_000
"""Bytes of one item of the twin: person, garment and maps; its UV map; a true unpaired image; flow beside it."""

INDEX_ROW = 600
MASK_ROW, MASK_PIXEL = 400, 0.04
"""A manifest's row, without its mask and for each pixel of it."""

SHOWN_PEOPLE, SHOWN_PIXEL = 18, 2.5
"""People whose images lie beside a manifest, and bytes for each pixel of one."""

PACKED_PIXEL, IDEAL_PIXEL = 4.0, 2.0
"""A packed row of an unpaired test list, which has most images, rows of other parts being smaller; and what the ideal
warp adds to it, where the twin's flow is known."""

STATES = 3
"""States of a training run that lie in its work area: the two newest and the best."""

MOMENTS = 2
"""Numbers that the optimizer keeps for each weight."""

RESULTS = 2
"""Checkpoints that a training stage puts out."""

GRID_PIXEL, REPORT = 120.0, 64 << 20
"""Sample grids of an epoch, for each pixel of a image; the report with its galleries."""


class DiskEstimate(NamedTuple):
    """Bytes, and what they are counted from."""

    bytes: int
    basis: str


def synthetic_bytes(settings: SyntheticSettings, include_densepose_uv: bool) -> DiskEstimate:
    """The twin's archive, the files unpacked from it and their index."""
    items = len(Category) * (settings.train_pairs + settings.test_pairs)
    tests = len(Category) * settings.test_pairs
    flows = {"none": 0, "test": 2 * tests, "all": items + tests}[settings.flow]
    truth = tests * TRUTH + flows * FLOW
    archive = items * (ITEM + UV * settings.uv) + truth
    unpacked = items * (ITEM + UV * (settings.uv and include_densepose_uv)) + truth
    return DiskEstimate(
        archive + unpacked + COPIES * INDEX_ROW * (items + tests), f"{items} items of the twin, packed and not"
    )


def mask_bytes(rows: int, size: tuple[int, int]) -> DiskEstimate:
    """Finished shards, the manifest made of them and the images beside it."""
    pixels = size[0] * size[1]
    manifest = rows * (MASK_ROW + MASK_PIXEL * pixels)
    shown = SHOWN_PEOPLE * SHOWN_PIXEL * pixels
    return DiskEstimate(round((1 + COPIES) * manifest + COPIES * shown), f"{rows} masks of {size[0]}x{size[1]}")


def packed_bytes(rows: int, size: tuple[int, int], flow: bool = False) -> DiskEstimate:
    """Finished shards, and the subset made of them; with the flow of test rows, also their ideal warp."""
    pixel = PACKED_PIXEL + IDEAL_PIXEL * flow
    return DiskEstimate(round((1 + COPIES) * rows * pixel * size[0] * size[1]), f"{rows} rows of {size[0]}x{size[1]}")


def training_bytes(network: int, epochs: int, averaged: bool, size: tuple[int, int]) -> DiskEstimate:
    """States to go on from, checkpoints and grids.

    Args:
        network: bytes of its weights.
        epochs: of the run.
        averaged: averaged weights are kept beside the others.
        size: of a image.
    """
    states = STATES * network * (1 + MOMENTS + averaged)
    grids = (1 + COPIES) * epochs * GRID_PIXEL * size[0] * size[1]
    said = (
        f"{STATES} states and {RESULTS} checkpoints of a network of {_format_bytes(network)}, grids of {epochs} epochs"
    )
    return DiskEstimate(round(states + COPIES * RESULTS * network + grids), said)


def estimate_disk(
    stage: str, parameters: Parameters, workspace: Workspace, category: Category | None = None
) -> DiskEstimate:
    """What one stage needs with these settings and the inputs that are there; inputs that are not count as none.

    A source other than the twin counts as none: the stage itself compares its files with those that are there, and
    with the disk, before it unpacks.
    """
    size = parameters.image.size
    twin = parameters.download.source == "synthetic"
    if stage == "download":
        return (
            synthetic_bytes(parameters.download.synthetic, parameters.download.include_densepose_uv)
            if twin
            else DiskEstimate(0, "")
        )
    if stage == "agnostic" and category is not None:
        return mask_bytes(_rows(workspace.index(category)), size)
    if stage == "sample":
        flow = twin and parameters.download.synthetic.flow != "none"
        return packed_bytes(_chosen(parameters, workspace), size, flow)
    if stage in ("pretrain", "finetune"):
        settings = parameters.pretrain if stage == "pretrain" else parameters.finetune
        averaged = settings.ema_decay is not None
        return training_bytes(_network(stage, parameters, workspace), settings.epochs, averaged, size)
    return DiskEstimate(COPIES * REPORT, "the report with its galleries")


def check_disk(
    stage: str,
    parameters: Parameters,
    workspace: Workspace,
    category: Category | None = None,
    free_at: Callable[[Path], int] | None = None,
) -> None:
    """Make sure, before a stage starts, that there is room for what it will write.

    Raises:
        DiskError: there is not; what is needed, and what that is counted from, is told.
    """
    need = estimate_disk(stage, parameters, workspace, category)
    folder = workspace.data if workspace.data.is_dir() else workspace.root
    free = (free_at or _free)(folder)
    if need.bytes > free:
        name = f"{stage}@{category}" if category else stage
        rule = f"has room for {name}: some {_format_bytes(need.bytes)} for {need.basis}"
        remedy = "Make room, or choose smaller settings in params.yaml. Nothing was started."
        raise DiskError(
            f"the disk of {folder.resolve()}", expected=rule, found=f"{_format_bytes(free)} free", hint=remedy
        )


def _chosen(parameters: Parameters, workspace: Workspace) -> int:
    """Rows of the subset, at most: in each category what is asked for, of what there is."""
    asked = parameters.sample.train_pairs_per_category + 2 * parameters.sample.test_pairs_per_category
    return sum(min(asked, _rows(workspace.index(category))) for category in Category)


def _network(stage: str, parameters: Parameters, workspace: Workspace) -> int:
    """Bytes of the network's weights: of the starting point where there is one, else counted from the settings."""
    start = workspace.pretrained / "model.ckpt"
    if stage == "finetune" and start.is_file():
        return start.stat().st_size
    import torch

    from tryon.daflow import DAFlow, DAFlowConfig

    with torch.device("meta"):
        network = DAFlow.from_config(DAFlowConfig.from_dict(parameters.pretrain.network.model_dump()))
    return sum(value.numel() * value.element_size() for value in network.state_dict().values())


def _rows(table: Path) -> int:
    return pyarrow.parquet.ParquetFile(table).metadata.num_rows if table.is_file() else 0


def _free(folder: Path) -> int:
    return shutil.disk_usage(folder).free


def _format_bytes(size: int) -> str:
    return f"{size / 2**30:.2f} GiB" if size >= 2**30 else f"{size / 2**20:.1f} MiB"
