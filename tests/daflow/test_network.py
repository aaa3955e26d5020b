"""The network reproduces the golden reference, and validates its inputs."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tryon.daflow import DAFlow, DAFlowConfig, NetworkInputError, NetworkOptionError, convolution
from tryon.daflow.warp import WARPS
from tryon.errors import TryOnError


def test_weights_match_their_recipe(golden, recorded_state):
    for key, expected in zip(golden["weight_check_keys"], golden["weight_check"], strict=True):
        values = recorded_state[str(key)].double()
        np.testing.assert_allclose([float(values.sum()), float(values.abs().sum())], expected, rtol=1e-12, atol=1e-9)


def test_inputs_match_their_recipe(golden, recorded_inputs):
    found = [[float(x.double().sum()), float(x.double().abs().sum())] for x in recorded_inputs]
    np.testing.assert_allclose(found, golden["input_check"], rtol=1e-12, atol=1e-9)


def test_default_state_dict_equals_the_published_one(published_entries):
    with torch.device("meta"):
        network = DAFlow()
    found = [
        {"key": key, "shape": list(value.shape), "dtype": str(value.dtype).removeprefix("torch.")}
        for key, value in network.state_dict().items()
    ]
    assert found == published_entries
    assert network.parameter_count == 37_651_485


@pytest.mark.slow
@pytest.mark.parametrize("backend", WARPS)
def test_float32_matches_the_reference(backend, network, recorded_inputs, golden, deviation):
    with torch.inference_mode():
        result, results = network.use_warp(backend)(*recorded_inputs, all_scales=True)
    assert deviation(results) <= 1e-4
    assert float((result - torch.from_numpy(golden["result_tryon"])).abs().max()) <= 1e-4
    assert [tuple(scale.shape) for scale in results] == [(2, 3, 8 * 2**i, 6 * 2**i) for i in range(5)]


@pytest.mark.slow
@pytest.mark.parametrize("band", [convolution.BAND_PIXELS, 200], ids=["plain", "banded"])
def test_float64_values_and_gradients_match_the_reference(band, network, recorded_inputs, golden, monkeypatch):
    monkeypatch.setattr(convolution, "BAND_PIXELS", band)  # bands as on large maps
    result, results = network.double()(*(x.double() for x in recorded_inputs), all_scales=True)
    loss = result.mean() + torch.stack([scale.mean() for scale in results]).sum()
    loss.backward()
    assert float((result.detach() - torch.from_numpy(golden["result_tryon_f64"])).abs().max()) <= 1e-9
    for scale in range(3):
        recorded = torch.from_numpy(golden[f"results_all_{scale}_f64"])
        assert float((results[scale].detach() - recorded).abs().max()) <= 1e-9
    assert loss.item() == pytest.approx(float(golden["loss_f64"]), abs=1e-12)
    norms = [network.get_parameter(str(name)).grad.norm().item() for name in golden["grad_names"]]
    np.testing.assert_allclose(norms, golden["grad_norms_f64"], rtol=1e-7)


@pytest.mark.slow
def test_train_mode_uses_and_updates_batch_statistics(network, recorded_inputs, golden):
    with torch.no_grad():
        result = network.double().train()(*(x.double() for x in recorded_inputs))
    assert float((result - torch.from_numpy(golden["train_mode_result_f32"])).abs().max()) <= 1e-5
    running_mean = network.get_buffer("reference_features.encoders.3.1.block.0.running_mean")
    np.testing.assert_allclose(running_mean.numpy(), golden["train_mode_running_mean_f64"], atol=1e-9)


def test_last_scale_equals_the_result_with_and_without_all_scales(network, recorded_inputs):
    with torch.inference_mode():
        result, results = network(*recorded_inputs, all_scales=True)
        single_scale = network(*recorded_inputs)
    assert results[-1] is result
    assert torch.equal(single_scale, result)


def test_samples_are_independent_in_eval_mode(network, recorded_inputs):
    with torch.inference_mode():
        both = network(*recorded_inputs)
        single = torch.cat([network(*(x[i : i + 1] for x in recorded_inputs)) for i in range(2)])
    assert float((both - single).abs().max()) <= 1e-4


@pytest.fixture(scope="module")
def small() -> DAFlow:
    return DAFlow(DAFlowConfig.narrow(levels=2, divisor=16))


def _input_error(network: DAFlow, *shapes: tuple[int, ...]) -> str:
    """The message; on the meta device, where nothing could be computed anyway."""
    with pytest.raises(NetworkInputError) as error:
        network(*(torch.empty(shape, device="meta") for shape in shapes))
    assert isinstance(error.value, ValueError)
    assert isinstance(error.value, TryOnError)
    return str(error.value)


@pytest.mark.parametrize("size", [(32, 32), (32, 64), (64, 32), (96, 80), (100, 96), (0, 64)])
def test_rejects_unsupported_sides(size):
    with torch.device("meta"):
        network = DAFlow()
    message = _input_error(network, (1, 6, *size), (1, 3, *size), (1, 3, *size))
    assert "multiples of 32 and at least 64" in message
    assert str(size) in message


def test_minimum_side_follows_the_number_of_levels(small):
    assert "multiples of 4 and at least 8" in _input_error(small, (1, 6, 4, 8), (1, 3, 4, 8), (1, 3, 4, 8))


@pytest.mark.parametrize(
    ("shapes", "named"),
    [
        (((1, 3, 8, 8), (1, 3, 8, 8), (1, 3, 8, 8)), "reference"),
        (((1, 6, 8, 8), (1, 1, 8, 8), (1, 3, 8, 8)), "garment"),
        (((1, 6, 8, 8), (1, 3, 8, 8), (3, 8, 8)), "agnostic"),
        (((1, 6, 8, 8), (1, 3, 8, 12), (1, 3, 8, 8)), "differ in batch size, height or width"),
        (((1, 6, 8, 8), (2, 3, 8, 8), (1, 3, 8, 8)), "differ in batch size, height or width"),
    ],
)
def test_rejects_inconsistent_inputs(small, shapes, named):
    assert named in _input_error(small, *shapes)


def test_extra_garment_channels_are_encoded_but_not_warped():
    config = DAFlowConfig(
        garment_channels=4,
        encoder_channels=(4, 8),
        pyramid_channels=8,
        flow_channels=(8, 4),
        image_encoder_channels=(4, 8),
    )
    network = DAFlow(config)
    result = network(torch.rand(1, 6, 8, 12), torch.rand(1, 4, 8, 12), torch.rand(1, 3, 8, 12))
    assert result.shape == (1, 3, 8, 12)


def test_smallest_size_trains_with_finite_gradients(small):
    images = [torch.rand(1, channels, 8, 8) for channels in (6, 3, 3)]
    _, results = small(*images, all_scales=True)
    torch.stack([scale.square().mean() for scale in results]).sum().backward()
    assert all(parameter.grad is not None and parameter.grad.isfinite().all() for parameter in small.parameters())


def test_trains_under_autocast_with_grids_kept_in_float32(small):
    images = [torch.rand(2, channels, 16, 24) for channels in (6, 3, 3)]
    with torch.autocast("cpu", dtype=torch.bfloat16):
        result = small(*images)
    result.float().mean().backward()
    plain = small(*images)
    assert (result.float() - plain).abs().max().item() < 0.05


def test_rejects_unknown_warp(small):
    with pytest.raises(NetworkOptionError, match="gather"):
        small.use_warp("fastest")
