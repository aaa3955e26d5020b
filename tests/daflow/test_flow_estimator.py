"""Layout of the flow estimators' output."""

from __future__ import annotations

import torch

from tryon.daflow.flow_estimator import FlowEstimator, split_joint, split_single

NUM_FLOWS = 3


def test_split_single_is_flow_major_x_before_y_then_logits():
    output = torch.arange(9.0).view(1, 9, 1, 1).expand(2, 9, 2, 2)
    offsets, attention = split_single(output, NUM_FLOWS)
    assert offsets.shape == (2 * NUM_FLOWS, 2, 2, 2)
    assert offsets[:, :, 0, 0].tolist() == [[0, 1], [2, 3], [4, 5]] * 2
    torch.testing.assert_close(attention[0, :, 0, 0], torch.tensor([6.0, 7.0, 8.0]).softmax(0))


def test_split_joint_uses_one_softmax_with_the_person_first():
    output = torch.arange(18.0).view(1, 18, 1, 1)
    garment_offsets, person_offsets, garment, person = split_joint(output, NUM_FLOWS)
    assert garment_offsets.flatten(1).tolist() == [[0, 1], [2, 3], [4, 5]]
    assert person_offsets.flatten(1).tolist() == [[6, 7], [8, 9], [10, 11]]
    torch.testing.assert_close(torch.cat((person, garment), 1).flatten(), torch.arange(12.0, 18.0).softmax(0))


def test_first_layer_is_3x3_and_the_others_follow_the_kernel():
    estimator = FlowEstimator(16, (8, 6), outputs=9, kernel=7)
    kernels = [tuple(layer.weight.shape) for layer in estimator.layers if hasattr(layer, "weight")]
    assert kernels == [(8, 16, 3, 3), (6, 8, 7, 7), (9, 6, 7, 7)]
    assert estimator(torch.rand(2, 8, 4, 3), torch.rand(2, 8, 4, 3)).shape == (2, 9, 4, 3)


def test_split_first_layer_equals_concatenated_input():
    torch.manual_seed(2)
    estimator = FlowEstimator(10, (8, 6), outputs=9, kernel=3).double()
    garment, person = torch.randn(2, 2, 5, 4, 3, dtype=torch.float64)
    concatenated = estimator.layers(torch.cat((garment, person), dim=1))
    torch.testing.assert_close(estimator(garment, person), concatenated, rtol=0, atol=1e-12)
