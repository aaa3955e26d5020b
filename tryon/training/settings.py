"""Settings of the two training stages."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from tryon.settings import Settings

PositiveInt = Annotated[int, Field(ge=1)]
LightChannels = Annotated[int, Field(ge=6)]
"""Three colours and their negatives are the least that can start as a copy of the picture."""


class NetworkSettings(Settings):
    """Shape of the network; the defaults are the published one."""

    heads: PositiveInt = Field(6, description="Flow heads.")
    widths: tuple[PositiveInt, ...] = Field((64, 128, 256, 256, 256), min_length=2, description="Width of each level.")
    pyramid_channels: PositiveInt = Field(256, description="Width of the feature pyramids.")
    flow_channels: tuple[PositiveInt, PositiveInt, PositiveInt] = Field(
        (128, 64, 32), description="Hidden widths of each flow estimator."
    )
    light_channels: tuple[LightChannels, LightChannels] = Field((32, 64), description="Widths of the light encoder.")
    grid: Literal["published", "identity"] = Field(
        "published", description="`identity` for training from scratch, `published` for released weights."
    )


class OptimisationSettings(Settings):
    """What both training stages share."""

    epochs: int = Field(10, ge=0, description="Passes over the training rows.")
    batch_size: PositiveInt = Field(1, description="Pairs per step and device.")
    accumulate: PositiveInt = Field(1, description="Batches whose gradients are added up before a step.")
    lr: float = Field(5e-5, gt=0, le=1, description="Peak learning rate of AdamW.")
    flow_lr_share: float = Field(
        1.0,
        gt=0,
        le=1,
        description="Learning rate of the flow estimators as a share of `lr`; less than 1 keeps the flows inside the "
        "picture when training from scratch.",
    )
    weight_decay: float = Field(0.01, ge=0, description="Weight decay of AdamW.")
    warmup_steps: int = Field(20, ge=0, description="Steps over which the learning rate rises; then cosine to zero.")
    clip_norm: float = Field(10.0, gt=0, description="Largest gradient norm.")
    flip: float = Field(0.5, ge=0, le=1, description="Probability of mirroring a pair, left and right limbs swapped.")
    hidden_weight: float = Field(
        1.0, ge=1, le=100, description="How much more a hidden pixel counts in the loss than one that is copied."
    )
    perceptual: Literal["none"] = Field("none", description="Perceptual loss terms.")
    accelerator: Literal["auto", "cpu", "cuda"] = Field(
        "auto", description="Device; `auto` takes a GPU when there is one."
    )
    precision: Literal["32-true", "bf16-mixed", "16-mixed"] = Field("32-true", description="Number format of training.")


class PretrainSettings(OptimisationSettings):
    """The starting point of fine-tuning."""

    start: str = Field(
        "upper_body",
        min_length=1,
        description="`upper_body` (train one on the upper-body rows), `released` (ckpt_viton.pt), `scratch`, or a path "
        "to a checkpoint.",
    )
    network: NetworkSettings = Field(NetworkSettings(), description="Shape of the network.")  # pyright: ignore


class FinetuneSettings(OptimisationSettings):
    """Fine-tuning on all three categories together."""
