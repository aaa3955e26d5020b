"""Network options: round trip through plain values, and validation."""

from __future__ import annotations

import json

import pytest
import torch

from tryon.daflow import DAFlow, DAFlowConfig, NetworkOptionError


@pytest.mark.parametrize("config", [DAFlowConfig(), DAFlowConfig.narrow(), DAFlowConfig.narrow(levels=2, divisor=16)])
def test_round_trip_through_json(config):
    assert DAFlowConfig.from_dict(json.loads(json.dumps(config.to_dict()))) == config


def test_network_keeps_its_config():
    config = DAFlowConfig.narrow(levels=3, divisor=8)
    with torch.device("meta"):
        assert DAFlow(config).config == config
        assert DAFlow().config == DAFlowConfig()


def test_narrow_is_a_quarter_as_wide_on_the_identity_grid():
    config = DAFlowConfig.narrow()
    assert config.encoder_channels == (16, 32, 64, 64)
    assert (config.pyramid_channels, config.flow_channels, config.image_encoder_channels) == (64, (32, 16, 8), (8, 16))
    assert config.grid_normalization == "identity"
    assert config.side_multiple == 16


@pytest.mark.parametrize(
    "options",
    [
        {"encoder_channels": ()},
        {"encoder_channels": (8, 0)},
        {"encoder_channels": 8},
        {"encoder_channels": "88"},
        {"encoder_channels": (8, None)},
        {"num_flows": 0},
        {"num_flows": "six"},
        {"num_flows": 2.0},
        {"pyramid_channels": None},
        {"grid_normalization": ["identity"]},
        {"garment_channels": 1},
        {"image_encoder_channels": (8,)},
        {"grid_normalization": "centered"},
        {"depth": 5},
        {5: "depth"},
    ],
    ids=str,
)
def test_rejects_invalid_options(options):
    with pytest.raises(NetworkOptionError, match=str(next(iter(options)))):
        DAFlowConfig.from_dict(options)


@pytest.mark.parametrize("options", [None, 3, ["num_flows"]], ids=str)
def test_rejects_other_types(options):
    with pytest.raises(NetworkOptionError, match="expected a mapping"):
        DAFlowConfig.from_dict(options)


@pytest.mark.parametrize("levels", [0, 6])
def test_narrow_rejects_invalid_levels(levels):
    with pytest.raises(NetworkOptionError, match="1 to 5"):
        DAFlowConfig.narrow(levels=levels)
