"""The true images that results are compared with: of the workspace's test rows, or of a frozen twin."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tryon.categories import SETTINGS, Category, Split
from tryon.dresscode.labels import garment_region
from tryon.dresscode.readers import Size, decode_keypoints, decode_label_map, decode_photo
from tryon.loading.packed_dataset import PackedDataset
from tryon.manifest import INDEX, read_table
from tryon.manifest.raw_files import read_verified
from tryon.runtime.progress import Progress
from tryon.scoring.protocols.protocol import ImageArray
from tryon.scoring.result_folder import ScoredPair
from tryon.scoring.synthetic_references import SyntheticPair, render_pairs, synthetic_pairs
from tryon.workspace import Workspace

Role = Literal["person", "truth"]
"""`person` is the photo of the pair's person; `truth` that person really wearing the garment of an unpaired pair."""

TWIN_SIZE = (512, 384)
"""Size at which the twin's own images are packed for our protocol."""


@dataclass(frozen=True)
class GroundTruthSource:
    """True images by pair.

    Args:
        name: of the data set, as on the command line.
        pairs: of the test list, category by category.
        native: height and width at which test rows are packed.
        packed: reads a image at a size as the sample stage would pack it.
        original: reads a image as the data set has it.
        true_pairs: pair ids of which there is a image with the role that pairs are compared with.
        garment: where the garment is in that image, bool (H, W) of the native size, and the person's key points
            there, float32 (18, 3).
        known_garments: pair ids of which `garment` knows it.
        prepare: to be called before anything is read, with the categories; what has to be made first is made then.

    Both readers raise MissingInputError where the image is absent or has changed.
    """

    name: str
    pairs: tuple[ScoredPair, ...]
    native: Size
    packed: Callable[[ScoredPair, Role, Size], ImageArray]
    original: Callable[[ScoredPair, Role], ImageArray]
    true_pairs: frozenset[str]
    garment: Callable[[ScoredPair], tuple[NDArray[np.bool_], NDArray[np.float32]]]
    known_garments: frozenset[str]
    prepare: Callable[[Iterable[Category]], None] = lambda _: None


def workspace_references(workspace: Workspace, setting: str) -> GroundTruthSource:
    """The packed test rows of a workspace, and the files of `data/raw` behind them.

    Raises:
        MissingInputError: there are no test rows.
    """
    own = _Rows(workspace, SETTINGS[setting])
    true, masks = ("person", "garment_mask") if setting == "paired" else ("truth", "truth_garment_mask")
    return GroundTruthSource(
        "workspace",
        tuple(sorted(own.lines, key=_order)),
        own.rows.size,
        own.packed,
        own.original,
        own.having(true),
        partial(own.garment, masks),
        own.having(masks),
    )


class _Rows:
    """Packed rows, and the index rows that they were made of, by pair id."""

    def __init__(self, workspace: Workspace, setting: Split) -> None:
        self.workspace, self.setting = workspace, setting
        images = ("person", "truth", "garment_mask", "truth_garment_mask", "keypoints")
        columns = ("pair_id", "category", "person_id", *images, "height", "width")
        self.rows = PackedDataset.read(workspace.subset(setting), columns)
        self.rows.require_non_empty()
        table = self.rows.table.select(["pair_id", "category", "person_id"]).to_pylist()
        self.lines = [ScoredPair(row["pair_id"], Category(row["category"]), row["person_id"]) for row in table]
        self._position = {line.pair_id: number for number, line in enumerate(self.lines)}

    def having(self, column: str) -> frozenset[str]:
        return frozenset(pair_id for pair_id, row in self._position.items() if self.rows.has(column, row))

    def garment(self, column: str, line: ScoredPair) -> tuple[NDArray[np.bool_], NDArray[np.float32]]:
        row = self._position[line.pair_id]
        return self.rows.mask(column, row), self.rows.keypoints(row)

    def packed(self, line: ScoredPair, role: Role, size: Size) -> ImageArray:
        if size == self.rows.size:
            return self.rows.image(role, self._position[line.pair_id])
        return decode_photo(self._raw(line, role), size)

    def original(self, line: ScoredPair, role: Role) -> ImageArray:
        return _decoded(self._raw(line, role))

    def _raw(self, line: ScoredPair, role: Role) -> bytes:
        path, sha256 = self._files[line.category][line.pair_id, role]
        return read_verified(self.workspace, path, sha256)

    @cached_property
    def _files(self) -> dict[Category, dict[tuple[str, str], tuple[str, str]]]:
        columns = ["split", "pair_id", "person", "person_sha256", "truth", "truth_sha256"]
        found: dict[Category, dict[tuple[str, str], tuple[str, str]]] = {}
        for category in dict.fromkeys(line.category for line in self.lines):
            table = read_table(self.workspace.index(category), INDEX, columns, made_by="tryon download").to_pylist()
            found[category] = {
                (row["pair_id"], role): (row[role], row[f"{role}_sha256"])
                for row in table
                if row["split"] == self.setting
                for role in ("person", "truth")
            }
        return found


def synthetic_references(name: str, setting: str, cache: Path, progress: Progress) -> GroundTruthSource:
    """A frozen version of the twin, drawn into `cache` by `prepare`; its unpaired pairs have a true image each.

    Args:
        name: of the version.
        setting: paired or unpaired.
        cache: keeps the images.
        progress: told images.

    Returns:
        References whose `prepare` raises SourceError where what is drawn here is not the frozen version.
    """
    lines: list[ScoredPair] = []
    found: dict[tuple[str, Role], SyntheticPair] = {}
    for category in Category:
        people = {pair.person_id: pair for pair in synthetic_pairs(name, category, Split.TEST_PAIRED, cache)}
        for pair in synthetic_pairs(name, category, SETTINGS[setting], cache):
            lines.append(ScoredPair(pair.pair_id, category, pair.person_id))
            found[pair.pair_id, "person"], found[pair.pair_id, "truth"] = people[pair.person_id], pair

    def prepare(categories: Iterable[Category]) -> None:
        for category in categories:
            for own in dict.fromkeys((Split.TEST_PAIRED, SETTINGS[setting])):
                render_pairs(name, category, own, cache, progress)

    def garment(line: ScoredPair) -> tuple[NDArray[np.bool_], NDArray[np.float32]]:
        pair = found[line.pair_id, "truth"]
        labels = decode_label_map(pair.label_map.read_bytes(), TWIN_SIZE)
        return garment_region(labels, line.category), decode_keypoints(pair.keypoints.read_bytes(), TWIN_SIZE)

    known = frozenset(line.pair_id for line in lines)
    return GroundTruthSource(
        name,
        tuple(sorted(lines, key=_order)),
        TWIN_SIZE,
        lambda line, role, size: decode_photo(found[line.pair_id, role].photo.read_bytes(), size),
        lambda line, role: _decoded(found[line.pair_id, role].photo.read_bytes()),
        known,
        garment,
        known,
        prepare,
    )


def _order(line: ScoredPair) -> tuple[int, str]:
    return line.category.list_code, line.pair_id


def _decoded(data: bytes) -> ImageArray:
    """A photo as other systems' evaluation reads it, by Pillow."""
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))
