"""The test images of a frozen version of the twin, drawn when they are asked for and kept for the next time.

A version's archive takes long to draw and much room; its test people, and those people in the garments that they try
on, with their label maps and key points, are a few minutes and 600 MB. Their bytes are those of the archive, which the
hash of each category says.
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
"""Hash of the files of each list of a version, as `_hash_of` gives it: what the frozen archive holds."""

_SHARD = 16


@dataclass(frozen=True)
class SyntheticPair:
    """A line of a version's test list, and the files of its person in its garment.

    Args:
        pair_id, person_id, garment_id: as the pair lists have them.
        numbers: item numbers of person and garment.
        folder: where the files lie.
    """

    pair_id: str
    person_id: str
    garment_id: str
    numbers: tuple[int, int]
    folder: Path

    @property
    def photo(self) -> Path:
        """JPEG."""
        return self.folder / f"{self.pair_id}.jpg"

    @property
    def label_map(self) -> Path:
        """Palette PNG."""
        return self.folder / f"{self.pair_id}.png"

    @property
    def keypoints(self) -> Path:
        """JSON."""
        return self.folder / f"{self.pair_id}.json"

    @property
    def files(self) -> tuple[Path, Path, Path]:
        """All three."""
        return self.photo, self.label_map, self.keypoints


def synthetic_pairs(name: str, category: Category, setting: Split, cache: Path) -> list[SyntheticPair]:
    """The lines of a test list, in their order; paired, the image shows the person's own clothes."""
    version = VERSIONS[name]
    plan = PairPlan(version.settings.train_pairs, version.settings.test_pairs, version.seed)
    folder = cache / version.name.replace(":", "-") / category / setting
    found = []
    for numbers in plan.pairs(category, setting):
        pair = plan.named_pair(category, numbers)
        found.append(SyntheticPair(pair.pair_id, pair.person_id, pair.garment_id, numbers, folder))
    return found


def render_pairs(name: str, category: Category, setting: Split, cache: Path, progress: Progress) -> list[SyntheticPair]:
    """The same with every image in its place, drawn where absent, and compared with the frozen version.

    Args:
        name: of the version, as "twin:v1".
        category: of the list.
        setting: test_paired or test_unpaired.
        cache: folder that keeps the images.
        progress: told images.

    Raises:
        SourceError: the images are not those of the version: the drawing code or a library differs from those that
            it was frozen with.
    """
    version = VERSIONS[name]
    pairs = synthetic_pairs(name, category, setting, cache)
    absent = [pair for pair in pairs if not all(path.is_file() for path in pair.files)]
    draw = partial(_draw, version, category)
    if absent:
        map_chunks(draw, split_chunks(absent, _SHARD), progress, f"{category} images of {name} drawn")
    wanted = IMAGE_HASHES[name][category][setting]
    if _hash_of(pairs) == wanted:
        return pairs
    map_chunks(
        draw, split_chunks(pairs, _SHARD), progress, f"{category} images of {name}, perhaps damaged, drawn again"
    )
    found = _hash_of(pairs)
    if found != wanted:
        raise SourceError(
            f"the {setting} images of {name} in {pairs[0].folder}",
            expected=f"have the content hash of the frozen version, {wanted[:16]}…",
            found=f"{found[:16]}…",
            hint=f"The drawing code, a library or the processor differs (frozen with {version.made_with}); "
            "numbers on them would not be comparable. Use the versions of constraints.txt.",
        )
    return pairs


def _draw(version: Version, category: Category, pairs: Sequence[SyntheticPair]) -> None:
    """Frozen versions have no parser errors, so that the label map of a person is the true one."""
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
