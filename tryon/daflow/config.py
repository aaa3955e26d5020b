"""The options that fix the shape of a DAFlow network, and their plain form that is saved beside its weights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal

from tryon.errors import TryOnError

GridKind = Literal["published", "identity"]

IMAGE_CHANNELS = 3
"""Channels of every image that is warped and of the result: RGB."""


class NetworkOptionError(TryOnError, ValueError):
    """An option of the network is unknown or out of range."""


@dataclass(frozen=True)
class DAFlowConfig:
    """What a DAFlow network looks like. The defaults are the published network of 37,651,485 parameters.

    Attributes:
        reference_channels: channels of the person's input: pose image, then agnostic person.
        garment_channels: channels of the garment's input; its first three are the image.
        heads: k, the flows (and attention maps) per branch.
        widths: channels of the encoder's stages, finest first; each halves the sides.
        pyramid_channels: C, channels of every pyramid level.
        flow_channels: channels inside the flow estimators.
        light_channels: channels inside the light encoder and decoder.
        grid: "published" keeps the checkpoint's convention, under which zero flow stretches by w / (w - 1) a level;
            under "identity" zero flow samples each pixel at itself. Choose "identity" for training from scratch.

    Raises:
        NetworkOptionError: for a value out of range.
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
                raise NetworkOptionError(
                    f"network option {name}", expected="one or more sizes of at least 1", found=value
                )
            object.__setattr__(self, name, tuple(value))
        if len(self.image_encoder_channels) != 2:
            raise NetworkOptionError(
                "network option light_channels", expected="two sizes", found=self.image_encoder_channels
            )
        for name in ("reference_channels", "garment_channels", "num_flows", "pyramid_channels"):
            if not _is_size(getattr(self, name)):
                rule = "a whole number of at least 1"
                raise NetworkOptionError(f"network option {name}", expected=rule, found=getattr(self, name))
        if self.garment_channels < IMAGE_CHANNELS:
            rule = f"at least {IMAGE_CHANNELS}: its first channels are the image that is warped"
            raise NetworkOptionError("network option garment_channels", expected=rule, found=self.garment_channels)
        if self.grid_normalization not in ("published", "identity"):
            raise NetworkOptionError(
                "network option grid", expected="'published' or 'identity'", found=self.grid_normalization
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
        """Rebuild what `to_dict` gave. Absent options take their default; an unknown one is a `NetworkOptionError`."""
        known = [field.name for field in fields(cls)]
        if not isinstance(options, Mapping):
            raise NetworkOptionError("network options", expected="values by their names", found=type(options).__name__)
        unknown = sorted(str(name) for name in options if name not in known)
        if unknown:
            raise NetworkOptionError("network options", expected=f"only {', '.join(known)}", found=unknown)
        return cls(**options)

    @classmethod
    def narrow(cls, levels: int = 4, divisor: int = 4) -> DAFlowConfig:
        """Return a small network to train from scratch: fewer levels, every width divided, the identity grid."""
        default = cls()
        if not 1 <= levels <= len(default.encoder_channels):
            rule = f"1 to {len(default.encoder_channels)}"
            raise NetworkOptionError("levels of a narrow network", expected=rule, found=levels)
        return cls(
            encoder_channels=tuple(width // divisor for width in default.encoder_channels[:levels]),
            pyramid_channels=default.pyramid_channels // divisor,
            flow_channels=tuple(width // divisor for width in default.flow_channels),
            image_encoder_channels=(
                default.image_encoder_channels[0] // divisor,
                default.image_encoder_channels[1] // divisor,
            ),
            grid_normalization="identity",
        )


def _is_size(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1
