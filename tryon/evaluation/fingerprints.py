"""The facts behind the stage's numbers, as `tryon score` has them, so that the two can be compared."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from tryon.categories import Category
from tryon.evaluation.methods import Scored
from tryon.files import digest, sha256_bytes
from tryon.metrics import METRICS
from tryon.metrics.regions import PICTURE
from tryon.scoring.fingerprint import PictureHashes, fingerprint, rows_facts
from tryon.scoring.protocols import PROTOCOLS
from tryon.scoring.protocols.protocol import Number
from tryon.workspace import Workspace

PROTOCOL = replace(PROTOCOLS["fitting-room"], numbers=tuple(Number(name, own) for name, own in METRICS.items()))
"""Our protocol with every metric that the stage computes."""

FORMAT = "PNG"
"""Results are scored before they are saved, and so as PNG would keep them."""


@dataclass
class Fingerprints:
    """What was scored, gathered batch by batch."""

    hashes: dict[str, dict[Category, PictureHashes]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(PictureHashes))
    )
    pairs: dict[tuple[str, Category], list[str]] = field(default_factory=lambda: defaultdict(list))
    _regions: dict[str, dict[str, str]] = field(default_factory=lambda: defaultdict(dict))

    def add(self, setting: str, batch: Scored) -> None:
        """Note the pairs of a batch, their true pictures, and where in these garment and neckline are."""
        hashes = self.hashes[setting][batch.category]
        hashes.add(batch.pair_ids, "person", batch.person)
        known = [pair for pair, has in zip(batch.pair_ids, batch.truth.known, strict=True) if has]
        if setting != "paired":
            hashes.add(known, "truth", batch.truth.pictures)
        self.pairs[setting, batch.category] += batch.pair_ids
        places = [region for name, region in batch.truth.regions.items() if name != PICTURE and region is not None]
        for number, pair in enumerate(known):
            packed = [np.packbits(region[number]).tobytes() for region in places]
            self._regions[setting][pair] = sha256_bytes(b"".join(packed))

    def regions(self) -> dict[str, str]:
        """One hash of all regions by setting, for `metrics.json`: whole pictures may be compared where they differ."""
        return {setting: digest(self._regions[setting]) for setting in self.hashes}

    def told(self, size: tuple[int, int], workspace: Workspace) -> dict[str, Any]:
        """Setting to fingerprint, for `metrics.json`."""
        return {
            setting: fingerprint(
                PROTOCOL,
                setting,
                (size, FORMAT),
                {str(category): rows_facts(self.pairs[setting, category], own) for category, own in hashes.items()},
                workspace,
            )
            for setting, hashes in self.hashes.items()
        }
