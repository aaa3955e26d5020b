"""Read published checkpoints as data, validate them, and build the published network.

The released upper-body checkpoint (`ckpt_viton.pt`) exists as a bare state dict, or wrapped as {"state_dict": ...}
next to other entries (such as an `argparse.Namespace` of options); either may have every key prefixed by "module.".
"""

from __future__ import annotations

import argparse
import pickle
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from tryon.daflow.network import DAFlow
from tryon.errors import WeightsError, format_list

PARALLEL_PREFIX = "module."


def load_published(path: Path | str) -> DAFlow:
    """Build the published network from a released checkpoint: float32, on the CPU, in train mode."""
    with torch.device("meta"):  # skip the random initialization
        network = DAFlow()
    network.load_state_dict(published_state(path), assign=True)
    return network


def published_state(path: Path | str) -> dict[str, Tensor]:
    """Read the state dict of a released checkpoint: 468 tensors on the CPU, floating ones float32.

    Raises:
        WeightsError: the file is missing, damaged, holds more than plain data, or does not fit the published network.
    """
    with torch.device("meta"):
        network = DAFlow()
    state = validate_state(network, find_state_dict(read_checkpoint(path), str(path)), str(path))
    return {key: value.float() if value.is_floating_point() else value for key, value in state.items()}


def read_checkpoint(path: Path | str) -> Any:
    """Read a file written by `torch.save`: tensors, plain containers and `argparse.Namespace`, nothing executable.

    Raises:
        WeightsError: the file is missing, damaged, or holds other objects.
    """
    path = Path(path)
    if not path.is_file():
        raise WeightsError(f"checkpoint {path} not found", hint="Check the path, or download it again.")
    try:
        with torch.serialization.safe_globals([argparse.Namespace]):
            return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # a damaged file can fail anywhere in the reader
        forbidden = re.search(r"GLOBAL ([\w.]+)", str(error))
        if isinstance(error, pickle.UnpicklingError) and forbidden:
            raise WeightsError(
                f"checkpoint {path} holds an object that could run code when loaded",
                found=forbidden[1],
                expected="only tensors, plain containers and argparse.Namespace",
                hint="Save it again as a plain state dict.",
            ) from error
        raise WeightsError(
            f"checkpoint {path} is damaged or not written by torch.save", hint="Download it again."
        ) from error


def find_state_dict(content: Any, source: str) -> dict[str, Tensor]:
    """Find the state dict in a file's content: bare or under "state_dict", with or without the prefix "module."."""
    state = content.get("state_dict", content) if isinstance(content, Mapping) else content
    tensors = isinstance(state, Mapping) and all(isinstance(value, Tensor) for value in state.values())
    if not tensors or not state or not all(isinstance(key, str) for key in state):
        found = sorted(map(str, state))[:10] if isinstance(state, Mapping) else type(state).__name__
        raise WeightsError(
            f"{source} holds no state dict", found=found, expected="a state dict, bare or under the key 'state_dict'"
        )
    if all(key.startswith(PARALLEL_PREFIX) for key in state):
        return {key.removeprefix(PARALLEL_PREFIX): value for key, value in state.items()}
    return dict(state)


def validate_state(network: DAFlow, state: Mapping[str, Tensor], source: str) -> dict[str, Tensor]:
    """Return `state` in the network's order, or raise WeightsError listing everything in it that does not fit."""
    expected = network.state_dict()
    mismatches = {
        "missing": [key for key in expected if key not in state],
        "unknown": [key for key in state if key not in expected],
        "of another shape": [
            f"{key} {tuple(state[key].shape)} instead of {tuple(tensor.shape)}"
            for key, tensor in expected.items()
            if key in state and state[key].shape != tensor.shape
        ],
    }
    details = "; ".join(f"{len(names)} {kind}: {format_list(names)}" for kind, names in mismatches.items() if names)
    if details:
        raise WeightsError(
            f"weights from {source} do not fit the network's {len(expected)} tensors: {details}",
            hint="Use a checkpoint of this network.",
        )
    return {key: state[key] for key in expected}
