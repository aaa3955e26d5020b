"""GPU placement, tested without a GPU by tensors that have a device but no data.

Operations on tensors of two devices fail, and so does reading values, so a tensor created on the host, a value copied
back or a CPU-only operation fails a test.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor
from torch._subclasses.fake_tensor import FakeTensorMode

from tryon.config.training import FinetuneSettings, LossSettings
from tryon.daflow import DAFlow, DAFlowConfig
from tryon.daflow.warp import select_warp
from tryon.loading.transforms import denormalize, mask_person, normalize
from tryon.training.ema import ExponentialMovingAverage
from tryon.training.losses import Loss, LossTargets, Perceptual
from tryon.training.losses.perceptual_terms import LPIPS_SCALE, LPIPS_SHIFT
from tryon.training.losses.vgg import FrozenVgg
from tryon.training.optimizer import freeze_bn_stats, make_optimizer
from tryon.training.validation import garment_l1

SIZE = (128, 96)
ALL_TERMS = {"perceptual": "vgg", "masked_weight": 3.0, "image_gradient": 1.0, "flow_smoothness": 0.1}

MakeState = Callable[..., dict[str, Tensor]]
MakeHeads = Callable[..., list[Tensor]]


@pytest.fixture
def frozen(make_state: MakeState, make_heads: MakeHeads) -> Perceptual:
    vgg16 = FrozenVgg.from_state(make_state("vgg16"), "vgg16", LPIPS_SHIFT, LPIPS_SCALE)
    return Perceptual({"vgg16": vgg16, "vgg19": FrozenVgg.from_state(make_state("vgg19"), "vgg19")}, make_heads())


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["auto", "reference", "recompute", "gather"])
def test_network_runs_on_the_device_of_its_weights(backend: str) -> None:
    with FakeTensorMode(), torch.device("cuda"):
        network = DAFlow(DAFlowConfig.narrow()).use_warp(backend).train()
        images = [torch.rand(2, channels, *SIZE) for channels in (6, 3, 3)]
        result, scales = network(*images, all_scales=True)
    assert {scale.device.type for scale in scales} == {"cuda"}
    assert result.shape == (2, 3, *SIZE)


def test_gpu_uses_recompute_and_half_precision_networks(frozen: Perceptual) -> None:
    assert select_warp("auto", torch.device("cuda")) == "recompute"
    with FakeTensorMode(allow_non_fake_inputs=True):
        moved = frozen.to(torch.device("cuda"))
    for network in moved.networks.values():
        weights = [layer.weight for layer in network.layers]
        assert {(weight.device.type, weight.dtype) for weight in weights} == {("cuda", torch.float16)}
    assert {(head.device.type, head.dtype) for head in moved.heads} == {("cuda", torch.float32)}


@pytest.mark.slow
def test_training_step_uses_no_host_tensors(frozen: Perceptual) -> None:
    """Uses the meta device, which supports gradients."""
    settings = FinetuneSettings.model_validate({"loss": ALL_TERMS})
    loss = Loss(LossSettings.model_validate(ALL_TERMS), frozen.to(torch.device("meta"), torch.float16))
    with torch.device("meta"):
        network = DAFlow(DAFlowConfig.narrow()).train()
        person = normalize(torch.zeros(2, 3, *SIZE, dtype=torch.uint8))
        mask = torch.zeros(2, 1, *SIZE, dtype=torch.bool)
    freeze_bn_stats(network)
    optimizer, ema = make_optimizer(network, settings), ExponentialMovingAverage(network, 0.9)
    agnostic = mask_person(person, mask)
    with loss.capturing_offsets(network) as offsets:
        result, scales = network(torch.cat([person, agnostic], 1), person, agnostic, all_scales=True)
    value = loss(scales, LossTargets(person, mask, mask), offsets)
    value.total.backward()
    torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
    optimizer.step()
    ema.update(network, 0)
    assert denormalize(result).dtype == torch.uint8
    assert garment_l1(result, person, mask).shape == (2,)
    terms = {"l1", "lpips", "style", "content", "image_gradient", "flow_smoothness"}
    assert set(value.terms) == set(loss.term_names) == terms
    gradients = [parameter.grad for parameter in network.parameters()]
    assert {None if gradient is None else gradient.device.type for gradient in gradients} == {"meta"}
