"""The facts behind the stage's numbers, as `tryon score` has them, so that the two can be compared."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field, replace
from typing import Any

from tryon.categories import Category
from tryon.evaluation.methods import Scored
from tryon.metrics import METRICS
from tryon.scoring.fingerprint import TruthHashes, fingerprint, rows_facts
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

    hashes: dict[str, dict[Category, TruthHashes]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(TruthHashes))
    )
    pairs: dict[tuple[str, Category], list[str]] = field(default_factory=lambda: defaultdict(list))

    def add(self, setting: str, batch: Scored) -> None:
        """Note the pairs of a batch, their true pictures, and where in these garment and neckline are."""
        hashes = self.hashes[setting][batch.category]
        hashes.add(batch.pair_ids, "person", batch.person)
        known = [pair for pair, has in zip(batch.pair_ids, batch.truth.known, strict=True) if has]
        if setting != "paired":
            hashes.add(known, "truth", batch.truth.pictures)
        hashes.add_regions(known, batch.truth.regions)
        self.pairs[setting, batch.category] += batch.pair_ids

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
