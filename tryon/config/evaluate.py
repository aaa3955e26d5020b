"""Settings of the evaluate stage."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from tryon.config.schema import Settings


class EvaluateSettings(Settings):
    """What is scored and shown."""

    batch_size: int = Field(8, ge=1, description="Pairs per forward pass.")
    num_gallery_samples: int = Field(
        6,
        ge=1,
        description="Rows per category and setting in the report: a third each of the worst, the best and the "
        "middling, or drawn by their names where no true image is known.",
    )
    num_robustness_samples: int = Field(
        24,
        ge=0,
        description="Rows of all categories together that are tried on again under grown, shrunk and jittered masks, "
        "ten times each; 0 leaves that out.",
    )
    baseline_run: str | None = Field(
        None,
        description="Folder of another run with its evaluation/ and checkpoints/, relative to the project or absolute, "
        "such as a copy of data/; its curve and the comparison with it go into the report.",
    )
    accelerator: Literal["auto", "cpu", "cuda"] = Field(
        "auto", description="Device; `auto` takes a GPU when there is one."
    )
    metric_weights_dir: str | None = Field(
        None,
        description="Folder that already has the networks of LPIPS, FID and KID, relative to the project or absolute; "
        "null for data/weights, where `tryon download-weights` puts them.",
    )
    required_metrics: tuple[str, ...] = Field((), description="Metrics that must be available, else the stage fails.")
