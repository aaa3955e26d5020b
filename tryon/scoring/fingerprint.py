"""What fixes a number: two results may be compared only where these facts are equal.

The evaluate stage writes the same block into `metrics.json` for its own numbers, which are those of `fitting-room`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torchmetrics
from numpy.typing import NDArray

from tryon.code_version import code_version
from tryon.dresscode.readers import Size
from tryon.files import digest, sha256_bytes, sha256_file
from tryon.metrics import Metric
from tryon.scoring.protocols import Protocol
from tryon.weights import WEIGHTS
from tryon.workspace import Workspace

CODE = "tryon.scoring.protocols"
"""The module whose import closure makes the numbers."""

LIBRARIES = ("torch", "torchmetrics", "torch-fidelity", "clean-fid", "opencv-python-headless", "pillow", "numpy")

NUMBERS = "numbers"
"""Key of the block whose entries fix one number each; all others fix every number."""

_HEADS = {"alexnet": "alex", "vgg16": "vgg", "squeezenet": "squeeze"}
"""The layers on top of LPIPS' backbones, which torchmetrics brings along."""


@dataclass
class PictureHashes:
    """True pictures as they were read, by pair and role; their order does not matter."""

    found: dict[str, str] = field(default_factory=dict)

    def add(self, pair_ids: Iterable[str], role: str, pictures: Iterable[NDArray[np.uint8]]) -> None:
        """Add pictures, uint8 (H, W, 3) each, of the role `person` or `truth`."""
        for pair_id, picture in zip(pair_ids, pictures, strict=True):
            shape = "x".join(map(str, picture.shape))
            content = sha256_bytes(np.ascontiguousarray(picture).tobytes())
            self.found[f"{pair_id} {role}"] = f"{shape} {content}"

    def digest(self) -> str:
        """One hash for all of them."""
        return digest(self.found)


def rows_facts(pair_ids: Iterable[str], hashes: PictureHashes) -> dict[str, Any]:
    """The facts of one category: how many pairs, which ones, and what their true pictures show."""
    listed = sorted(pair_ids)
    return {"n": len(listed), "list": digest(listed), "reference": hashes.digest()}


def fingerprint(
    protocol: Protocol,
    setting: str,
    results: tuple[Size, str],
    rows: Mapping[str, Mapping[str, Any]],
    workspace: Workspace,
) -> dict[str, Any]:
    """The facts behind the numbers of one protocol.

    Args:
        protocol: how was scored.
        setting: paired or unpaired.
        results: size and file format of the results.
        rows: `rows_facts` of every category.
        workspace: its weights are hashed.

    Returns:
        Text and numbers under text keys; `numbers` holds what fixes each number alone.
    """
    size, format = results
    return {
        "protocol": protocol.name,
        "setting": setting,
        "size": f"{size[0]}x{size[1]}",
        "format": format,
        "handling": dict(protocol.handling),
        "rows": {category: dict(facts) for category, facts in rows.items()},
        NUMBERS: {
            number.name: {**_metric_facts(number.metric, workspace), "scale": number.scale}
            for number in protocol.numbers
        },
        "libraries": {name: version(name).partition("+")[0] for name in LIBRARIES},
        "code": code_version(CODE),
    }


def short(fingerprint: Mapping[str, Any]) -> str:
    """Eight hex digits for a table: equal for equal fingerprints."""
    return digest(dict(fingerprint))[:8]


def _metric_facts(metric: Metric, workspace: Workspace) -> dict[str, Any]:
    facts: dict[str, Any] = {"metric": metric.name, "settings": metric.settings}
    if metric.weights is None:
        return facts
    path = workspace.weights / WEIGHTS[metric.weights].file
    facts |= {"backbone": path.name, "weights": _hash(path) if path.is_file() else None}
    if metric.weights in _HEADS and metric.pairwise:
        facts["head"] = _hash(_head(_HEADS[metric.weights]))
    return facts


def _hash(path: Path) -> str:
    state = path.stat()
    return _hash_of(path, state.st_size, state.st_mtime_ns)


@cache
def _hash_of(path: Path, size: int, time: int) -> str:
    return sha256_file(path)


def _head(net: str) -> Path:
    return Path(torchmetrics.__file__).parent / "functional" / "image" / "lpips_models" / f"{net}.pth"


@dataclass(frozen=True)
class Difference:
    """One fact that is not the same."""

    key: str
    ours: object
    theirs: object

    def __str__(self) -> str:
        return f"{self.key}: {_told(self.ours)} and {_told(self.theirs)}"


def differences(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> list[Difference]:
    """What keeps two fingerprints, or two parts of them, from being equal; empty when they are."""
    one, other = dict(_flat(ours)), dict(_flat(theirs))
    keys = [*one, *(key for key in other if key not in one)]
    return [Difference(key, one.get(key), other.get(key)) for key in keys if one.get(key) != other.get(key)]


def common(fingerprint: Mapping[str, Any]) -> dict[str, Any]:
    """The part of a fingerprint that fixes every number."""
    return {key: value for key, value in fingerprint.items() if key != NUMBERS}


def _flat(block: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, object]]:
    for key, value in block.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{before}{key}.")
        else:
            yield f"{before}{key}", value


def _told(value: object) -> str:
    text = "nothing" if value is None else str(value)
    return f"{text[:12]}…" if len(text) > 40 and " " not in text else text
