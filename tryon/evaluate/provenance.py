"""How the numbers were made, written down with them: two results may be compared only if these facts are equal."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

from tryon.categories import Category
from tryon.evaluate.baselines import COLORLESS, LEAST_SHARE, WHITE
from tryon.evaluate.predict import PredictedBatch
from tryon.manifest import read_metadata
from tryon.metrics import METRICS
from tryon.metrics.regions import BAND, GARMENT, NECKLINE, OUTSIDE
from tryon.runtime.atomic_files import sha256_file, short_hash
from tryon.runtime.code_version import code_version
from tryon.scoring.fingerprint import TruthHashes, fingerprint, rows_facts
from tryon.scoring.protocols import PROTOCOLS
from tryon.scoring.protocols.protocol import ProtocolMetric
from tryon.workspace import Workspace

NAME = "fitting-room"
LIBRARIES = ("torch", "torchmetrics", "torch-fidelity", "clean-fid")

Facts = list[dict[str, str]]
"""Named facts in the order of a table: `name`, `value`."""


def facts(**values: object) -> Facts:
    """Facts from keywords; underscores become spaces."""
    return [{"name": name.replace("_", " "), "value": str(value)} for name, value in values.items()]


def protocol(
    size: tuple[int, int], counts: dict[str, dict[str, int]], pair_ids: dict[str, list[str]], packed: Path, device: str
) -> Facts:
    """The protocol of this evaluation.

    Args:
        size: height and width of the images.
        counts: number of rows by setting and category.
        pair_ids: of every row, by setting.
        packed: a file of test rows, for the format of its images.
        device: kind of device that the network and the metrics ran on.
    """
    rows = {setting: ", ".join(f"{name} {n}" for name, n in counts[setting].items()) for setting in counts}
    return [
        *facts(
            protocol=NAME,
            size=f"{size[0]}x{size[1]} (height x width)",
            **{f"rows {setting}": told for setting, told in rows.items()},
            list_hash=short_hash(pair_ids),
            images=f"{read_metadata(packed).get('images', 'format not recorded')}, never re-encoded",
            results="the network's output rounded to 8-bit RGB, nothing pasted back",
            truth="paired: the person image; unpaired: the row's own true image, where it has one",
            garment_region="the garment of the row's category in the true image, by its label map; keys end in "
            f"_{GARMENT}",
            outside_region=f"all the rest of the image; keys end in _{OUTSIDE}",
            neckline_region=f"within {BAND} shoulder widths of the garment's upper edge between the shoulder joints; "
            f"keys end in _{NECKLINE}",
            averages="each row counts once, also in `all`",
            agnostic_copied="the person image with hidden pixels black",
            mean_garment_color="hidden pixels in the mean color of the garment image without its background "
            f"(channels of at least {WHITE} and within {COLORLESS} of each other, connected to the edge, not framed "
            f"by garment), or of all of it where less than {LEAST_SHARE:.0%} would be left",
            ideal_warp="the true image with the garment replaced by the garment image's own pixels, moved at full "
            "size along the twin's true flow; everything else as in the true image",
        ),
        *facts(**{metric.title: metric.settings for metric in METRICS.values()}),
        *facts(
            libraries=", ".join(f"{name} {version(name)}" for name in LIBRARIES),
            device=device,
            code_version=code_version("tryon.evaluate.stage"),
        ),
    ]


def file_hash(path: Path) -> str:
    """SHA-256 of a file, or that it is absent."""
    return sha256_file(path) if path.is_file() else "absent"


PROTOCOL = replace(PROTOCOLS["fitting-room"], numbers=tuple(ProtocolMetric(name, own) for name, own in METRICS.items()))
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

    def add(self, setting: str, batch: PredictedBatch) -> None:
        """Note the pairs of a batch, their true images, and where in these garment and neckline are."""
        hashes = self.hashes[setting][batch.category]
        hashes.add(batch.pair_ids, "person", batch.person)
        known = [pair for pair, has in zip(batch.pair_ids, batch.truth.known, strict=True) if has]
        if setting != "paired":
            hashes.add(known, "truth", batch.truth.images)
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
