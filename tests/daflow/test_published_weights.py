"""Published checkpoints load in every published form, run no code, and report all mismatches at once."""

from __future__ import annotations

import argparse
import collections
import os
from pathlib import Path

import pytest
import torch
from torch import Tensor

from tryon.daflow import DAFlow, DAFlowConfig, load_published, published_state, read_checkpoint, validate_state
from tryon.errors import WeightsError


@pytest.fixture(scope="module")
def state() -> dict[str, Tensor]:
    """Zeros of the published shapes without memory: tests of names and shapes need no values."""
    with torch.device("meta"):
        shapes = DAFlow().state_dict()
    return {key: torch.zeros((), dtype=value.dtype).expand(value.shape) for key, value in shapes.items()}


def _saved(path: Path, content: object) -> Path:
    torch.save(content, path)
    return path


def _parallel(state: dict[str, Tensor]) -> dict[str, Tensor]:
    return {f"module.{key}": value for key, value in state.items()}


FORMS = {
    "bare": lambda state: state,
    "ordered": collections.OrderedDict,
    "module prefix": _parallel,
    "wrapped": lambda state: {"state_dict": state, "epoch": 200},
    "wrapped, module prefix, options": lambda state: {
        "args": argparse.Namespace(lr=5e-5, name="viton", sizes=[256, 192]),
        "state_dict": _parallel(state),
    },
}


@pytest.mark.parametrize("form", FORMS)
def test_reads_every_published_form(form, state, tmp_path):
    found = published_state(_saved(tmp_path / "ckpt.pt", FORMS[form](state)))
    assert list(found) == list(state)
    assert all(found[key].shape == value.shape for key, value in state.items())


def test_loaded_network_is_trainable(recorded_state, tmp_path):
    network = load_published(str(_saved(tmp_path / "ckpt.pt", recorded_state)))
    assert all(torch.equal(value, recorded_state[key]) for key, value in network.state_dict().items())
    assert all(parameter.requires_grad and parameter.device.type == "cpu" for parameter in network.parameters())
    assert network.config == DAFlowConfig()


def test_half_precision_checkpoints_become_float32(state, tmp_path):
    halves = {key: value.half() if value.is_floating_point() else value for key, value in state.items()}
    found = published_state(_saved(tmp_path / "ckpt.pt", halves))
    assert {value.dtype for value in found.values()} == {torch.float32, torch.int64}


class _Trap:
    """Would create a file if it were unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self):
        return os.mkdir, (str(self.mark),)


def test_rejects_pickled_code_without_running_it(state, tmp_path):
    mark = tmp_path / "ran"
    path = _saved(tmp_path / "ckpt.pt", {"state_dict": state, "args": _Trap(mark)})
    with pytest.raises(WeightsError, match=r"could run code when loaded: found '\w+\.mkdir'"):
        load_published(path)
    assert not mark.exists()


def test_rejects_a_pickled_network(tmp_path):
    network = DAFlow(DAFlowConfig.narrow(levels=2, divisor=16))
    with pytest.raises(WeightsError, match=r"DAFlow.*plain state dict"):
        load_published(_saved(tmp_path / "ckpt.pt", network))


def test_lists_all_mismatches(state, tmp_path):
    first, second, *_ = state
    faulty = dict(state)
    del faulty[first]
    faulty[second] = torch.zeros(7)
    faulty["head.weight"] = torch.zeros(1)
    with pytest.raises(WeightsError) as error:
        published_state(_saved(tmp_path / "ckpt.pt", faulty))
    for part in (f"1 missing: {first}", "1 unknown: head.weight", f"{second} (7,) instead of (3,)", "ckpt.pt"):
        assert part in str(error.value)


def test_truncates_long_lists(state, tmp_path):
    with pytest.raises(WeightsError, match=r"457 missing: .* and 447 more"):
        published_state(_saved(tmp_path / "ckpt.pt", dict(list(state.items())[:11])))


def test_missing_file_is_named(tmp_path):
    with pytest.raises(WeightsError, match=r"nowhere\.pt"):
        load_published(tmp_path / "nowhere.pt")


@pytest.mark.parametrize("fraction", [0.0, 0.3, 0.99])
def test_rejects_truncated_file(fraction, tmp_path):
    path = _saved(tmp_path / "ckpt.pt", {"a.weight": torch.zeros(1000)})
    path.write_bytes(path.read_bytes()[: int(fraction * path.stat().st_size)])
    with pytest.raises(WeightsError, match="Download it again"):
        read_checkpoint(path)


def test_rejects_other_file_types(tmp_path):
    path = tmp_path / "ckpt.pt"
    path.write_text("<!DOCTYPE html><title>Sign in</title>")
    with pytest.raises(WeightsError, match="Download it again"):
        read_checkpoint(path)


@pytest.mark.parametrize(
    "content",
    [{"epoch": 3}, [torch.zeros(2)], {}, {0: torch.zeros(2)}],
    ids=["no tensors", "a list", "empty", "numbered"],
)
def test_rejects_content_without_a_state_dict(content, tmp_path):
    with pytest.raises(WeightsError, match="a state dict"):
        published_state(_saved(tmp_path / "ckpt.pt", content))


def test_rejects_the_state_of_another_network():
    small, smaller = (DAFlow(DAFlowConfig.narrow(levels=2, divisor=divisor)) for divisor in (8, 16))
    assert list(validate_state(small, small.state_dict(), "itself")) == list(small.state_dict())
    with pytest.raises(WeightsError, match="of another shape"):
        validate_state(small, smaller.state_dict(), "the other")
