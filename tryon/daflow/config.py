"""Architecture options of a DAFlow network, and their plain form in checkpoints."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, get_args

from tryon.errors import TryOnError

GridKind = Literal["published", "identity"]

IMAGE_CHANNELS = 3
"""Channels of every warped image and of the result: RGB."""


class NetworkOptionError(TryOnError, ValueError):
    """An option of the network is unknown or out of range."""


@dataclass(frozen=True)
class DAFlowConfig:
    """Architecture of a DAFlow network. The defaults are the published network of 37,651,485 parameters.

    Attributes:
        reference_channels: channels of the person's input: pose image, then agnostic person.
        garment_channels: channels of the garment's input; the first three are the image.
        num_flows: k, flows (and attention maps) per branch.
        encoder_channels: channels of the encoder's stages, finest first; each halves the sides.
        pyramid_channels: C, channels of every pyramid level.
        flow_channels: hidden channels of the flow estimators.
        image_encoder_channels: hidden and output channels of the image encoder.
        grid_normalization: "published" keeps the checkpoint's convention, under which zero flow stretches by
            w / (w - 1) a level; under "identity" zero flow samples each pixel at itself. Use "identity" to train
            from scratch.

    Raises:
        NetworkOptionError: a value is out of range.
    """

    reference_channels: int = 6
    garment_channels: int = 3
    num_flows: int = 6
    encoder_channels: tuple[int, ...] = (64, 128, 256, 256, 256)
    pyramid_channels: int = 256
    flow_channels: tuple[int, ...] = (128, 64, 32)
    image_encoder_channels: tuple[int, int] = (32, 64)
    grid_normalization: GridKind = "published"

    def __post_init__(self) -> None:
        for name in ("encoder_channels", "flow_channels", "image_encoder_channels"):
            value = getattr(self, name)
            if not isinstance(value, list | tuple) or not value or not all(_is_size(size) for size in value):
                raise NetworkOptionError(f"invalid network option {name}", found=value, expected="positive integers")
            object.__setattr__(self, name, tuple(value))
        if len(self.image_encoder_channels) != 2:
            raise NetworkOptionError(
                "invalid network option image_encoder_channels",
                found=self.image_encoder_channels,
                expected="two positive integers",
            )
        for name in ("reference_channels", "garment_channels", "num_flows", "pyramid_channels"):
            if not _is_size(getattr(self, name)):
                raise NetworkOptionError(
                    f"invalid network option {name}", found=getattr(self, name), expected="a positive integer"
                )
        if self.garment_channels < IMAGE_CHANNELS:
            raise NetworkOptionError(
                "invalid network option garment_channels",
                found=self.garment_channels,
                expected=f"at least {IMAGE_CHANNELS}, the channels of the image",
            )
        if self.grid_normalization not in get_args(GridKind):
            raise NetworkOptionError(
                "invalid network option grid_normalization",
                found=self.grid_normalization,
                expected=f"one of {', '.join(get_args(GridKind))}",
            )

    @property
    def side_multiple(self) -> int:
        """Both sides of every input are multiples of this, and at least twice it."""
        return 2 ** len(self.encoder_channels)

    def to_dict(self) -> dict[str, Any]:
        """Return the options as plain values (lists, not tuples), ready for JSON or a checkpoint."""
        return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()}

    @classmethod
    def from_dict(cls, options: Mapping[str, Any]) -> DAFlowConfig:
        """Build the config from `to_dict`'s output; missing options take their default."""
        names = [field.name for field in fields(cls)]
        if not isinstance(options, Mapping):
            raise NetworkOptionError("invalid network options", found=type(options).__name__, expected="a mapping")
        unknown = sorted(str(name) for name in options if name not in names)
        if unknown:
            raise NetworkOptionError("unknown network options", found=unknown, expected=f"only {', '.join(names)}")
        return cls(**options)

    @classmethod
    def narrow(cls, levels: int = 4, divisor: int = 4) -> DAFlowConfig:
        """Return a small network to train from scratch: fewer levels, channels divided, identity grid."""
        default = cls()
        if not 1 <= levels <= len(default.encoder_channels):
            raise NetworkOptionError(
                "invalid number of levels", found=levels, expected=f"1 to {len(default.encoder_channels)}"
            )
        hidden, output = default.image_encoder_channels
        return cls(
            encoder_channels=tuple(width // divisor for width in default.encoder_channels[:levels]),
            pyramid_channels=default.pyramid_channels // divisor,
            flow_channels=tuple(width // divisor for width in default.flow_channels),
            image_encoder_channels=(hidden // divisor, output // divisor),
            grid_normalization="identity",
        )


def _is_size(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1
