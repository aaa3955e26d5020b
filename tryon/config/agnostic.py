"""Settings of the agnostic stage."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from tryon.config.schema import Settings


class QualityLimits(Settings):
    """Quality limits of a mask; rows beyond one of them are quarantined."""

    max_leak_fraction: float = Field(
        0.001,
        ge=0,
        le=1,
        description="Maximum fraction of the garment left visible. Below 1, rows whose label map has no garment are "
        "rejected too.",
    )
    max_protected_fraction: float = Field(
        0.02, ge=0, le=1, description="Maximum masked fraction of protected regions (face, hands, shoes ...)."
    )
    min_mask_fraction: float = Field(0.01, ge=0, le=1, description="Minimum masked fraction of the image.")
    max_mask_fraction: float = Field(0.8, ge=0, le=1, description="Maximum masked fraction of the image.")
    max_rejected_fraction: float = Field(
        0.0, ge=0, le=1, description="Maximum fraction of rows that may be quarantined; above it the stage fails."
    )

    @model_validator(mode="after")
    def _check_mask_range(self) -> Self:
        if self.min_mask_fraction >= self.max_mask_fraction:
            raise PydanticCustomError("limits", "min_mask_fraction must be below max_mask_fraction")
        return self


class AgnosticSettings(Settings):
    """Masking of the garment to be replaced."""

    method: Literal["fitting-room", "dresscode-official"] = Field("fitting-room", description="Mask method.")
    quality_limits: QualityLimits = Field(
        default_factory=lambda: QualityLimits.model_validate({}), description="Quality limits of the masks."
    )
