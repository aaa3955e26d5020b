"""Settings of the pretrain and finetune stages."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from tryon.config.augmentation import AugmentSettings
from tryon.config.schema import Settings

PositiveInt = Annotated[int, Field(ge=1)]
ImageEncoderChannels = Annotated[int, Field(ge=6)]
"""At least three colors and their negatives, so that the encoder can be initialized to copy the image."""


class NetworkSettings(Settings):
    """Architecture of the network; the defaults are the published one."""

    num_flows: PositiveInt = Field(6, description="Number of flow heads.")
    encoder_channels: tuple[PositiveInt, ...] = Field(
        (64, 128, 256, 256, 256), min_length=2, description="Channels of each encoder level."
    )
    pyramid_channels: PositiveInt = Field(256, description="Channels of the feature pyramids.")
    flow_channels: tuple[PositiveInt, PositiveInt, PositiveInt] = Field(
        (128, 64, 32), description="Hidden channels of each flow estimator."
    )
    image_encoder_channels: tuple[ImageEncoderChannels, ImageEncoderChannels] = Field(
        (32, 64), description="Channels of the lightweight image encoder."
    )
    grid_normalization: Literal["published", "identity"] = Field(
        "published", description="`published` for published weights, `identity` for training from scratch."
    )


Weight = Annotated[float, Field(ge=0, le=1e6)]


class LossSettings(Settings):
    """Loss terms and their weights, summed over scales; the defaults are the published ones."""

    l1: Weight = Field(1.0, description="Weight of the pixel L1 loss.")
    masked_weight: float = Field(
        1.0, ge=1, le=100, description="Weight of masked pixels in the L1 loss, relative to visible ones."
    )
    scale_weight_exponent: float = Field(
        1.0,
        ge=0,
        le=8,
        description="Exponent of the scale weights: scale n (1 is the coarsest) has weight n to this power, normalized "
        "to the sum of exponent 1. Larger values favor fine scales.",
    )
    perceptual: Literal["none", "vgg"] = Field(
        "vgg",
        description="`vgg` enables lpips, style and content and needs VGG16 and VGG19 (`tryon download-weights`); "
        "`none` disables them.",
    )
    lpips: Weight = Field(1.0, description="Weight of the LPIPS loss on VGG16.")
    style: Weight = Field(100.0, description="Weight of the L1 loss on Gram matrices of VGG19 features.")
    content: Weight = Field(0.1, description="Weight of the L1 loss on VGG19 features.")
    image_gradient: Weight = Field(0.0, description="Weight of the L1 loss on image gradients inside the garment.")
    flow_smoothness: Weight = Field(0.0, description="Weight of the second differences of the flows, in pixels.")


class OptimizationSettings(Settings):
    """Settings that both training stages share."""

    epochs: int = Field(10, ge=0, description="Passes over the training rows.")
    batch_size: PositiveInt = Field(1, description="Pairs per batch and process.")
    grad_accumulation_steps: PositiveInt = Field(1, description="Batches accumulated per optimizer step.")
    lr: float = Field(5e-5, gt=0, le=1, description="Peak learning rate of AdamW.")
    flow_lr_multiplier: float = Field(
        1.0,
        gt=0,
        le=1,
        description="Learning rate of the flow estimators relative to `lr`; below 1, flows stay inside the image when "
        "training from scratch.",
    )
    weight_decay: float = Field(0.01, ge=0, description="Weight decay of AdamW.")
    warmup_steps: int = Field(20, ge=0, description="Steps of linear warm-up; cosine decay to zero follows.")
    max_grad_norm: float = Field(10.0, gt=0, description="Maximum gradient norm; larger gradients are clipped.")
    flip_prob: float = Field(
        0.5, ge=0, le=1, description="Probability of a horizontal flip, with left and right limbs swapped."
    )
    augment: AugmentSettings = Field(AugmentSettings(), description="Other random augmentations.")  # pyright: ignore
    loss: LossSettings = Field(LossSettings(), description="Loss function.")  # pyright: ignore
    freeze_bn_stats: bool = Field(
        False,
        description="Keep the running statistics of batch norms fixed; batches of one or two pairs are too small to "
        "estimate them.",
    )
    ema_decay: float | None = Field(
        None,
        ge=0,
        lt=1,
        description="EMA decay per step; EMA weights are used for validation and saved as the result. null: disabled.",
    )
    early_stop_patience: PositiveInt | None = Field(
        None,
        description="Epochs without improvement of the garment L1, over all validation rows or any category, before "
        "training stops. null: disabled.",
    )
    divergence_factor: float | None = Field(
        100.0,
        gt=1,
        description="Stop if the loss exceeds this multiple of the previous epoch's mean; null: only if it is not "
        "finite.",
    )
    checkpoint_every_steps: PositiveInt | None = Field(
        None, description="Steps between checkpoints, in addition to one per epoch. null: one per epoch."
    )
    accelerator: Literal["auto", "cpu", "cuda"] = Field("auto", description="Device; `auto` uses a GPU if available.")
    devices: PositiveInt = Field(1, description="Number of GPUs (on the CPU: processes) per machine.")
    num_nodes: PositiveInt = Field(1, description="Number of machines; all but the first run `tryon <stage> --worker`.")
    strategy: Literal["auto", "ddp"] = Field(
        "auto", description="Distributed strategy; `auto` is `ddp` if there are several processes."
    )
    precision: Literal["32-true", "bf16-mixed", "16-mixed", "64-true"] = Field(
        "32-true", description="Numeric precision of training."
    )
    compile: bool = Field(False, description="Compile the network with torch.compile.")

    @property
    def world_size(self) -> int:
        """Number of training processes."""
        return self.devices * self.num_nodes


class PretrainSettings(OptimizationSettings):
    """Initial weights of fine-tuning."""

    init_from: str = Field(
        "train_upper_body",
        min_length=1,
        description="`train_upper_body` (train on the upper-body rows), `published` (ckpt_viton.pt), `scratch`, "
        "`champion:NAME@HASH` as printed by `tryon save-champion`, or the path of a checkpoint.",
    )
    network: NetworkSettings = Field(NetworkSettings(), description="Network architecture.")  # pyright: ignore


class FinetuneSettings(OptimizationSettings):
    """Fine-tuning on all three categories."""
