"""Read ground-truth images of the workspace's test rows or of a frozen synthetic data set."""

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
from tryon.scoring.image_folder import ScoredPair
from tryon.scoring.protocols.protocol import ImageArray
from tryon.scoring.synthetic_references import SyntheticPair, render_pairs, synthetic_pairs
from tryon.workspace import Workspace

Role = Literal["person", "truth"]
"""`person` is the photo of the pair's person; `truth` shows that person wearing the garment of an unpaired pair."""

SYNTHETIC_SIZE = (512, 384)
"""Size at which synthetic images are packed for the protocol of this project."""


@dataclass(frozen=True)
class GroundTruthSource:
    """Ground-truth images by pair.

    Args:
        name: of the data set, as in `--dataset`.
        pairs: of the test list, by category.
        native_size: height and width at which test rows are packed.
        packed: reads an image at a size, as the sample stage packs it.
        original: reads an image as stored in the data set.
        pairs_with_truth: ids of the pairs that have a ground-truth image.
        garment: returns the garment in that image, bool (H, W) of the native size, and the person's key points,
            float32 (18, 3).
        pairs_with_garment: ids of the pairs that `garment` supports.
        prepare: called with the categories before anything is read; renders what is not cached.

    Both readers raise MissingInputError where the image is absent or differs from the index.
    """

    name: str
    pairs: tuple[ScoredPair, ...]
    native_size: Size
    packed: Callable[[ScoredPair, Role, Size], ImageArray]
    original: Callable[[ScoredPair, Role], ImageArray]
    pairs_with_truth: frozenset[str]
    garment: Callable[[ScoredPair], tuple[NDArray[np.bool_], NDArray[np.float32]]]
    pairs_with_garment: frozenset[str]
    prepare: Callable[[Iterable[Category]], None] = lambda _: None


def workspace_references(workspace: Workspace, setting: str) -> GroundTruthSource:
    """Return the packed test rows of a workspace and their raw files.

    Raises:
        MissingInputError: there are no test rows.
    """
    rows = _WorkspaceRows(workspace, SETTINGS[setting])
    true, masks = ("person", "garment_mask") if setting == "paired" else ("truth", "truth_garment_mask")
    return GroundTruthSource(
        "workspace",
        tuple(sorted(rows.pairs, key=_sort_key)),
        rows.rows.size,
        rows.packed,
        rows.original,
        rows.pairs_with(true),
        partial(rows.garment, masks),
        rows.pairs_with(masks),
    )


class _WorkspaceRows:
    """Packed rows and their index rows by pair id."""

    def __init__(self, workspace: Workspace, split: Split) -> None:
        self.workspace, self.split = workspace, split
        images = ("person", "truth", "garment_mask", "truth_garment_mask", "keypoints")
        columns = ("pair_id", "category", "person_id", *images, "height", "width")
        self.rows = PackedDataset.read(workspace.subset(split), columns)
        self.rows.require_non_empty()
        table = self.rows.table.select(["pair_id", "category", "person_id"]).to_pylist()
        self.pairs = [ScoredPair(row["pair_id"], Category(row["category"]), row["person_id"]) for row in table]
        self._position = {pair.pair_id: number for number, pair in enumerate(self.pairs)}

    def pairs_with(self, column: str) -> frozenset[str]:
        return frozenset(pair_id for pair_id, row in self._position.items() if self.rows.has(column, row))

    def garment(self, column: str, pair: ScoredPair) -> tuple[NDArray[np.bool_], NDArray[np.float32]]:
        row = self._position[pair.pair_id]
        return self.rows.mask(column, row), self.rows.keypoints(row)

    def packed(self, pair: ScoredPair, role: Role, size: Size) -> ImageArray:
        if size == self.rows.size:
            return self.rows.image(role, self._position[pair.pair_id])
        return decode_photo(self._read_raw(pair, role), size)

    def original(self, pair: ScoredPair, role: Role) -> ImageArray:
        return _decode(self._read_raw(pair, role))

    def _read_raw(self, pair: ScoredPair, role: Role) -> bytes:
        path, sha256 = self._files[pair.category][pair.pair_id, role]
        return read_verified(self.workspace, path, sha256)

    @cached_property
    def _files(self) -> dict[Category, dict[tuple[str, str], tuple[str, str]]]:
        columns = ["split", "pair_id", "person", "person_sha256", "truth", "truth_sha256"]
        files: dict[Category, dict[tuple[str, str], tuple[str, str]]] = {}
        for category in dict.fromkeys(pair.category for pair in self.pairs):
            table = read_table(self.workspace.index(category), INDEX, columns, made_by="tryon download").to_pylist()
            files[category] = {
                (row["pair_id"], role): (row[role], row[f"{role}_sha256"])
                for row in table
                if row["split"] == self.split
                for role in ("person", "truth")
            }
        return files


def synthetic_references(name: str, setting: str, cache: Path, progress: Progress) -> GroundTruthSource:
    """Return a frozen version of the synthetic data set; its unpaired pairs have ground truth.

    Args:
        name: of the version.
        cache: folder of the rendered images.

    Returns:
        A source whose `prepare` renders missing images, and raises SourceError where they differ from the version.
    """
    pairs: list[ScoredPair] = []
    images: dict[tuple[str, Role], SyntheticPair] = {}
    for category in Category:
        people = {pair.person_id: pair for pair in synthetic_pairs(name, category, Split.TEST_PAIRED, cache)}
        for pair in synthetic_pairs(name, category, SETTINGS[setting], cache):
            pairs.append(ScoredPair(pair.pair_id, category, pair.person_id))
            images[pair.pair_id, "person"], images[pair.pair_id, "truth"] = people[pair.person_id], pair

    def prepare(categories: Iterable[Category]) -> None:
        for category in categories:
            for split in dict.fromkeys((Split.TEST_PAIRED, SETTINGS[setting])):
                render_pairs(name, category, split, cache, progress)

    def garment(pair: ScoredPair) -> tuple[NDArray[np.bool_], NDArray[np.float32]]:
        image = images[pair.pair_id, "truth"]
        labels = decode_label_map(image.label_map.read_bytes(), SYNTHETIC_SIZE)
        return garment_region(labels, pair.category), decode_keypoints(image.keypoints.read_bytes(), SYNTHETIC_SIZE)

    pair_ids = frozenset(pair.pair_id for pair in pairs)
    return GroundTruthSource(
        name,
        tuple(sorted(pairs, key=_sort_key)),
        SYNTHETIC_SIZE,
        lambda pair, role, size: decode_photo(images[pair.pair_id, role].photo.read_bytes(), size),
        lambda pair, role: _decode(images[pair.pair_id, role].photo.read_bytes()),
        pair_ids,
        garment,
        pair_ids,
        prepare,
    )


def _sort_key(pair: ScoredPair) -> tuple[int, str]:
    return pair.category.list_code, pair.pair_id


def _decode(data: bytes) -> ImageArray:
    """Decode a photo with Pillow, as the evaluation code of other systems does."""
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))
