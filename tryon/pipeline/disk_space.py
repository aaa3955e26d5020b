"""Estimate the disk space of a stage from its settings and inputs, and check it before the stage starts.

Bytes per image were measured on the synthetic Dress Code (the largest difficulty for each) and rounded up. An output
counts twice: in the workspace, and in DVC's cache where the file system cannot share blocks.
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

COPIES = 2  # copies of an output: workspace and DVC cache

ITEM, UV, TRUTH, FLOW = 500_000, 320_000, 300_000, 400_000
"""Bytes per synthetic item: person, garment and maps; UV map; ground-truth unpaired image; flow."""

INDEX_ROW = 600  # bytes per index row
MASK_ROW, MASK_PIXEL = 400, 0.04  # bytes per manifest row, and per pixel of its mask
PREVIEW_ROWS, PREVIEW_PIXEL = 18, 2.5  # rows with images next to a manifest, and bytes per pixel of one image

PACKED_PIXEL, ORACLE_PIXEL = 4.0, 2.0
"""Bytes per pixel of a packed unpaired test row (other rows are smaller), and of its oracle warp."""

RUN_CHECKPOINTS = 3  # checkpoints in the work folder of a training run: the two newest and the best
MOMENTS = 2  # values that the optimizer stores per weight
RESULT_CHECKPOINTS = 2  # checkpoints among the outputs of a training stage

GRID_PIXEL, REPORT = 120.0, 64 << 20
"""Bytes of an epoch's sample grids per pixel of an image; bytes of the report with its galleries."""


class DiskEstimate(NamedTuple):
    """Estimated bytes and the quantities that they are computed from."""

    bytes: int
    basis: str


def synthetic_bytes(settings: SyntheticSettings, include_densepose_uv: bool) -> DiskEstimate:
    """Estimate the archive of the synthetic Dress Code, its unpacked files and their index."""
    items = len(Category) * (settings.train_pairs + settings.test_pairs)
    tests = len(Category) * settings.test_pairs
    flows = {"none": 0, "test": 2 * tests, "all": items + tests}[settings.flow]
    truth = tests * TRUTH + flows * FLOW
    archive = items * (ITEM + UV * settings.uv) + truth
    unpacked = items * (ITEM + UV * (settings.uv and include_densepose_uv)) + truth
    index = COPIES * INDEX_ROW * (items + tests)
    return DiskEstimate(archive + unpacked + index, f"{items} synthetic items, packed and unpacked")


def mask_bytes(rows: int, size: tuple[int, int]) -> DiskEstimate:
    """Estimate the shards of a category's masks, its manifest and its mask images."""
    pixels = size[0] * size[1]
    manifest = rows * (MASK_ROW + MASK_PIXEL * pixels)
    previews = PREVIEW_ROWS * PREVIEW_PIXEL * pixels
    return DiskEstimate(round((1 + COPIES) * manifest + COPIES * previews), f"{rows} masks of {size[0]}x{size[1]}")


def packed_bytes(rows: int, size: tuple[int, int], flow: bool = False) -> DiskEstimate:
    """Estimate the shards and the packed subset; with `flow`, also the oracle warp of test rows."""
    pixel = PACKED_PIXEL + ORACLE_PIXEL * flow
    return DiskEstimate(round((1 + COPIES) * rows * pixel * size[0] * size[1]), f"{rows} rows of {size[0]}x{size[1]}")


def training_bytes(network: int, epochs: int, ema: bool, size: tuple[int, int]) -> DiskEstimate:
    """Estimate the checkpoints and sample grids of a training stage.

    Args:
        network: bytes of the network's weights.
        epochs: number of epochs.
        ema: whether EMA weights are stored as well.
        size: height and width of an image.
    """
    run_checkpoints = RUN_CHECKPOINTS * network * (1 + MOMENTS + ema)
    grids = (1 + COPIES) * epochs * GRID_PIXEL * size[0] * size[1]
    return DiskEstimate(
        round(run_checkpoints + COPIES * RESULT_CHECKPOINTS * network + grids),
        f"{RUN_CHECKPOINTS + RESULT_CHECKPOINTS} checkpoints of a {_format_bytes(network)} network and the sample "
        f"grids of {epochs} epochs",
    )


def estimate_disk(
    stage: str, parameters: Parameters, workspace: Workspace, category: Category | None = None
) -> DiskEstimate:
    """Estimate the disk space of a stage from its settings and existing inputs; missing inputs count as empty.

    For a source that is not synthetic the estimate is 0: the download stage checks the space itself before it unpacks.
    """
    size, synthetic = parameters.image.size, parameters.download.synthetic
    is_synthetic = parameters.download.source == "synthetic"
    if stage == "download":
        uv = parameters.download.include_densepose_uv
        return synthetic_bytes(synthetic, uv) if is_synthetic else DiskEstimate(0, "")
    if stage == "agnostic" and category is not None:
        return mask_bytes(_rows(workspace.index(category)), size)
    if stage == "sample":
        selected = parameters.sample.train_pairs_per_category + 2 * parameters.sample.test_pairs_per_category
        rows = sum(min(selected, _rows(workspace.index(category))) for category in Category)
        return packed_bytes(rows, size, is_synthetic and synthetic.flow != "none")
    if stage in ("pretrain", "finetune"):
        settings = parameters.pretrain if stage == "pretrain" else parameters.finetune
        network = _network_bytes(stage, parameters, workspace)
        return training_bytes(network, settings.epochs, settings.ema_decay is not None, size)
    return DiskEstimate(COPIES * REPORT, "the report with its galleries")


def check_disk(
    stage: str,
    parameters: Parameters,
    workspace: Workspace,
    category: Category | None = None,
    free_at: Callable[[Path], int] | None = None,
) -> None:
    """Check that there is enough disk space for the output of a stage.

    Raises:
        DiskError: there is not; the message contains the estimate and its basis.
    """
    estimate = estimate_disk(stage, parameters, workspace, category)
    folder = workspace.data if workspace.data.is_dir() else workspace.root
    free = (free_at or _free_bytes)(folder)
    if estimate.bytes > free:
        raise DiskError(
            f"not enough disk space in {folder.resolve()} for {f'{stage}@{category}' if category else stage}",
            found=f"{_format_bytes(free)} free",
            expected=f"about {_format_bytes(estimate.bytes)} for {estimate.basis}",
            hint="Free some disk space, or choose smaller settings in params.yaml.",
        )


def _network_bytes(stage: str, parameters: Parameters, workspace: Workspace) -> int:
    """Return the bytes of the network's weights, from the initial checkpoint if there is one."""
    checkpoint = workspace.pretrained / "model.ckpt"
    if stage == "finetune" and checkpoint.is_file():
        return checkpoint.stat().st_size
    import torch

    from tryon.daflow import DAFlow, DAFlowConfig

    with torch.device("meta"):
        network = DAFlow(DAFlowConfig.from_dict(parameters.pretrain.network.model_dump()))
    return sum(value.numel() * value.element_size() for value in network.state_dict().values())


def _rows(table: Path) -> int:
    return pyarrow.parquet.ParquetFile(table).metadata.num_rows if table.is_file() else 0


def _free_bytes(folder: Path) -> int:
    return shutil.disk_usage(folder).free


def _format_bytes(size: int) -> str:
    return f"{size / 2**30:.2f} GiB" if size >= 2**30 else f"{size / 2**20:.1f} MiB"
