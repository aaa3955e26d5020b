"""Fingerprint scores: collect the facts that must be equal for a comparison.

The evaluate stage and `tryon score` write the same block. They read ground truth and regions by different code, so the
content is hashed there; of the code that computes scores, the source is hashed.
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

from tryon.categories import Category
from tryon.dresscode.readers import Size
from tryon.metrics import Metric
from tryon.metrics.regions import Regions
from tryon.pretrained_weights import WEIGHTS, weight_hash
from tryon.runtime.atomic_files import sha256_bytes, short_hash
from tryon.runtime.code_version import code_version
from tryon.scoring.protocols import Protocol
from tryon.workspace import Workspace

CODE = ("tryon.scoring.protocols", "tryon.metrics.pairwise")
"""Modules that compute the scores; their import closures are hashed."""

LIBRARIES = ("torch", "torchmetrics", "torch-fidelity", "clean-fid", "opencv-python-headless", "pillow", "numpy")

METRIC_FACTS = "metrics"
"""Key of the facts by metric."""

ROWS = "rows"
"""Key of the facts by category."""

REGIONS = "regions"
"""Key of a category's region hash, which affects only scores inside regions."""

_LPIPS_HEADS = {"alexnet": "alex", "vgg16": "vgg", "squeezenet": "squeeze"}
"""LPIPS linear layers shipped with torchmetrics, by backbone."""


@dataclass
class ReferenceHashes:
    """Pair ids with hashes of their ground-truth images and regions, independent of the order of addition."""

    pair_ids: set[str] = field(default_factory=set)
    images: dict[str, str] = field(default_factory=dict)
    regions: dict[str, str] = field(default_factory=dict)

    def add(self, pair_ids: Iterable[str], role: str, images: Iterable[NDArray[np.uint8]]) -> None:
        """Add images, uint8 (H, W, 3) each, of the role `person` or `truth`."""
        for pair_id, image in zip(pair_ids, images, strict=True):
            shape = "x".join(map(str, image.shape))
            content = sha256_bytes(np.ascontiguousarray(image).tobytes())
            self.pair_ids.add(pair_id)
            self.images[f"{pair_id} {role}"] = f"{shape} {content}"

    def add_regions(self, pair_ids: Iterable[str], regions: Regions) -> None:
        """Add the regions, bool (N, H, W) each, of N ground-truth images."""
        masks = [region for region in regions.values() if region is not None]
        for number, pair_id in enumerate(pair_ids):
            packed = [np.packbits(mask[number]).tobytes() for mask in masks]
            self.regions[pair_id] = sha256_bytes(b"".join(packed))

    def update(self, batch: ReferenceHashes) -> None:
        """Add the hashes of a batch."""
        self.pair_ids |= batch.pair_ids
        self.images |= batch.images
        self.regions |= batch.regions

    def facts(self) -> dict[str, Any]:
        """Return the facts of one category: number of pairs; hashes of ids, ground truth and regions."""
        pair_ids = sorted(self.pair_ids)
        return {
            "n": len(pair_ids),
            "list": short_hash(pair_ids),
            "reference": short_hash(self.images),
            REGIONS: short_hash(self.regions) if self.regions else None,
        }


def fingerprint(
    protocol: Protocol,
    setting: str,
    results: tuple[Size, str],
    references: Mapping[Category, ReferenceHashes],
    workspace: Workspace,
) -> dict[str, Any]:
    """Return the facts that fix the scores of one protocol and setting.

    Args:
        results: size (height, width) and file format of the results.
        workspace: provides the weights to hash.

    Returns:
        A JSON object: `metrics` by metric, `rows` by category; all other keys apply to every score.
    """
    size, format = results
    return {
        "protocol": protocol.name,
        "setting": setting,
        "size": f"{size[0]}x{size[1]}",
        "format": format,
        "handling": dict(protocol.handling),
        ROWS: {str(category): hashes.facts() for category, hashes in references.items()},
        METRIC_FACTS: {
            each.name: {**_metric_facts(each.metric, workspace), "scale": each.scale} for each in protocol.metrics
        },
        "libraries": {name: version(name).partition("+")[0] for name in LIBRARIES},
        "code": short_hash([code_version(module) for module in CODE])[:16],
    }


def short_fingerprint(fingerprint: Mapping[str, Any]) -> str:
    """Return an eight-digit hash of a fingerprint for tables."""
    return short_hash(dict(fingerprint))[:8]


def _metric_facts(metric: Metric, workspace: Workspace) -> dict[str, Any]:
    facts: dict[str, Any] = {"metric": metric.name, "settings": metric.settings}
    if metric.weights is None:
        return facts
    path = workspace.weights / WEIGHTS[metric.weights].file
    facts |= {"backbone": path.name, "weights": weight_hash(path) if path.is_file() else None}
    if metric.weights in _LPIPS_HEADS and metric.pairwise:
        models = Path(torchmetrics.__file__).parent / "functional" / "image" / "lpips_models"
        facts["head"] = weight_hash(models / f"{_LPIPS_HEADS[metric.weights]}.pth")
    return facts


@dataclass(frozen=True)
class Difference:
    """A fact that differs between two fingerprints."""

    key: str
    current: object
    baseline: object

    def __str__(self) -> str:
        return f"{self.key}: {_format_fact(self.current)} and {_format_fact(self.baseline)}"


def differences(current: Mapping[str, Any], baseline: Mapping[str, Any]) -> list[Difference]:
    """List the facts in which two fingerprints, or parts of them, differ."""
    a, b = dict(_flatten(current)), dict(_flatten(baseline))
    return [Difference(key, a.get(key), b.get(key)) for key in dict.fromkeys([*a, *b]) if a.get(key) != b.get(key)]


def shared_facts(fingerprint: Mapping[str, Any]) -> dict[str, Any]:
    """Return the facts that apply to every score of every category."""
    return {key: value for key, value in fingerprint.items() if key not in (METRIC_FACTS, ROWS)}


def _flatten(block: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, object]]:
    for key, value in block.items():
        if isinstance(value, Mapping):
            yield from _flatten(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def _format_fact(value: object) -> str:
    text = "nothing" if value is None else str(value)
    return f"{text[:12]}…" if len(text) > 40 and " " not in text else text
