"""The golden reference is sensitive: each plausible mistake exceeds the tolerance of `test_network` by far."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tryon.daflow import DAFlow, cascade, flow_estimator, grids, pyramid, warp
from tryon.daflow.cascade import Cascade
from tryon.daflow.grids import Flow, Flows, offsets_to_grid, sample

pytestmark = pytest.mark.slow

CAUGHT = 1e-3
"""Ten times the tolerance."""

Mistake = Callable[[pytest.MonkeyPatch, DAFlow], None]
MISTAKES: dict[str, Mistake] = {}


def mistake(function: Mistake) -> Mistake:
    MISTAKES[function.__name__] = function
    return function


def _sample_with(patch: pytest.MonkeyPatch, **changes) -> None:
    original = F.grid_sample
    patch.setattr(F, "grid_sample", lambda *args, **options: original(*args, **(options | changes)))


@mistake
def align_corners(patch, network):
    _sample_with(patch, align_corners=True)


@mistake
def zeros_outside_the_frame(patch, network):
    _sample_with(patch, padding_mode="zeros")


@mistake
def reflection_outside_the_frame(patch, network):
    _sample_with(patch, padding_mode="reflection")


@mistake
def nearest_neighbor(patch, network):
    _sample_with(patch, mode="nearest")


@mistake
def grid_scaled_by_half_the_side(patch, network):
    patch.setattr(cascade, "offsets_to_grid", lambda offsets, kind: offsets_to_grid(offsets, "identity"))


@mistake
def y_before_x(patch, network):
    patch.setattr(cascade, "offsets_to_grid", lambda offsets, kind: offsets_to_grid(offsets.flip(1), kind))


@mistake
def coordinate_before_flow(patch, network):
    def per_flow(offsets: Tensor) -> Tensor:
        batch, channels, *size = offsets.shape
        return offsets.reshape(batch, 2, channels // 2, *size).transpose(1, 2).reshape(-1, 2, *size)

    patch.setattr(flow_estimator, "_per_flow", per_flow)


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
    def separate(output: Tensor, heads: int):
        *offsets, garment, person = flow_estimator.split_joint(output, heads)
        return *offsets, garment / garment.sum(1, True) / 2, person / person.sum(1, True) / 2

    patch.setattr(cascade, "split_joint", separate)


def _estimate(early: bool = False, twice: bool = False) -> Callable:
    """The scale's steps with the person warped before the cross step, or the garment warped on top of its pre-warp."""

    def estimate(self: Cascade, level: int, garment: Tensor, person: Tensor, previous: Flows | None) -> Flows:
        garment_flow, person_flow = previous or (None, None)
        warped_garment, warped_person = (
            self.warp_detached(garment, garment_flow),
            self.warp_detached(person, person_flow),
        )
        compared = warped_person if early else person
        garment_flow = self.step(self.Cross_MFEs[level], warped_garment, compared, garment_flow)
        warped_garment = warp.warp(warped_garment if twice else garment, *garment_flow, self.backend)
        person_flow = self.step(self.Self_MFEs[level], warped_garment, warped_person, person_flow)
        warped_person = warp.warp(person, *person_flow, self.backend)
        return self.refine(self.Refine_MFEs[level], warped_garment, warped_person, Flows(garment_flow, person_flow))

    return estimate


@mistake
def person_warped_before_the_cross_step(patch, network):
    patch.setattr(Cascade, "estimate", _estimate(early=True))


@mistake
def garment_warped_twice(patch, network):
    patch.setattr(Cascade, "estimate", _estimate(twice=True))


@mistake
def flows_composed_in_reverse(patch, network):
    def reverse(self: Cascade, previous: Flow | None, offsets: Tensor) -> Tensor:
        grid = offsets_to_grid(offsets, self.grid_kind)
        return grid if previous is None else sample(grid, previous.grid)

    patch.setattr(Cascade, "compose_grid", reverse)


@mistake
def flows_not_composed(patch, network):
    patch.setattr(Cascade, "compose_grid", lambda self, previous, offsets: offsets_to_grid(offsets, self.grid_kind))


@mistake
def no_pre_warp(patch, network):
    patch.setattr(Cascade, "warp_detached", lambda self, features, flow: features)


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


def test_unmodified_network_is_within_tolerance(network, recorded_inputs, deviation):
    with torch.inference_mode():
        _, results = network.use_warp("reference")(*(x[:1] for x in recorded_inputs), all_scales=True)
    assert deviation(results) <= 1e-4


def test_pre_warp_gradients_do_not_reach_the_grid(network):
    values = [torch.randn(1, 4, 6, 5), torch.randn(6, 2, 6, 5), torch.rand(1, 6, 6, 5)]
    features, grid, attention = (value.requires_grad_() for value in values)
    network.dafnet.warp_detached(features, Flow(grid, attention)).sum().backward()
    assert features.grad is not None
    assert attention.grad is not None
    assert grid.grad is None


@pytest.mark.long
def test_gradient_norms_detect_an_attached_pre_warp(monkeypatch, network, recorded_inputs, golden):
    def attached(self: Cascade, features: Tensor, flow: Flow | None) -> Tensor:
        return features if flow is None else warp.warp(features, *flow, self.backend)

    monkeypatch.setattr(Cascade, "warp_detached", attached)
    result, results = network.double()(*(x.double() for x in recorded_inputs), all_scales=True)
    (result.mean() + torch.stack([scale.mean() for scale in results]).sum()).backward()
    ratios = [
        network.get_parameter(str(name)).grad.norm().item() / norm
        for name, norm in zip(golden["grad_names"], golden["grad_norms_f64"], strict=True)
    ]
    assert max(abs(ratio - 1) for ratio in ratios) > 1e-4  # a thousand times the tolerance
