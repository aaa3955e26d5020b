"""What a GPU runs stays on the GPU, as far as that can be seen without one: tensors with a device and no content.

Operations refuse tensors of two devices, and a device without content refuses to be read, so a tensor made on the host,
a number taken back or an operation that only a CPU has would end a test.
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
from tryon.training.losses import Loss, LossTargets, Perceptual, perceptual_terms
from tryon.training.losses.vgg import FrozenVgg
from tryon.training.optimizer import freeze_bn_stats, make_optimizer
from tryon.training.validation import garment_l1

SIZE = (128, 96)
ALL_TERMS = {"perceptual": "vgg", "masked_weight": 3.0, "image_gradient": 1.0, "flow_smoothness": 0.1}

MakeState = Callable[..., dict[str, Tensor]]
MakeHeads = Callable[..., list[Tensor]]


@pytest.fixture
def frozen(make_state: MakeState, make_heads: MakeHeads) -> Perceptual:
    vgg16 = FrozenVgg.from_state(
        make_state("vgg16"), "vgg16", perceptual_terms.LPIPS_SHIFT, perceptual_terms.LPIPS_SCALE
    )
    return Perceptual({"vgg16": vgg16, "vgg19": FrozenVgg.from_state(make_state("vgg19"), "vgg19")}, make_heads())


@pytest.mark.parametrize("backend", ["auto", "reference", "lean", "gather"])
def test_the_network_runs_where_its_weights_are(backend: str) -> None:
    with FakeTensorMode(), torch.device("cuda"):
        network = DAFlow.from_config(DAFlowConfig.narrow()).use_warp(backend).train()
        images = [torch.rand(2, channels, *SIZE) for channels in (6, 3, 3)]
        result, scales = network(*images, all_scales=True)
    assert {scale.device.type for scale in scales} == {"cuda"}
    assert result.shape == (2, 3, *SIZE)


def test_a_gpu_gets_the_warp_that_keeps_least_and_the_frozen_networks_in_half_precision(frozen: Perceptual) -> None:
    assert select_warp("auto", torch.device("cuda")) == "lean"
    with FakeTensorMode(allow_non_fake_inputs=True):
        moved = frozen.to(torch.device("cuda"))
    for network in moved.networks.values():
        weights = [layer.weight for layer in network.layers]
        assert {(weight.device.type, weight.dtype) for weight in weights} == {("cuda", torch.float16)}
    assert {(head.device.type, head.dtype) for head in moved.heads} == {("cuda", torch.float32)}


def test_a_whole_step_needs_nothing_of_the_host(frozen: Perceptual) -> None:
    """On the device without content, where gradients can be had too."""
    settings = FinetuneSettings.model_validate({"loss": ALL_TERMS})
    loss = Loss(LossSettings.model_validate(ALL_TERMS), frozen.to(torch.device("meta"), torch.float16))
    with torch.device("meta"):
        network = DAFlow.from_config(DAFlowConfig.narrow()).train()
        person = normalize(torch.zeros(2, 3, *SIZE, dtype=torch.uint8))
        mask = torch.zeros(2, 1, *SIZE, dtype=torch.bool)
    freeze_bn_stats(network)
    optimizer, average = make_optimizer(network, settings), ExponentialMovingAverage(network, 0.9)
    agnostic = mask_person(person, mask)
    with loss.capturing_offsets(network) as offsets:
        result, scales = network(torch.cat([person, agnostic], 1), person, agnostic, all_scales=True)
    value = loss(scales, LossTargets(person, mask, mask), offsets)
    value.total.backward()
    torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
    optimizer.step()
    average.update(network, 0)
    assert denormalize(result).dtype == torch.uint8
    assert garment_l1(result, person, mask).shape == (2,)
    assert (
        set(value.terms)
        == set(loss.term_names)
        == {"l1", "lpips", "style", "content", "image_gradient", "flow_smoothness"}
    )
    slopes = [parameter.grad for parameter in network.parameters()]
    assert {None if slope is None else slope.device.type for slope in slopes} == {"meta"}
