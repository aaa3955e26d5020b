"""Settings of the sample stage."""

from __future__ import annotations

from pydantic import Field

from tryon.config.schema import Settings


class SampleSettings(Settings):
    """Number of pairs selected from the manifests."""

    train_pairs_per_category: int = Field(
        1800, ge=1, description="Maximum number of pairs per category selected for training and validation."
    )
    val_fraction: float = Field(0.1, gt=0, lt=1, description="Fraction of the selected pairs used for validation.")
    test_pairs_per_category: int = Field(
        1800, ge=1, description="Maximum number of pairs per category and test setting (paired, unpaired)."
    )
