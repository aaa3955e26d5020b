"""The cascade: flows estimated coarse to fine, by a cross, a self and a refinement step per scale.

Source: arXiv 2207.09161, section 3: cascaded deformable attention flows for garment (cross) and person (self) at once.

Shape legend:
    B batch, k flows, C pyramid channels, h x w sides of a level (coarsest first), H x W sides of the images.
    Grids are (B·k, 2, h, w), attention (B, k, h, w), see `grids` and `flow_estimator`.
"""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn import functional as F

from tryon.daflow.config import DAFlowConfig, GridKind
from tryon.daflow.flow_estimator import FlowEstimator, split_joint, split_single
from tryon.daflow.grids import Flow, Flows, offsets_to_grid, sample
from tryon.daflow.image_codec import compose, image_decoder, image_encoder
from tryon.daflow.warp import AUTOMATIC, warp


class Cascade(nn.Module):
    """From pyramids to flows to images.

    Attributes:
        backend: of the warps, a name in `tryon.daflow.warp.WARPS` or "auto".
    """

    def __init__(self, config: DAFlowConfig) -> None:
        super().__init__()
        self.num_flows, self.backend = config.num_flows, AUTOMATIC
        self.grid_kind: GridKind = config.grid_normalization
        # Names and order are the published checkpoint's.
        self.Self_MFEs = self._estimators(config, outputs=3 * config.num_flows, kernel=7)
        self.Cross_MFEs = self._estimators(config, outputs=3 * config.num_flows, kernel=3)
        self.Refine_MFEs = self._estimators(config, outputs=6 * config.num_flows, kernel=3)
        self.lights_decoder = image_decoder(*config.image_encoder_channels)
        self.lights_encoder = image_encoder(*config.image_encoder_channels)

    @staticmethod
    def _estimators(config: DAFlowConfig, outputs: int, kernel: int) -> nn.ModuleList:
        inputs = 2 * config.pyramid_channels
        return nn.ModuleList(
            FlowEstimator(inputs, config.flow_channels, outputs, kernel) for _ in config.encoder_channels
        )

    def forward(
        self,
        garment_levels: Sequence[Tensor],
        person_levels: Sequence[Tensor],
        garment: Tensor,
        agnostic: Tensor,
        all_scales: bool,
    ) -> list[Tensor]:
        """Run all scales.

        Args:
            garment_levels: the garment's pyramid, coarsest first, (B, C, h, w).
            person_levels: the person's, of the same shapes.
            garment: garment image (B, 3, H, W).
            agnostic: person with the garment masked (B, 3, H, W).
            all_scales: compose an image at every scale, not only at the last.

        Returns:
            Images (B, 3, 2h, 2w), coarsest first; the last has full size and is the result.
        """
        flows: Flows | None = None
        images = []
        last = len(garment_levels) - 1
        for level, (source, reference) in enumerate(zip(garment_levels, person_levels, strict=True)):
            flows = self.estimate(level, source, reference, flows).upsample()
            if all_scales or level == last:
                images.append(self.compose(garment, agnostic, flows))
        return images

    def estimate(self, level: int, garment: Tensor, person: Tensor, previous: Flows | None) -> Flows:
        """Estimate the flows of one scale from (B, C, h, w) features and the coarser scale's flows, upsampled."""
        garment_flow, person_flow = previous or (None, None)
        warped_garment, warped_person = (
            self.warp_detached(garment, garment_flow),
            self.warp_detached(person, person_flow),
        )

        # Cross: align the garment with the person, whose features are not warped here.
        garment_flow = self.step(self.Cross_MFEs[level], warped_garment, person, garment_flow)
        warped_garment = warp(garment, *garment_flow, self.backend)

        # Self: move the person's own pixels, given the aligned garment.
        person_flow = self.step(self.Self_MFEs[level], warped_garment, warped_person, person_flow)
        warped_person = warp(person, *person_flow, self.backend)

        # Refine both together.
        return self.refine(self.Refine_MFEs[level], warped_garment, warped_person, Flows(garment_flow, person_flow))

    def warp_detached(self, features: Tensor, flow: Flow | None) -> Tensor:
        """Warp features along the coarser scale's flow; gradients reach features and attention, not the grid."""
        return features if flow is None else warp(features, flow.grid.detach(), flow.attention, self.backend)

    def step(self, estimator: nn.Module, garment: Tensor, person: Tensor, previous: Flow | None) -> Flow:
        """Estimate one branch: offsets composed with the previous grid, and a new attention."""
        offsets, attention = split_single(estimator(garment, person), self.num_flows)
        return Flow(self.compose_grid(previous, offsets), attention)

    def refine(self, estimator: nn.Module, garment: Tensor, person: Tensor, flows: Flows) -> Flows:
        """Refine both branches; the attention of both together sums to one, so they compete for every pixel."""
        output = split_joint(estimator(garment, person), self.num_flows)
        garment_offsets, person_offsets, garment_attention, person_attention = output
        return Flows(
            Flow(self.compose_grid(flows.garment, garment_offsets), garment_attention),
            Flow(self.compose_grid(flows.person, person_offsets), person_attention),
        )

    def compose_grid(self, previous: Flow | None, offsets: Tensor) -> Tensor:
        """Compose pixel offsets with the previous grid."""
        grid = offsets_to_grid(offsets, self.grid_kind)
        return grid if previous is None else sample(previous.grid, grid)

    def compose(self, garment: Tensor, agnostic: Tensor, flows: Flows) -> Tensor:
        """Compose the image at the size of the flows, from garment and agnostic person of any size."""
        size = flows.garment.grid.shape[-2:]
        images = [
            F.interpolate(image, size, mode="bilinear") if image.shape[-2:] != size else image
            for image in (garment, agnostic)
        ]
        return compose(self.lights_encoder, self.lights_decoder, images, flows, self.backend)
