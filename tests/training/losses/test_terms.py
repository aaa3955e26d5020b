"""Loss terms against known values."""

from __future__ import annotations

import pytest
import torch

from tryon.training.losses import masked_weights, resize
from tryon.training.losses.perceptual_terms import lpips
from tryon.training.losses.pixel_terms import flow_smoothness, image_gradient, l1


def test_resize_halves_by_averaging() -> None:
    target = torch.arange(16.0).view(1, 1, 4, 4)
    assert resize(target, (2, 2)).flatten().tolist() == [2.5, 4.5, 10.5, 12.5]
    assert resize(target, (4, 4)) is target


def test_uniform_weights_equal_the_plain_mean() -> None:
    mask, target, result = torch.rand(2, 1, 8, 8) > 0.5, torch.rand(2, 3, 8, 8), torch.rand(2, 3, 8, 8)
    assert masked_weights(mask, 1.0) is None
    assert l1(result, target, torch.full((2, 1, 8, 8), 3.0)).item() == pytest.approx(l1(result, target).item())


def test_image_gradient_sees_edges_only() -> None:
    everywhere = torch.ones(1, 1, 4, 4)
    target = torch.rand(1, 3, 4, 4, dtype=torch.float64)
    assert image_gradient(target + 0.7, target, everywhere).item() == pytest.approx(0, abs=1e-12)  # a constant error
    stripes = torch.tensor([0.0, 1.0, 0.0, 1.0]).expand(1, 3, 4, 4)
    assert image_gradient(stripes, torch.zeros(1, 3, 4, 4), everywhere).item() == 0.5  # horizontal gradients only
    assert image_gradient(stripes.mT, torch.zeros(1, 3, 4, 4), everywhere).item() == 0.5
    assert image_gradient(stripes / 2, stripes, everywhere).item() == 0.25  # half the contrast


def test_image_gradient_counts_inside_the_region_only() -> None:
    left = torch.zeros(1, 1, 4, 4)
    left[..., :2] = 1
    bar = torch.zeros(1, 3, 4, 4)
    bar[..., 3] = 1  # its edge is outside
    assert image_gradient(bar, torch.zeros(1, 3, 4, 4), left).item() == 0
    bar = bar.flip(-1)  # the edge between columns 0 and 1 is inside
    assert image_gradient(bar, torch.zeros(1, 3, 4, 4), left).item() == 0.5


def test_flow_smoothness_of_affine_and_curved_flows() -> None:
    x = torch.arange(6.0).expand(1, 2, 5, 6)
    assert flow_smoothness(torch.full((1, 2, 5, 6), 3.0)).item() == 0
    assert flow_smoothness(2 * x + 1).item() == 0
    assert flow_smoothness(x.square()).item() == pytest.approx(1.0)  # second difference 2 horizontally, 0 vertically
    assert flow_smoothness(torch.ones(1, 2, 2, 2)).item() == 0
    assert flow_smoothness(x.square().half()).dtype == torch.float32


def test_lpips_of_known_features() -> None:
    result = torch.tensor([3.0, 4.0]).view(1, 2, 1, 1)  # normalized: (0.6, 0.8)
    target = torch.tensor([0.0, 2.0]).view(1, 2, 1, 1)  # (0, 1)
    head = torch.tensor([1.0, 10.0]).view(1, 2, 1, 1)
    assert lpips(result, target, head).item() == pytest.approx(0.36 + 10 * 0.04)
    assert lpips(result * 7, target, head).item() == pytest.approx(0.36 + 10 * 0.04)  # scale does not matter


@pytest.mark.parametrize("term", ["l1", "image_gradient", "lpips", "flow_smoothness"])
def test_gradcheck(term: str) -> None:
    random = torch.Generator().manual_seed(5)
    result, target = (torch.rand(1, 3, 4, 4, generator=random, dtype=torch.float64) for _ in range(2))
    weight = torch.rand(1, 1, 4, 4, generator=random, dtype=torch.float64)
    head = torch.rand(1, 3, 1, 1, generator=random, dtype=torch.float64)
    function = {
        "l1": lambda x: l1(x, target, weight),
        "image_gradient": lambda x: image_gradient(x, target, weight),
        "lpips": lambda x: lpips(x, target, head),
        "flow_smoothness": flow_smoothness,
    }[term]
    assert torch.autograd.gradcheck(function, [result.requires_grad_()])
