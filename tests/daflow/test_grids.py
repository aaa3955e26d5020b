"""Sampling grids: two conventions, x before y, composition and upsampling."""

from __future__ import annotations

import pytest
import torch

from tryon.daflow.grids import Flow, offsets_to_grid, sample


def test_zero_offsets_keep_images_on_the_identity_grid():
    image = torch.randn(3, 2, 7, 5, dtype=torch.float64)
    grid = offsets_to_grid(torch.zeros_like(image), "identity")
    torch.testing.assert_close(sample(image, grid), image, rtol=0, atol=1e-12)


def test_zero_offsets_span_minus_one_to_one_on_the_published_grid():
    grid = offsets_to_grid(torch.zeros(1, 2, 4, 3), "published")
    torch.testing.assert_close(grid[0, 0], torch.tensor([-1.0, 0.0, 1.0]).expand(4, 3))
    torch.testing.assert_close(grid[0, 1], torch.tensor([-1.0, -1 / 3, 1 / 3, 1.0])[:, None].expand(4, 3))


def test_published_grid_stretches_by_w_over_w_minus_one():
    ramp = torch.arange(8.0, dtype=torch.float64).expand(1, 1, 8, 8)
    sampled = sample(ramp, offsets_to_grid(torch.zeros(1, 2, 8, 8, dtype=torch.float64), "published"))[0, 0, 0]
    torch.testing.assert_close(sampled[2:6].diff(), torch.full((3,), 8 / 7, dtype=torch.float64))


@pytest.mark.parametrize(("kind", "stretch"), [("published", 6 / 5), ("identity", 1.0)])
def test_offsets_are_pixels_x_first(kind, stretch):
    offsets = torch.zeros(1, 2, 6, 6, dtype=torch.float64)
    moved = offsets.clone()
    moved[:, 0] = 1.0
    step = offsets_to_grid(moved, kind) - offsets_to_grid(offsets, kind)
    torch.testing.assert_close(step[:, 0], torch.full((1, 6, 6), stretch * 2 / 6, dtype=torch.float64))
    assert not step[:, 1].any()


def test_half_precision_offsets_are_widened():
    assert offsets_to_grid(torch.zeros(1, 2, 4, 4, dtype=torch.bfloat16), "published").dtype == torch.float32


def test_sampling_a_grid_at_a_grid_composes_the_flows():
    right, down = torch.zeros(2, 1, 2, 9, 9, dtype=torch.float64)
    right[:, 0], down[:, 1] = 2.0, 1.0
    both = sample(offsets_to_grid(right, "identity"), offsets_to_grid(down, "identity"))
    torch.testing.assert_close(both[..., :-1, :], offsets_to_grid(right + down, "identity")[..., :-1, :])


def test_upsampling_doubles_sides_and_keeps_coordinates_and_sums():
    grid = offsets_to_grid(torch.zeros(2, 2, 4, 3), "identity")
    attention = torch.rand(1, 2, 4, 3).softmax(1)
    up = Flow(grid, attention).upsample()
    assert up.grid.shape == (2, 2, 8, 6)
    torch.testing.assert_close(
        up.grid[..., 1:-1, 1:-1], offsets_to_grid(torch.zeros(2, 2, 8, 6), "identity")[..., 1:-1, 1:-1]
    )
    torch.testing.assert_close(up.attention.sum(1), torch.ones(1, 8, 6))
