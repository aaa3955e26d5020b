"""Settings of the agnostic stage."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from tryon.settings import Settings


class LimitSettings(Settings):
    """What the audit must find; a mask beyond one of these is bad."""

    max_leak_fraction: float = Field(0.001, ge=0, le=1, description="Most of a garment that may stay visible.")
    max_protected_fraction: float = Field(
        0.02, ge=0, le=1, description="Most of what must be kept (face, hands, shoes ...) that may be hidden."
    )
    min_mask_fraction: float = Field(0.01, ge=0, le=1, description="Least of the picture that must be hidden.")
    max_mask_fraction: float = Field(0.8, ge=0, le=1, description="Most of the picture that may be hidden.")
    max_bad_fraction: float = Field(
        0.0, ge=0, le=1, description="Share of rows that may be bad and are set aside; with more the stage fails."
    )


class AgnosticSettings(Settings):
    """How the garment to be replaced is hidden."""

    recipe: Literal["fitting-room", "dresscode-official"] = Field("fitting-room", description="The mask recipe.")
    limits: LimitSettings = Field(
        default_factory=lambda: LimitSettings.model_validate({}), description="What the audit of the masks must find."
    )
