"""Settings of the download stage."""

from __future__ import annotations

from pydantic import Field

from tryon.settings import Settings
from tryon.synthetic.levels import Level


class SyntheticSettings(Settings):
    """Size and content of the synthetic twin, used when the source is `synthetic`."""

    train_pairs: int = Field(200, ge=1, le=30_000, description="Training pairs per category.")
    test_pairs: int = Field(30, ge=2, le=10_000, description="Test pairs per category, paired and unpaired each.")
    level: Level = Field("catalogue", description="How hard poses, garments, fabrics and backgrounds are.")
    parser_errors: float = Field(
        0.0, ge=0, le=1, description="Share of the label maps that get the errors of real parsers, at known positions."
    )
    uv: bool = Field(False, description="Write DensePose UV maps too (unpacked with download.keep_uv only).")
    flow: bool = Field(
        False, description="Write with the truth where each thread of the flat garment lies on the body."
    )


class DownloadSettings(Settings):
    """Where the archive comes from and what is kept of it."""

    source: str = Field(
        "synthetic",
        min_length=1,
        description="`synthetic`, or the path of a folder or zip archive in Dress Code's layout.",
    )
    sha256: str | None = Field(None, pattern="^[0-9a-f]{64}$", description="Expected SHA-256 of the archive file.")
    keep_uv: bool = Field(False, description="Unpack the DensePose UV maps too (59 GB of the real set, not needed).")
    max_bad_fraction: float = Field(
        0.01, ge=0, le=1, description="Most bad pairs, as a fraction, before the run stops."
    )
    licence: str | None = Field(None, description="Licence class written on every row; by default told by the source.")
    synthetic: SyntheticSettings = Field(SyntheticSettings(), description="What the synthetic twin holds.")  # pyright: ignore
