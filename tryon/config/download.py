"""Settings of the download stage."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, field_validator

from tryon.categories import Level
from tryon.config.schema import Settings


class SyntheticSettings(Settings):
    """Size and content of the synthetic twin, used when the source is `synthetic`."""

    train_pairs: int = Field(200, ge=1, le=30_000, description="Training pairs per category.")
    test_pairs: int = Field(30, ge=2, le=10_000, description="Test pairs per category, paired and unpaired each.")
    difficulty: Level = Field("catalogue", description="How hard poses, garments, fabrics and backgrounds are.")
    parsing_noise_fraction: float = Field(
        0.0, ge=0, le=1, description="Share of the label maps that get the errors of real parsers, at known positions."
    )
    uv: bool = Field(
        False, description="Write DensePose UV maps too (unpacked with download.include_densepose_uv only)."
    )
    flow: Literal["none", "test", "all"] = Field(
        "none",
        description="Pairs of which the truth says where each thread of the flat garment lies on the body; the ideal "
        "warp of the report needs it for the test pairs.",
    )

    @field_validator("flow", mode="before")
    @classmethod
    def _switch_to_pairs(cls, value: Any) -> Any:
        """A switch stands for none and all, on the command line and in older files."""
        return ("none", "all")[value] if isinstance(value, bool) else value


class DownloadSettings(Settings):
    """Where the archive comes from and what is kept of it."""

    source: str = Field(
        "synthetic",
        min_length=1,
        description="`synthetic`, or the path of a folder or zip archive in Dress Code's layout.",
    )
    sha256: str | None = Field(None, pattern="^[0-9a-f]{64}$", description="Expected SHA-256 of the archive file.")
    include_densepose_uv: bool = Field(
        False, description="Unpack the DensePose UV maps too (59 GB of the real set, not needed)."
    )
    max_invalid_fraction: float = Field(
        0.01, ge=0, le=1, description="Most bad pairs, as a fraction, before the run stops."
    )
    licence: str | None = Field(None, description="Licence class written on every row; by default told by the source.")
    synthetic: SyntheticSettings = Field(SyntheticSettings(), description="What the synthetic twin holds.")  # pyright: ignore
