"""DAFlow implemented like the published code, with the same weights: the baseline of `network.py`.

Every flow samples its own copy of the map, attention is repeated over channels and the product stored before the sum,
the 1x1 layers around the warp are not folded, the flow estimators take concatenated features, the pyramid adds maps at
full width, and the last stage runs twice if all scales are returned.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tryon.daflow import DAFlow
from tryon.daflow.cascade import Cascade
from tryon.daflow.flow_estimator import FlowEstimator
from tryon.daflow.grids import Flow, Flows, sample
from tryon.daflow.pyramid import TopDown
from tryon.daflow.warp import WARPS, warp


def published_warp(features: Tensor, grid: Tensor, attention: Tensor) -> Tensor:
    """Sample k copies of the map in one call, multiply by repeated attention and sum."""
    batch, num_flows, height, width = attention.shape
    channels = features.shape[1]
    copies = features.unsqueeze(1).repeat(1, num_flows, 1, 1, 1).flatten(0, 1)
    sampled = sample(copies, grid).view(batch, num_flows, channels, height, width)
    repeated = attention.unsqueeze(2).repeat(1, 1, channels, 1, 1)
    return (sampled * repeated).sum(dim=1)


class PublishedTopDown(TopDown):
    """Feature pyramid with every sum at full width."""

    def forward(self, stages):
        levels = []
        for stage, adaptive, smooth in zip(reversed(stages), self.adaptive, self.smooth, strict=True):
            level = adaptive(stage)
            if levels:
                level = level + F.interpolate(levels[-1], scale_factor=2.0, mode="nearest")
            levels.append(smooth(level))
        return levels


class PublishedEstimator(FlowEstimator):
    """Flow estimator on concatenated features."""

    def forward(self, garment, person):
        return self.layers(torch.cat((garment, person), dim=1))


class PublishedCascade(Cascade):
    """Cascade with the published last stage."""

    def forward(self, garment_levels, person_levels, garment, agnostic, all_scales):
        flows: Any = None
        images = []
        for level, (source, reference) in enumerate(zip(garment_levels, person_levels, strict=True)):
            flows = self.estimate(level, source, reference, flows).upsample()
            if all_scales:
                images.append(self.compose(garment, agnostic, flows))
        size = garment.shape[2:]
        resized = Flows(*(Flow(*(F.interpolate(part, size, mode="bilinear") for part in flow)) for flow in flows))
        return [*images, self.compose(garment, agnostic, resized)]

    def compose(self, garment, agnostic, flows):
        size = flows.garment.grid.shape[-2:]
        garment, agnostic = (F.interpolate(image, size, mode="bilinear") for image in (garment, agnostic))
        garment = warp(self.lights_encoder(garment), *flows.garment, self.backend)
        person = warp(self.lights_encoder(agnostic), *flows.person, self.backend)
        return self.lights_decoder(garment + person)


PUBLISHED: dict[type[nn.Module], type[nn.Module]] = {
    TopDown: PublishedTopDown,
    FlowEstimator: PublishedEstimator,
    Cascade: PublishedCascade,
}


def use_published_implementation(network: DAFlow) -> DAFlow:
    """Switch a network to the published implementation, registering its warp as a back end, and return it."""
    WARPS["published"] = published_warp
    for part in network.modules():
        part.__class__ = PUBLISHED.get(type(part), type(part))
    return network.use_warp("published")
