"""Settings of the evaluate stage."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from tryon.config.schema import Settings


class EvaluateSettings(Settings):
    """Metrics and report."""

    batch_size: int = Field(8, ge=1, description="Pairs per forward pass.")
    num_gallery_samples: int = Field(
        6,
        ge=1,
        description="Rows per category and setting in the report's galleries: one third each of the worst, best and "
        "median, or a random sample without ground truth.",
    )
    num_robustness_samples: int = Field(
        24,
        ge=0,
        description="Rows scored again under dilated, eroded and jittered masks, ten variants each; 0 disables it.",
    )
    baseline_run: str | None = Field(
        None,
        description="Folder of another run with evaluation/ and checkpoints/, absolute or relative to the project; "
        "the report compares with it. null: no comparison.",
    )
    accelerator: Literal["auto", "cpu", "cuda"] = Field("auto", description="Device; `auto` uses a GPU if available.")
    metric_weights_dir: str | None = Field(
        None,
        description="Folder with the networks of LPIPS, FID and KID, absolute or relative to the project; null: "
        "data/weights, where `tryon download-weights` saves them.",
    )
    required_metrics: tuple[str, ...] = Field(
        (), description="Metrics that must be available; the stage fails without them."
    )
