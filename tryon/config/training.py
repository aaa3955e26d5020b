"""Settings of the two training stages."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from tryon.config.augmentation import AugmentSettings
from tryon.config.schema import Settings

PositiveInt = Annotated[int, Field(ge=1)]
LightChannels = Annotated[int, Field(ge=6)]
"""Three colors and their negatives are the least that can start as a copy of the image."""


class NetworkSettings(Settings):
    """Shape of the network; the defaults are the published one."""

    num_flows: PositiveInt = Field(6, description="Flow heads.")
    encoder_channels: tuple[PositiveInt, ...] = Field(
        (64, 128, 256, 256, 256), min_length=2, description="Width of each level."
    )
    pyramid_channels: PositiveInt = Field(256, description="Width of the feature pyramids.")
    flow_channels: tuple[PositiveInt, PositiveInt, PositiveInt] = Field(
        (128, 64, 32), description="Hidden widths of each flow estimator."
    )
    image_encoder_channels: tuple[LightChannels, LightChannels] = Field(
        (32, 64), description="Widths of the light encoder."
    )
    grid_normalization: Literal["published", "identity"] = Field(
        "published", description="`identity` for training from scratch, `published` for published weights."
    )


Weight = Annotated[float, Field(ge=0, le=1e6)]


class LossSettings(Settings):
    """Terms of the loss and their weights, summed over scales; the defaults are the published recipe."""

    l1: Weight = Field(1.0, description="Weight of L1 on pixels.")
    masked_weight: float = Field(
        1.0, ge=1, le=100, description="How much more a hidden pixel counts in L1 than one that is copied."
    )
    scale_weight_exponent: float = Field(
        1.0,
        ge=0,
        le=8,
        description="Scale n, the coarsest being 1, counts n to this power, brought to the sum at 1; more than 1 "
        "favours the finest.",
    )
    perceptual: Literal["none", "vgg"] = Field(
        "vgg",
        description="`vgg` adds lpips, style and content below and needs VGG16 and VGG19, which `tryon download-weights` "
        "fetches; `none` leaves them out.",
    )
    lpips: Weight = Field(1.0, description="Weight of LPIPS on VGG16.")
    style: Weight = Field(100.0, description="Weight of L1 on Gram matrices of VGG19 features.")
    content: Weight = Field(0.1, description="Weight of L1 on VGG19 features.")
    image_gradient: Weight = Field(
        0.0, description="Weight of L1 on steps between neighboring pixels inside the garment."
    )
    flow_smoothness: Weight = Field(0.0, description="Weight of the second differences of the flows, in pixels.")


class OptimizationSettings(Settings):
    """What both training stages share."""

    epochs: int = Field(10, ge=0, description="Passes over the training rows.")
    batch_size: PositiveInt = Field(1, description="Pairs per step and device.")
    grad_accumulation_steps: PositiveInt = Field(1, description="Batches whose gradients are added up before a step.")
    lr: float = Field(5e-5, gt=0, le=1, description="Peak learning rate of AdamW.")
    flow_lr_multiplier: float = Field(
        1.0,
        gt=0,
        le=1,
        description="Learning rate of the flow estimators as a share of `lr`; less than 1 keeps the flows inside the "
        "image when training from scratch.",
    )
    weight_decay: float = Field(0.01, ge=0, description="Weight decay of AdamW.")
    warmup_steps: int = Field(20, ge=0, description="Steps over which the learning rate rises; then cosine to zero.")
    max_grad_norm: float = Field(10.0, gt=0, description="Largest gradient norm.")
    flip_prob: float = Field(
        0.5, ge=0, le=1, description="Probability of mirroring a pair, left and right limbs swapped."
    )
    augment: AugmentSettings = Field(AugmentSettings(), description="Other random changes of training pairs.")  # pyright: ignore
    loss: LossSettings = Field(LossSettings(), description="What is minimized.")  # pyright: ignore
    freeze_bn_stats: bool = Field(
        False,
        description="Keep the running means and variances of the batch norms as they are and train with them; batches "
        "of one or two pairs know too little to measure their own.",
    )
    ema_decay: float | None = Field(
        None,
        ge=0,
        lt=1,
        description="Share that the averaged weights keep at each step; they are looked at and used. null: none.",
    )
    early_stop_patience: PositiveInt | None = Field(
        None,
        description="Stop after this many epochs in a row in which the L1 inside the garment improved neither over all "
        "validation rows nor in any category. null: all epochs.",
    )
    divergence_factor: float | None = Field(
        100.0,
        gt=1,
        description="Stop at a loss this many times the mean of the epoch before; null: only at one that is no number.",
    )
    checkpoint_every_steps: PositiveInt | None = Field(
        None, description="Steps after which the state of the run is kept, beside after each epoch. null: epochs only."
    )
    accelerator: Literal["auto", "cpu", "cuda"] = Field(
        "auto", description="Device; `auto` takes a GPU when there is one."
    )
    devices: PositiveInt = Field(1, description="GPUs (on the CPU: processes) on each machine.")
    num_nodes: PositiveInt = Field(1, description="Machines; all but the first run `tryon <stage> --worker`.")
    strategy: Literal["auto", "ddp"] = Field(
        "auto",
        description="`auto` is `ddp` (each process has the network, gradients are averaged) where there are several.",
    )
    precision: Literal["32-true", "bf16-mixed", "16-mixed", "64-true"] = Field(
        "32-true", description="Number format of training."
    )
    compile: bool = Field(False, description="Compile the network with torch.compile before training.")

    @property
    def world_size(self) -> int:
        """Processes that train together."""
        return self.devices * self.num_nodes


class PretrainSettings(OptimizationSettings):
    """The starting point of fine-tuning."""

    init_from: str = Field(
        "train_upper_body",
        min_length=1,
        description="`train_upper_body` (train on the upper-body rows), `published` (ckpt_viton.pt), `scratch`, "
        "`champion:NAME@HASH` as `tryon save-champion` prints it, or a path to a checkpoint.",
    )
    network: NetworkSettings = Field(NetworkSettings(), description="Shape of the network.")  # pyright: ignore


class FinetuneSettings(OptimizationSettings):
    """Fine-tuning on all three categories together."""
