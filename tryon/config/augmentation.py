"""Settings of data augmentation."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from tryon.config.schema import Settings

Probability = Annotated[float, Field(ge=0, le=1)]


class AugmentSettings(Settings):
    """Random augmentations of training pairs, sampled in every epoch; probability 0 disables one."""

    color_jitter_prob: Probability = Field(0.0, description="Probability of color jitter on person and garment alike.")
    brightness: float = Field(0.2, ge=0, lt=1, description="Maximum relative change of brightness.")
    contrast: float = Field(0.2, ge=0, lt=1, description="Maximum relative change of contrast.")
    saturation: float = Field(0.2, ge=0, le=1, description="Maximum relative change of saturation.")
    hue: float = Field(0.03, ge=0, le=0.5, description="Maximum hue rotation, as a fraction of the color circle.")
    person_affine_prob: Probability = Field(
        0.0, description="Probability of an affine transform of the person with its mask and key points."
    )
    garment_affine_prob: Probability = Field(
        0.0, description="Probability of an independent affine transform of the garment image."
    )
    max_translate: float = Field(
        0.05, ge=0, le=0.5, description="Maximum translation, as a fraction of the image's height and width."
    )
    max_rotate_deg: float = Field(5.0, ge=0, le=180, description="Maximum rotation in degrees.")
    max_scale: float = Field(0.1, ge=0, lt=1, description="Maximum relative change of size.")
    background_prob: Probability = Field(
        0.0, description="Probability of replacing the background, as given by the label map."
    )
    mask_dilate_prob: Probability = Field(0.0, description="Probability of dilating the mask.")
    mask_dilate_max: float = Field(
        0.03, ge=0, le=0.5, description="Maximum dilation of the mask, as a fraction of the image height."
    )
