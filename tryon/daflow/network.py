"""DAFlow, the single-stage virtual try-on network.

Source: arXiv 2207.09161 (ECCV 2022), section 3. Parameter names and shapes are the published checkpoint's.

Shape legend:
    B batch, H x W sides of the images. All images are float, RGB, in [-1, 1], NCHW.
"""

from __future__ import annotations

from typing import Literal, overload

import torch
from torch import Tensor, nn

from tryon.daflow.cascade import Cascade
from tryon.daflow.config import IMAGE_CHANNELS, DAFlowConfig
from tryon.daflow.pyramid import Encoder, TopDown
from tryon.daflow.warp import select_warp
from tryon.errors import TryOnError


class NetworkInputError(TryOnError, ValueError):
    """An input of the network has an unsupported shape."""


class DAFlow(nn.Module):
    """Two feature pyramids and the cascade. See `DAFlowConfig` for the options; defaults are the published network.

    >>> config = DAFlowConfig(encoder_channels=(8, 8), flow_channels=(8, 8, 8), pyramid_channels=8, num_flows=2)
    >>> network = DAFlow(config)
    >>> agnostic, pose, garment = torch.zeros(3, 1, 3, 64, 48)
    >>> network(torch.cat([pose, agnostic], dim=1), garment, agnostic).shape
    torch.Size([1, 3, 64, 48])
    """

    def __init__(self, config: DAFlowConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or DAFlowConfig()
        # Names and order are the published checkpoint's: "source" is the garment, "reference" the person.
        self.source_features = Encoder(config.garment_channels, config.encoder_channels)
        self.reference_features = Encoder(config.reference_channels, config.encoder_channels)
        self.source_FPN = TopDown(config.encoder_channels, config.pyramid_channels)
        self.reference_FPN = TopDown(config.encoder_channels, config.pyramid_channels)
        self.dafnet = Cascade(config)

    @property
    def parameter_count(self) -> int:
        """Number of parameters (37,651,485 in the published network)."""
        return sum(parameter.numel() for parameter in self.parameters())

    def use_warp(self, backend: str) -> DAFlow:
        """Set the warp back end, "auto" or a name in `tryon.daflow.warp.WARPS`, and return the network."""
        select_warp(backend, next(self.parameters()).device)
        self.dafnet.backend = backend
        return self

    @overload
    def forward(
        self, reference: Tensor, garment: Tensor, agnostic: Tensor, all_scales: Literal[False] = False
    ) -> Tensor: ...

    @overload
    def forward(
        self, reference: Tensor, garment: Tensor, agnostic: Tensor, all_scales: Literal[True]
    ) -> tuple[Tensor, list[Tensor]]: ...

    def forward(
        self, reference: Tensor, garment: Tensor, agnostic: Tensor, all_scales: bool = False
    ) -> Tensor | tuple[Tensor, list[Tensor]]:
        """Predict the person wearing the garment.

        Args:
            reference: (B, 6, H, W): pose image, then agnostic person.
            garment: (B, 3, H, W): the shop image.
            agnostic: (B, 3, H, W): the person with the garment to be replaced painted black (-1).
            all_scales: also return the results of all scales (for the loss).

        Returns:
            (B, 3, H, W), about [-1, 1], not clamped. With `all_scales` also the results of all scales, coarsest
            first, (B, 3, H / 2^(n-1-i), W / 2^(n-1-i)) for i = 0..n-1 of n levels; the last one is the result.

        Raises:
            NetworkInputError: inputs differ in B, H or W, or a side is not a multiple of 2^n or less than 2^(n+1).
        """
        self._check_shapes(reference, garment, agnostic)
        if (
            select_warp(self.dafnet.backend, garment.device) == "gather"
        ):  # which reads whole pixels; all layers keep the layout
            reference, garment, agnostic = (
                image.contiguous(memory_format=torch.channels_last) for image in (reference, garment, agnostic)
            )
        garment_levels = self.source_FPN(self.source_features(garment))
        person_levels = self.reference_FPN(self.reference_features(reference))
        results = self.dafnet(garment_levels, person_levels, garment[:, :IMAGE_CHANNELS], agnostic, all_scales)
        return (results[-1], results) if all_scales else results[-1]

    def _check_shapes(self, reference: Tensor, garment: Tensor, agnostic: Tensor) -> None:
        shapes = {"reference": reference.shape, "garment": garment.shape, "agnostic": agnostic.shape}
        channels = (self.config.reference_channels, self.config.garment_channels, IMAGE_CHANNELS)
        for (name, shape), num_channels in zip(shapes.items(), channels, strict=True):
            if len(shape) != 4 or shape[1] != num_channels:
                raise NetworkInputError(
                    f"wrong shape of network input {name}", found=tuple(shape), expected=f"(B, {num_channels}, H, W)"
                )
        if len({(shape[0], *shape[2:]) for shape in shapes.values()}) > 1:
            raise NetworkInputError(
                "network inputs differ in batch size, height or width",
                found={name: tuple(shape) for name, shape in shapes.items()},
            )
        multiple = self.config.side_multiple
        if any(side % multiple or side < 2 * multiple for side in garment.shape[2:]):
            # A coarsest map one pixel wide makes the published grid divide by zero.
            raise NetworkInputError(
                "unsupported height or width of network inputs",
                found=tuple(garment.shape[2:]),
                expected=f"multiples of {multiple} and at least {2 * multiple}",
                hint="Change image.size in params.yaml.",
            )
