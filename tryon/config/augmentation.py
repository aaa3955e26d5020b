"""Settings of augmentation: how often each change is made, and how far it goes."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from tryon.config.schema import Settings

Probability = Annotated[float, Field(ge=0, le=1)]


class AugmentSettings(Settings):
    """Random changes of training pairs, drawn anew in every epoch; each is off at probability 0."""

    color_jitter_prob: Probability = Field(
        0.0, description="Probability of changed colors, of person and garment alike."
    )
    brightness: float = Field(0.2, ge=0, lt=1, description="Most that brightness changes, as a share.")
    contrast: float = Field(0.2, ge=0, lt=1, description="Most that contrast changes, as a share.")
    saturation: float = Field(0.2, ge=0, le=1, description="Most that saturation changes, as a share.")
    hue: float = Field(0.03, ge=0, le=0.5, description="Most that hues turn, as a share of the circle.")
    person_affine_prob: Probability = Field(
        0.0, description="Probability of moving the person with mask and key points."
    )
    garment_affine_prob: Probability = Field(
        0.0, description="Probability of moving the garment image, by a draw of its own."
    )
    max_translate: float = Field(0.05, ge=0, le=0.5, description="Longest shift, as a share of the image's sides.")
    max_rotate_deg: float = Field(5.0, ge=0, le=180, description="Largest rotation in degrees.")
    max_scale: float = Field(0.1, ge=0, lt=1, description="Most that the size changes, as a share.")
    background_prob: Probability = Field(
        0.0, description="Probability of another background where the label map says background."
    )
    mask_dilate_prob: Probability = Field(0.0, description="Probability of a larger mask.")
    mask_dilate_max: float = Field(0.03, ge=0, le=0.5, description="Most that a mask grows, as a share of the height.")
