"""What fixes a number: two results may be compared only where these facts are equal.

The evaluate stage writes the same block into `metrics.json` for its own numbers, which are those of `fitting-room`.
True images and regions reach the two on different ways, so what came is hashed, and not the code that read it; the
code that makes numbers of them is the same for both, and its hash is a fact.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torchmetrics
from numpy.typing import NDArray

from tryon.dresscode.readers import Size
from tryon.metrics import Metric
from tryon.metrics.regions import Regions
from tryon.pretrained_weights import WEIGHTS, weight_hash
from tryon.runtime.atomic_files import sha256_bytes, short_hash
from tryon.runtime.code_version import code_version
from tryon.scoring.protocols import Protocol
from tryon.workspace import Workspace

CODE = ("tryon.scoring.protocols", "tryon.metrics.pairwise")
"""The modules whose import closures make the numbers."""

LIBRARIES = ("torch", "torchmetrics", "torch-fidelity", "clean-fid", "opencv-python-headless", "pillow", "numpy")

NUMBERS = "numbers"
"""Key of the block whose entries fix one number each; all others fix every number."""

ROWS = "rows"
"""Key of the block with the facts of each category."""

REGIONS = "regions"
"""Key, in the facts of a category, of what fixes the numbers inside regions alone."""

_HEADS = {"alexnet": "alex", "vgg16": "vgg", "squeezenet": "squeeze"}
"""The layers on top of LPIPS' backbones, which torchmetrics brings along."""


@dataclass
class TruthHashes:
    """True images as they were read, by pair and role, and where garment and neckline are in them.

    The order in which they are added does not matter.
    """

    images: dict[str, str] = field(default_factory=dict)
    regions: dict[str, str] = field(default_factory=dict)

    def add(self, pair_ids: Iterable[str], role: str, images: Iterable[NDArray[np.uint8]]) -> None:
        """Add images, uint8 (H, W, 3) each, of the role `person` or `truth`."""
        for pair_id, image in zip(pair_ids, images, strict=True):
            shape = "x".join(map(str, image.shape))
            content = sha256_bytes(np.ascontiguousarray(image).tobytes())
            self.images[f"{pair_id} {role}"] = f"{shape} {content}"

    def add_regions(self, pair_ids: Iterable[str], regions: Regions) -> None:
        """Add the regions, bool (N, H, W) each, of as many true images."""
        places = [region for region in regions.values() if region is not None]
        for number, pair_id in enumerate(pair_ids):
            packed = [np.packbits(region[number]).tobytes() for region in places]
            self.regions[pair_id] = sha256_bytes(b"".join(packed))


def rows_facts(pair_ids: Iterable[str], hashes: TruthHashes) -> dict[str, Any]:
    """The facts of one category: how many pairs, which ones, what their true images show, and where."""
    listed = sorted(pair_ids)
    return {
        "n": len(listed),
        "list": short_hash(listed),
        "reference": short_hash(hashes.images),
        REGIONS: short_hash(hashes.regions) if hashes.regions else None,
    }


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
        ROWS: {category: dict(facts) for category, facts in rows.items()},
        NUMBERS: {
            number.name: {**_metric_facts(number.metric, workspace), "scale": number.scale}
            for number in protocol.numbers
        },
        "libraries": {name: version(name).partition("+")[0] for name in LIBRARIES},
        "code": short_hash([code_version(module) for module in CODE])[:16],
    }


def short_fingerprint(fingerprint: Mapping[str, Any]) -> str:
    """Eight hex digits for a table: equal for equal fingerprints."""
    return short_hash(dict(fingerprint))[:8]


def _metric_facts(metric: Metric, workspace: Workspace) -> dict[str, Any]:
    facts: dict[str, Any] = {"metric": metric.name, "settings": metric.settings}
    if metric.weights is None:
        return facts
    path = workspace.weights / WEIGHTS[metric.weights].file
    facts |= {"backbone": path.name, "weights": weight_hash(path) if path.is_file() else None}
    if metric.weights in _HEADS and metric.pairwise:
        facts["head"] = weight_hash(_head(_HEADS[metric.weights]))
    return facts


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


def shared_facts(fingerprint: Mapping[str, Any]) -> dict[str, Any]:
    """The part of a fingerprint that fixes every number."""
    rows = {
        category: {key: value for key, value in facts.items() if key != REGIONS}
        for category, facts in fingerprint[ROWS].items()
    }
    return {key: value for key, value in fingerprint.items() if key != NUMBERS} | {ROWS: rows}


def differing_regions(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> list[str]:
    """Categories of both in whose true images garment and neckline are in other places."""
    one, other = ours[ROWS], theirs[ROWS]
    return [place for place in one if place in other and one[place].get(REGIONS) != other[place].get(REGIONS)]


def whole_image_only_note(places: Iterable[str]) -> str:
    """What to say of these categories."""
    return f"where garment and neckline are in the true images of {', '.join(places)}; whole images are compared"


def _flat(block: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, object]]:
    for key, value in block.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{before}{key}.")
        else:
            yield f"{before}{key}", value


def _told(value: object) -> str:
    text = "nothing" if value is None else str(value)
    return f"{text[:12]}…" if len(text) > 40 and " " not in text else text
