"""Settings of the download stage."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, field_validator

from tryon.categories import Level
from tryon.config.schema import Settings


class SyntheticSettings(Settings):
    """Size and content of the synthetic Dress Code, used if the source is `synthetic`."""

    train_pairs: int = Field(200, ge=1, le=30_000, description="Number of training pairs per category.")
    test_pairs: int = Field(
        30, ge=2, le=10_000, description="Number of test pairs per category and setting (paired, unpaired)."
    )
    difficulty: Level = Field("catalogue", description="Difficulty of poses, garments, fabrics and backgrounds.")
    parsing_noise_fraction: float = Field(
        0.0, ge=0, le=1, description="Fraction of label maps with simulated parsing errors at recorded positions."
    )
    uv: bool = Field(
        False, description="Write DensePose UV maps; download.include_densepose_uv decides whether they are unpacked."
    )
    flow: Literal["none", "test", "all"] = Field(
        "none",
        description="Pairs with ground-truth garment-to-person flow; the report's oracle warp needs `test` or `all`.",
    )

    @field_validator("flow", mode="before")
    @classmethod
    def _bool_to_choice(cls, value: Any) -> Any:
        """Convert the boolean of the command line: False is `none`, True is `all`."""
        return ("none", "all")[value] if isinstance(value, bool) else value


class DownloadSettings(Settings):
    """Data source and what is unpacked from it."""

    source: str = Field(
        "synthetic",
        min_length=1,
        description="`synthetic`, or the path of a folder or zip archive in the layout of Dress Code.",
    )
    sha256: str | None = Field(
        None, pattern="^[0-9a-f]{64}$", description="Expected SHA-256 of the archive in hex; null: not checked."
    )
    include_densepose_uv: bool = Field(
        False, description="Unpack the DensePose UV maps (59 GB in Dress Code, not used by training)."
    )
    max_invalid_fraction: float = Field(
        0.01, ge=0, le=1, description="Maximum fraction of invalid pairs; above it the stage fails."
    )
    licence: str | None = Field(None, description="Licence class recorded in every row; null: derived from the source.")
    synthetic: SyntheticSettings = Field(
        SyntheticSettings(),  # pyright: ignore
        description="Content of the synthetic Dress Code.",
    )
