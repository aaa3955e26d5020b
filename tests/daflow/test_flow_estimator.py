"""The layout of the estimators' output."""

from __future__ import annotations

import torch

from tryon.daflow.flow_estimator import FlowEstimator, split_joint, split_single

HEADS = 3


def test_one_branch_is_head_major_x_before_y_then_logits():
    output = torch.arange(9.0).view(1, 9, 1, 1).expand(2, 9, 2, 2)
    offsets, attention = split_single(output, HEADS)
    assert offsets.shape == (2 * HEADS, 2, 2, 2)
    assert offsets[:, :, 0, 0].tolist() == [[0, 1], [2, 3], [4, 5]] * 2
    torch.testing.assert_close(attention[0, :, 0, 0], torch.tensor([6.0, 7.0, 8.0]).softmax(0))


def test_both_branches_share_one_softmax_and_the_person_comes_first_in_it():
    output = torch.arange(18.0).view(1, 18, 1, 1)
    garment_offsets, person_offsets, garment, person = split_joint(output, HEADS)
    assert garment_offsets.flatten(1).tolist() == [[0, 1], [2, 3], [4, 5]]
    assert person_offsets.flatten(1).tolist() == [[6, 7], [8, 9], [10, 11]]
    torch.testing.assert_close(torch.cat((person, garment), 1).flatten(), torch.arange(12.0, 18.0).softmax(0))


def test_first_layer_is_3x3_and_the_others_follow_the_kernel():
    estimator = FlowEstimator(16, (8, 6), outputs=9, kernel=7)
    kernels = [tuple(layer.weight.shape) for layer in estimator.layers if hasattr(layer, "weight")]
    assert kernels == [(8, 16, 3, 3), (6, 8, 7, 7), (9, 6, 7, 7)]
    assert estimator(torch.rand(2, 8, 4, 3), torch.rand(2, 8, 4, 3)).shape == (2, 9, 4, 3)


def test_garment_and_person_are_read_as_if_side_by_side():
    torch.manual_seed(2)
    estimator = FlowEstimator(10, (8, 6), outputs=9, kernel=3).double()
    garment, person = torch.randn(2, 2, 5, 4, 3, dtype=torch.float64)
    side_by_side = estimator.layers(torch.cat((garment, person), dim=1))
    torch.testing.assert_close(estimator(garment, person), side_by_side, rtol=0, atol=1e-12)
