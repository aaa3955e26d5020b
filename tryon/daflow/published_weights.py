"""Published checkpoints in: read without running anything inside them, checked whole, errors listed at once.

The released upper-body checkpoint (`ckpt_viton.pt`) is found in several forms: the bare state dict, one wrapped as
{"state_dict": ...} beside other entries (an `argparse.Namespace` of options among them), and either of them with every
key under "module.".
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
    """Build the published network from a released checkpoint.

    Args:
        path: a file written by `torch.save`.

    Returns:
        The network, float32, on the CPU, in train mode like any fresh module.

    Raises:
        WeightsError: as `published_state`.
    """
    with torch.device("meta"):  # no point in drawing 37 million numbers first
        network = DAFlow()
    network.load_state_dict(published_state(path), assign=True)
    return network


def published_state(path: Path | str) -> dict[str, Tensor]:
    """Read a released checkpoint's state dict, under the published names.

    Args:
        path: a file written by `torch.save`.

    Returns:
        468 tensors on the CPU, floating ones float32.

    Raises:
        WeightsError: the file is missing, damaged, holds more than plain data, or does not fit the published network.
    """
    with torch.device("meta"):
        network = DAFlow()
    state = validate_state(network, state_dict_in(read_checkpoint(path), str(path)), str(path))
    return {key: value.float() if value.is_floating_point() else value for key, value in state.items()}


def read_checkpoint(path: Path | str) -> Any:
    """Read a file written by `torch.save`: tensors, plain containers, `argparse.Namespace`; nothing that can run code.

    Raises:
        WeightsError: the file is missing, damaged, or holds objects of any other kind.
    """
    path = Path(path)
    if not path.is_file():
        raise WeightsError(
            f"checkpoint {path}", expected="an existing file", hint="Check the path, or download it again"
        )
    try:
        with torch.serialization.safe_globals([argparse.Namespace]):
            return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # a damaged file can fail anywhere in the reader
        forbidden = re.search(r"GLOBAL ([\w.]+)", str(error))
        if isinstance(error, pickle.UnpicklingError) and forbidden:
            rule = "tensors, plain containers and argparse.Namespace only, as unpickling anything else could run code"
            remedy = "Save it again as a plain state dict"
            raise WeightsError(f"checkpoint {path}", expected=rule, found=forbidden[1], hint=remedy) from error
        rule, remedy = "a complete file written by torch.save", "Download it again: it is damaged or cut off"
        raise WeightsError(f"checkpoint {path}", expected=rule, hint=remedy) from error


def state_dict_in(content: Any, source: str) -> dict[str, Tensor]:
    """Find the state dict in what was read: bare or under "state_dict", with or without "module." before every key.

    Raises:
        WeightsError: when there is none.
    """
    state = content.get("state_dict", content) if isinstance(content, Mapping) else content
    tensors = isinstance(state, Mapping) and all(isinstance(value, Tensor) for value in state.values())
    if not tensors or not state or not all(isinstance(key, str) for key in state):
        found = sorted(map(str, state))[:10] if isinstance(state, Mapping) else type(state).__name__
        raise WeightsError(source, expected="a state dict, bare or under the key 'state_dict'", found=found)
    if all(key.startswith(PARALLEL_PREFIX) for key in state):
        return {key.removeprefix(PARALLEL_PREFIX): value for key, value in state.items()}
    return dict(state)


def validate_state(network: DAFlow, state: Mapping[str, Tensor], source: str) -> dict[str, Tensor]:
    """Return `state` in the network's order, or list everything in it that does not fit.

    Args:
        network: the one to be loaded; may be on the meta device.
        state: names and tensors.
        source: where they came from, for the message.

    Raises:
        WeightsError: names are missing or unknown, or shapes differ.
    """
    wanted = network.state_dict()
    missing = [key for key in wanted if key not in state]
    unknown = [key for key in state if key not in wanted]
    reshaped = [
        f"{key} {tuple(state[key].shape)} instead of {tuple(tensor.shape)}"
        for key, tensor in wanted.items()
        if key in state and state[key].shape != tensor.shape
    ]
    faults = (("missing", missing), ("unknown", unknown), ("of another shape", reshaped))
    found = "; ".join(f"{len(names)} {fault}: {format_list(names)}" for fault, names in faults if names)
    if found:
        rule = f"the {len(wanted)} tensors of this network, by name and shape"
        raise WeightsError(
            f"weights from {source}", expected=f"{rule}; {found}", hint="Use a checkpoint of this network"
        )
    return {key: state[key] for key in wanted}
