"""Settings of the sample stage."""

from __future__ import annotations

from pydantic import Field

from tryon.config.schema import Settings


class SampleSettings(Settings):
    """How many pairs are chosen from the manifests."""

    train_pairs_per_category: int = Field(1800, ge=1, description="Pairs per category chosen from the train rows.")
    val_fraction: float = Field(0.1, gt=0, lt=1, description="Share of the chosen pairs kept for validation.")
    test_pairs_per_category: int = Field(1800, ge=1, description="Pairs per category and setting from the test lists.")
