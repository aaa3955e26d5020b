"""The test pictures of a frozen version of the twin, drawn when they are asked for and kept for the next time.

A version's archive takes long to draw and much room; its test people, and those people in the garments that they try
on, are a few minutes and 600 MB. Their bytes are those of the archive, which the hash of each category says.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tryon.categories import Category, Setting
from tryon.errors import SourceError
from tryon.files import sha256_bytes, write_bytes
from tryon.progress import Progress
from tryon.synthetic.plan import Plan
from tryon.synthetic.versions import VERSIONS, Version
from tryon.workers import map_shards, shards

PICTURE_HASHES = {
    "twin:v1": {
        Category.UPPER_BODY: {
            Setting.TEST_PAIRED: "30d02174a8033940cec1e408aee8fc23e14766134027c28a67a68ad8115e7c01",
            Setting.TEST_UNPAIRED: "0249fd4e28a683c50d9b582c0262f4482ac6c809fe75a899c9113c12c0ef8acb",
        },
        Category.LOWER_BODY: {
            Setting.TEST_PAIRED: "a4a3fea7d9a96f0f294770479650e60b902ee43905bc01ff9376038d780d137c",
            Setting.TEST_UNPAIRED: "a1955ff3e26a5dcc219e10b3e0d4b85c67bc4680f917fb3a51a7859d60d1e2c3",
        },
        Category.DRESSES: {
            Setting.TEST_PAIRED: "a1c0a47b163ffa69ea07aa9692a785fc945cf4f71fa8ac2a9efda87c0d4fe506",
            Setting.TEST_UNPAIRED: "409361634072c9f31fc1748d0320529e29e8eb6e0e06f8dd0e979564c8749e3d",
        },
    }
}
"""Hash of the pictures of each list of a version, as `_hash_of` gives it: what the frozen archive holds."""

_SHARD = 16


@dataclass(frozen=True)
class TwinPair:
    """A line of a version's test list, and the picture of its person in its garment.

    Args:
        person_id, garment_id: as the pair lists have them.
        numbers: item numbers of person and garment.
        path: where the picture lies.
    """

    person_id: str
    garment_id: str
    numbers: tuple[int, int]
    path: Path


def twin_pairs(name: str, category: Category, setting: Setting, cache: Path) -> list[TwinPair]:
    """The lines of a test list, in their order; paired, the picture is the person's own photo."""
    version = VERSIONS[name]
    plan = Plan(version.settings.train_pairs, version.settings.test_pairs, version.seed)
    folder = cache / version.name.replace(":", "-") / category / setting
    found = []
    for numbers in plan.pairs(category, setting):
        pair = plan.named_pair(category, numbers)
        found.append(TwinPair(pair.person_id, pair.garment_id, numbers, folder / f"{pair.pair_id}.jpg"))
    return found


def drawn_pairs(name: str, category: Category, setting: Setting, cache: Path, progress: Progress) -> list[TwinPair]:
    """The same with every picture in its place, drawn where absent, and compared with the frozen version.

    Args:
        name: of the version, as "twin:v1".
        category: of the list.
        setting: test_paired or test_unpaired.
        cache: folder that keeps the pictures.
        progress: told pictures.

    Raises:
        SourceError: the pictures are not those of the version: the drawing code or a library differs from those that
            it was frozen with.
    """
    version = VERSIONS[name]
    pairs = twin_pairs(name, category, setting, cache)
    absent = [pair for pair in pairs if not pair.path.is_file()]
    draw = partial(_draw, version, category)
    if absent:
        map_shards(draw, shards(absent, _SHARD), progress, f"{category} pictures of {name} drawn")
    wanted = PICTURE_HASHES[name][category][setting]
    if _hash_of(pairs) == wanted:
        return pairs
    draw(pairs)  # what lay there may have been damaged
    found = _hash_of(pairs)
    if found != wanted:
        raise SourceError(
            f"the {setting} pictures of {name} in {pairs[0].path.parent}",
            rule=f"have the content hash of the frozen version, {wanted[:16]}…",
            value=f"{found[:16]}…",
            remedy=f"The drawing code, a library or the processor differs (frozen with {version.made_with}); "
            "numbers on them would not be comparable. Use the versions of constraints.txt.",
        )
    return pairs


def _draw(version: Version, category: Category, pairs: Sequence[TwinPair]) -> None:
    from tryon.synthetic.items import encode_jpeg, worn_by  # slow to import, and not needed for what is cached

    for pair in pairs:
        picture = worn_by(version.seed, category, *pair.numbers, version.settings.level)
        write_bytes(pair.path, encode_jpeg(picture.photo))


def _hash_of(pairs: Sequence[TwinPair]) -> str:
    total = hashlib.sha256()
    for pair in pairs:
        total.update(f"{pair.person_id} {pair.garment_id} {sha256_bytes(pair.path.read_bytes())}\n".encode())
    return total.hexdigest()
