"""The recorded reference: weights and inputs rebuilt from their recipe, golden outputs from the file beside."""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from tryon.daflow import DAFlow

HERE = Path(__file__).parent
SIZE = (128, 96)


def recorded_weight(key: str, shape: tuple[int, ...]) -> Tensor:
    """The recipe of the reference: every tensor depends on its own key only."""
    draws = np.random.default_rng(zlib.crc32(key.encode())).standard_normal(shape)
    parts = key.split(".")
    fan_in = np.prod(shape[1:])
    if parts[-1] == "num_batches_tracked":
        return torch.zeros(shape, dtype=torch.int64)
    if parts[-1] == "running_var":
        values = 1 + 0.1 * np.abs(draws)
    elif parts[-1] == "running_mean":
        values = 0.1 * draws
    elif parts[-1] == "bias":
        values = 0.02 * draws
    elif len(shape) == 1:
        values = 1 + 0.02 * draws
    elif parts[0] == "dafnet" and ".layers." in key and parts[-2] == "6":
        values = 1.5 * draws / np.sqrt(fan_in)
    else:
        values = 0.7 * np.sqrt(2 / fan_in) * draws
    return torch.from_numpy(np.asarray(values, dtype=np.float32))


@pytest.fixture(scope="session")
def golden() -> Mapping[str, Any]:
    return dict(np.load(HERE / "daflow_parity.npz"))


@pytest.fixture(scope="session")
def published_entries() -> list[dict[str, Any]]:
    """Key, shape and dtype of every entry of the published state dict, in order."""
    return json.loads((HERE / "daflow_state_dict.json").read_text())


@pytest.fixture(scope="session")
def recorded_state(published_entries: list[dict[str, Any]]) -> dict[str, Tensor]:
    return {entry["key"]: recorded_weight(entry["key"], tuple(entry["shape"])) for entry in published_entries}


@pytest.fixture(scope="session")
def recorded_inputs() -> tuple[Tensor, ...]:
    """Reference, garment, agnostic, B = 2."""
    draws = np.random.default_rng(20220711)
    images = [np.tanh(draws.standard_normal((2, channels, *SIZE))).astype(np.float32) for channels in (6, 3, 3)]
    return tuple(map(torch.from_numpy, images))


@pytest.fixture(scope="session")
def _built(recorded_state: dict[str, Tensor]) -> DAFlow:
    network = DAFlow()
    network.load_state_dict(recorded_state)
    return network


@pytest.fixture
def network(_built: DAFlow, recorded_state: dict[str, Tensor]) -> DAFlow:
    """The published network with the recorded weights, float32, eval mode, automatic warp."""
    _built.float().load_state_dict(recorded_state)
    _built.zero_grad()
    return _built.use_warp("auto").eval()


@pytest.fixture
def deviation(golden: Mapping[str, Any]):
    """Largest absolute difference of all scales from the recorded float32 results of the same batch size."""

    def largest(results: list[Tensor]) -> float:
        recorded = [torch.from_numpy(golden[f"results_all_{scale}"]) for scale in range(5)]
        return max(float((a - b[: len(a)]).abs().max()) for a, b in zip(results, recorded, strict=True))

    return largest
