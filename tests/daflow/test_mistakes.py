"""The reference is sharp: each plausible mistake moves the result far beyond the tolerance of `test_network`."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tryon.daflow import DAFlow, cascade, flow_estimator, grids, pyramid, warp
from tryon.daflow.cascade import Cascade
from tryon.daflow.grids import Flow, Flows, offsets_to_grid, sample

CAUGHT = 1e-3
"""Ten times the tolerance."""

Mistake = Callable[[pytest.MonkeyPatch, DAFlow], None]
MISTAKES: dict[str, Mistake] = {}


def mistake(function: Mistake) -> Mistake:
    MISTAKES[function.__name__] = function
    return function


def _sample_otherwise(patch: pytest.MonkeyPatch, **otherwise) -> None:
    right = F.grid_sample
    patch.setattr(F, "grid_sample", lambda *args, **options: right(*args, **(options | otherwise)))


@mistake
def align_corners(patch, network):
    _sample_otherwise(patch, align_corners=True)


@mistake
def zeros_outside_the_frame(patch, network):
    _sample_otherwise(patch, padding_mode="zeros")


@mistake
def reflection_outside_the_frame(patch, network):
    _sample_otherwise(patch, padding_mode="reflection")


@mistake
def nearest_neighbor(patch, network):
    _sample_otherwise(patch, mode="nearest")


@mistake
def grid_scaled_by_half_the_side(patch, network):
    patch.setattr(cascade, "offsets_to_grid", lambda offsets, kind: offsets_to_grid(offsets, "identity"))


@mistake
def y_before_x(patch, network):
    patch.setattr(cascade, "offsets_to_grid", lambda offsets, kind: offsets_to_grid(offsets.flip(1), kind))


@mistake
def coordinate_before_head(patch, network):
    def per_head(offsets: Tensor) -> Tensor:
        batch, channels, *size = offsets.shape
        return offsets.reshape(batch, 2, channels // 2, *size).transpose(1, 2).reshape(-1, 2, *size)

    patch.setattr(flow_estimator, "_per_head", per_head)


@mistake
def garment_attention_first(patch, network):
    def swapped(output: Tensor, heads: int):
        garment_offsets, person_offsets, garment, person = flow_estimator.split_joint(output, heads)
        return garment_offsets, person_offsets, person, garment

    patch.setattr(cascade, "split_joint", swapped)


@mistake
def person_offsets_first(patch, network):
    def swapped(output: Tensor, heads: int):
        garment_offsets, person_offsets, *attention = flow_estimator.split_joint(output, heads)
        return person_offsets, garment_offsets, *attention

    patch.setattr(cascade, "split_joint", swapped)


@mistake
def one_softmax_per_branch(patch, network):
    def apart(output: Tensor, heads: int):
        *offsets, garment, person = flow_estimator.split_joint(output, heads)
        return *offsets, garment / garment.sum(1, True) / 2, person / person.sum(1, True) / 2

    patch.setattr(cascade, "split_joint", apart)


def _estimate(early: bool = False, twice: bool = False) -> Callable:
    """The scale's steps with the person warped before the cross step, or the garment warped on top of its pre-warp."""

    def estimate(self: Cascade, level: int, garment: Tensor, person: Tensor, carried: Flows | None) -> Flows:
        garment_flow, person_flow = carried or (None, None)
        garment_seen, person_seen = self.warp_detached(garment, garment_flow), self.warp_detached(person, person_flow)
        compared = person_seen if early else person
        garment_flow = self.step(self.Cross_MFEs[level], garment_seen, compared, garment_flow)
        garment_seen = warp.warp(garment_seen if twice else garment, *garment_flow, self.backend)
        person_flow = self.step(self.Self_MFEs[level], garment_seen, person_seen, person_flow)
        person_seen = warp.warp(person, *person_flow, self.backend)
        return self.refine(self.Refine_MFEs[level], garment_seen, person_seen, Flows(garment_flow, person_flow))

    return estimate


@mistake
def person_warped_before_the_cross_step(patch, network):
    patch.setattr(Cascade, "estimate", _estimate(early=True))


@mistake
def garment_warped_twice(patch, network):
    patch.setattr(Cascade, "estimate", _estimate(twice=True))


@mistake
def flows_composed_the_other_way_round(patch, network):
    def onto(self: Cascade, carried: Flow | None, offsets: Tensor) -> Tensor:
        grid = offsets_to_grid(offsets, self.grid)
        return grid if carried is None else sample(grid, carried.grid)

    patch.setattr(Cascade, "compose_grid", onto)


@mistake
def flows_not_composed(patch, network):
    patch.setattr(Cascade, "compose_grid", lambda self, carried, offsets: offsets_to_grid(offsets, self.grid))


@mistake
def no_pre_warp(patch, network):
    patch.setattr(Cascade, "last_fingerprint", lambda self, features, flow: features)


@mistake
def attention_applied_before_sampling(patch, network):
    def early(features: Tensor, grid: Tensor, attention: Tensor) -> Tensor:
        heads = grid.view(len(features), -1, *grid.shape[1:]).unbind(1)
        return torch.stack([sample(features * a, g) for a, g in zip(attention.split(1, 1), heads, strict=True)]).sum(0)

    patch.setitem(warp.WARPS, "reference", early)


@mistake
def flows_upsampled_to_the_nearest(patch, network):
    patch.setattr(grids, "_doubled", lambda maps: F.interpolate(maps, scale_factor=2.0, mode="nearest"))


@mistake
def raw_sum_goes_down_the_pyramid(patch, network):
    def forward(self: pyramid.TopDown, stages):
        levels, down = [], None
        for stage, adaptive, smooth in zip(reversed(stages), self.adaptive, self.smooth, strict=True):
            down = adaptive(stage) if down is None else adaptive(stage) + F.interpolate(down, scale_factor=2.0)
            levels.append(smooth(down))
        return levels

    patch.setattr(pyramid.TopDown, "forward", forward)


@mistake
def steeper_leak(patch, network):
    for module in network.modules():
        if isinstance(module, nn.LeakyReLU):
            patch.setattr(module, "negative_slope", 0.2)


@mistake
def larger_norm_eps(patch, network):
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            patch.setattr(module, "eps", 1e-3)


@pytest.mark.parametrize("name", MISTAKES)
def test_reference_catches(name, monkeypatch, network, recorded_inputs, deviation):
    MISTAKES[name](monkeypatch, network.use_warp("reference"))
    with torch.inference_mode():
        _, results = network(*(x[:1] for x in recorded_inputs), all_scales=True)
    assert deviation(results) > CAUGHT


def test_without_a_mistake_nothing_is_caught(network, recorded_inputs, deviation):
    with torch.inference_mode():
        _, results = network.use_warp("reference")(*(x[:1] for x in recorded_inputs), all_scales=True)
    assert deviation(results) <= 1e-4


def test_pre_warp_sends_gradients_to_features_and_attention_but_not_to_its_grid(network):
    draws = [torch.randn(1, 4, 6, 5), torch.randn(6, 2, 6, 5), torch.rand(1, 6, 6, 5)]
    features, grid, attention = (draw.requires_grad_() for draw in draws)
    network.dafnet.seen(features, Flow(grid, attention)).sum().backward()
    assert features.grad is not None
    assert attention.grad is not None
    assert grid.grad is None


@pytest.mark.long
def test_gradient_norms_catch_a_pre_warp_that_is_not_detached(monkeypatch, network, recorded_inputs, golden):
    def attached(self: Cascade, features: Tensor, flow: Flow | None) -> Tensor:
        return features if flow is None else warp.warp(features, *flow, self.backend)

    monkeypatch.setattr(Cascade, "last_fingerprint", attached)
    result, results = network.double()(*(x.double() for x in recorded_inputs), all_scales=True)
    (result.mean() + torch.stack([scale.mean() for scale in results]).sum()).backward()
    ratios = [
        network.get_parameter(str(name)).grad.norm().item() / norm
        for name, norm in zip(golden["grad_names"], golden["grad_norms_f64"], strict=True)
    ]
    assert max(abs(ratio - 1) for ratio in ratios) > 1e-4  # a thousand times the tolerance
