"""Settings of the agnostic stage."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from tryon.config.schema import Settings


class LimitSettings(Settings):
    """What the audit must find; a mask beyond one of these is bad."""

    max_leak_fraction: float = Field(
        0.001,
        ge=0,
        le=1,
        description="Most of a garment that may stay visible; below 1, a row whose label map shows no garment is bad.",
    )
    max_protected_fraction: float = Field(
        0.02, ge=0, le=1, description="Most of what must be kept (face, hands, shoes ...) that may be hidden."
    )
    min_mask_fraction: float = Field(0.01, ge=0, le=1, description="Least of the image that must be hidden.")
    max_mask_fraction: float = Field(0.8, ge=0, le=1, description="Most of the image that may be hidden.")
    max_rejected_fraction: float = Field(
        0.0, ge=0, le=1, description="Share of rows that may be bad and are set aside; with more the stage fails."
    )

    @model_validator(mode="after")
    def _some_masks_are_within(self) -> Self:
        if self.min_mask_fraction >= self.max_mask_fraction:
            raise PydanticCustomError("limits", "min_mask_fraction must be below max_mask_fraction")
        return self


class AgnosticSettings(Settings):
    """How the garment to be replaced is hidden."""

    method: Literal["fitting-room", "dresscode-official"] = Field("fitting-room", description="The mask recipe.")
    quality_limits: LimitSettings = Field(
        default_factory=lambda: LimitSettings.model_validate({}), description="What the audit of the masks must find."
    )
