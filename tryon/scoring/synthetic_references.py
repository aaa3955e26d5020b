"""Render and cache the test images of a frozen version of the synthetic data set.

Only test images, label maps and key points are rendered (a few minutes, 600 MB), not the full archive. A hash per
category verifies that their bytes equal those of the archive.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tryon.categories import Category, Split
from tryon.errors import SourceError
from tryon.runtime.atomic_files import sha256_bytes, write_bytes
from tryon.runtime.process_pool import map_chunks, split_chunks
from tryon.runtime.progress import Progress
from tryon.synthetic.pair_plan import PairPlan
from tryon.synthetic.versions import VERSIONS, Version

IMAGE_HASHES = {
    "twin:v1": {
        Category.UPPER_BODY: {
            Split.TEST_PAIRED: "caa7ff9b20f2a3c3a71917ad26b86ca9774a3f1afa74309af1f371eef510c397",
            Split.TEST_UNPAIRED: "0197b035a415280b7880d37836d3d9b759f9ba098faf3c6f77ec6c3c1d918eeb",
        },
        Category.LOWER_BODY: {
            Split.TEST_PAIRED: "0d1374206de2c9eb893c3bcd9e5ddb4f9339f50c1c32c921c51c37c25133c5f5",
            Split.TEST_UNPAIRED: "f6c8c4e98cbcace9d1a4a392e8668ea82d55695184b509153832f62e8cf27dfb",
        },
        Category.DRESSES: {
            Split.TEST_PAIRED: "fabf96cd1a6b4c734853d8030763c856b1b4a0ba1065cd2f8e1ba936115acbc2",
            Split.TEST_UNPAIRED: "c7a885e51e34cd97c9b566ccd33fceba74a785db1a52396b800cd4402aaa9ea9",
        },
    }
}
"""Hash (`_hash_of`) of the files of each test list in the frozen archive."""

_CHUNK_SIZE = 16


@dataclass(frozen=True)
class SyntheticPair:
    """A pair of a test list with the files of its ground truth.

    Args:
        pair_id, person_id, garment_id: as in the pair lists.
        numbers: item numbers of person and garment.
        folder: of the files.
    """

    pair_id: str
    person_id: str
    garment_id: str
    numbers: tuple[int, int]
    folder: Path

    @property
    def photo(self) -> Path:
        """Path of the photo, a JPEG."""
        return self.folder / f"{self.pair_id}.jpg"

    @property
    def label_map(self) -> Path:
        """Path of the label map, a palette PNG."""
        return self.folder / f"{self.pair_id}.png"

    @property
    def keypoints(self) -> Path:
        """Path of the key points, a JSON file."""
        return self.folder / f"{self.pair_id}.json"

    @property
    def files(self) -> tuple[Path, Path, Path]:
        """Paths of all three files."""
        return self.photo, self.label_map, self.keypoints


def synthetic_pairs(name: str, category: Category, split: Split, cache: Path) -> list[SyntheticPair]:
    """Return the pairs of a test list in order; paired images show the person's own garment."""
    version = VERSIONS[name]
    plan = PairPlan(version.settings.train_pairs, version.settings.test_pairs, version.seed)
    folder = cache / version.name.replace(":", "-") / category / split
    pairs = []
    for numbers in plan.pairs(category, split):
        pair = plan.to_ids(category, numbers)
        pairs.append(SyntheticPair(pair.pair_id, pair.person_id, pair.garment_id, numbers, folder))
    return pairs


def render_pairs(name: str, category: Category, split: Split, cache: Path, progress: Progress) -> list[SyntheticPair]:
    """Render missing images of a test list, verify all of them, and return the pairs.

    Args:
        name: of the version, for example "twin:v1".
        split: test_paired or test_unpaired.
        cache: folder of the images.

    Raises:
        SourceError: the images differ from the version: the rendering code or a library differs.
    """
    version = VERSIONS[name]
    pairs = synthetic_pairs(name, category, split, cache)
    missing = [pair for pair in pairs if not all(path.is_file() for path in pair.files)]
    render = partial(_render, version, category)
    if missing:
        map_chunks(render, split_chunks(missing, _CHUNK_SIZE), progress, f"{category} images of {name} rendered")
    expected = IMAGE_HASHES[name][category][split]
    if _hash_of(pairs) == expected:
        return pairs
    map_chunks(
        render, split_chunks(pairs, _CHUNK_SIZE), progress, f"{category} images of {name} rendered again (hash differs)"
    )
    actual = _hash_of(pairs)
    if actual != expected:
        raise SourceError(
            f"the {split} images of {name} in {pairs[0].folder} differ from the frozen version",
            found=f"{actual[:16]}…",
            expected=f"content hash {expected[:16]}…",
            hint=f"The rendering code, a library or the processor differs (frozen with {version.made_with}), so scores "
            "would not be comparable. Use the versions in constraints.txt.",
        )
    return pairs


def _render(version: Version, category: Category, pairs: Sequence[SyntheticPair]) -> None:
    """Render pairs; frozen versions have no parsing noise, so the label map is the true one."""
    from tryon.imaging.png_encoder import encode_palette
    from tryon.synthetic.item_files import (  # slow to import, not needed for the cache
        encode_jpeg,
        encode_keypoints,
        render_in_garment,
    )

    for pair in pairs:
        image = render_in_garment(version.seed, category, *pair.numbers, version.settings.difficulty)
        write_bytes(pair.photo, encode_jpeg(image.photo))
        write_bytes(pair.label_map, encode_palette(image.label_map))
        write_bytes(pair.keypoints, encode_keypoints(image.keypoints))


def _hash_of(pairs: Sequence[SyntheticPair]) -> str:
    total = hashlib.sha256()
    for pair in pairs:
        hashes = " ".join(sha256_bytes(path.read_bytes()) for path in pair.files)
        total.update(f"{pair.person_id} {pair.garment_id} {hashes}\n".encode())
    return total.hexdigest()
