"""Define frozen versions of the synthetic data set and hash its content.

A version is fixed by seed, settings and content hash. A changed renderer, another version of OpenCV, NumPy or zlib, or
another kind of processor may produce other bytes. `python -m tryon.synthetic.versions` prints the probe of each
version, the hash of a few items rendered now; with a path it prints the content hash of that data set.
"""

from __future__ import annotations

import hashlib
import platform
import sys
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from tryon.categories import Category
from tryon.config.download import SyntheticSettings
from tryon.console import run_cli
from tryon.errors import SourceError
from tryon.runtime.atomic_files import sha256_bytes, sha256_file
from tryon.runtime.progress import Progress, no_progress
from tryon.synthetic.archive import truth_archive_path
from tryon.synthetic.item_files import RenderOptions, make_item
from tryon.synthetic.pair_plan import PairPlan

_PROBED_ITEMS = 2


@dataclass(frozen=True)
class Version:
    """A frozen data set; the hashes are None until it is frozen.

    Args:
        name: name to cite.
        seed: seed of the archive.
        settings: number of pairs and content; UV maps and flow may be added without changing the hash.
        content_hash: expected result of `content_hash`.
        probe: the same hash over the first two items of each category.
        made_with: `toolchain()` where the hashes were computed.
    """

    name: str
    seed: int
    settings: SyntheticSettings
    content_hash: str | None = None
    probe: str | None = None
    made_with: str | None = None


VERSIONS = {
    version.name: version
    for version in (
        Version(
            "twin:v1",
            seed=1,
            settings=SyntheticSettings(
                train_pairs=1800,
                test_pairs=700,
                difficulty="catalogue",
                parsing_noise_fraction=0.0,
                uv=False,
                flow="none",
            ),
            content_hash="51564b4a1d8f0bcaf26dd6e9575fa0cc50e60caf570cd738c8130972dcbcf944",
            probe="e67a50d225b2e4f4e88633bdc00467a1bb6216567cba6e8401ba7b4ba46aacd4",
            made_with="OpenCV 5.0.0, NumPy 2.4.6, zlib 1.2.13, Linux x86_64, processor features f8f66cfb",
        ),
    )
}
"""Versions by name. 3 x 700 test pairs exceed the 2048 images that a Fréchet distance needs."""


def content_hash(target: Path, progress: Progress = no_progress) -> str:
    """Hash all files of a data set; an archive with its truth and the unpacked folder give the same hash.

    Returns:
        SHA-256 over the sorted lines "<name> <SHA-256 of the content>" without UV maps and flow.

    Raises:
        SourceError: the archive or its ground truth is missing or damaged.
    """
    parts = [target] if target.is_dir() else [target, truth_archive_path(target)]
    try:
        return _hash_members(line for part in parts for line in _members(part, progress))
    except (OSError, zipfile.BadZipFile, zlib.error) as error:
        expected = "a folder, or a zip archive next to its .truth.zip"
        raise SourceError(f"{target} cannot be read", found=str(error), expected=expected) from error


def probe(version: Version) -> str:
    """Hash the first two items of each category, which takes a second; changes whenever the rendering does."""
    plan = PairPlan(version.settings.train_pairs, version.settings.test_pairs, version.seed)
    options = RenderOptions(version.settings.difficulty)
    item_files = [
        make_item(version.seed, category, number, plan.item_id(category, number), options).archive
        for category in Category
        for number in range(_PROBED_ITEMS)
    ]
    return _hash_members((name, sha256_bytes(data)) for files in item_files for name, data in files)


def toolchain() -> str:
    """Describe what the bytes depend on besides this code: libraries and processor features."""
    features = sha256_bytes(cv2.getCPUFeaturesLine().encode())[:8]
    return (
        f"OpenCV {cv2.__version__}, NumPy {np.__version__}, zlib {zlib.ZLIB_RUNTIME_VERSION}, "
        f"{platform.system()} {platform.machine()}, processor features {features}"
    )


def _hash_members(members: Iterable[tuple[str, str]]) -> str:
    digest_of_all = hashlib.sha256()
    for name, digest in sorted(members):
        if not (name.endswith("_uv.npz") or "/flow/" in name):
            digest_of_all.update(f"{name} {digest}\n".encode())
    return digest_of_all.hexdigest()


def _members(part: Path, progress: Progress) -> Iterator[tuple[str, str]]:
    """Yield name and hash of each file of a folder or zip archive."""
    label = f"files of {part.name} hashed"
    if part.is_dir():
        files = sorted(path for path in part.rglob("*") if path.is_file())
        for done, path in enumerate(files, start=1):
            yield path.relative_to(part).as_posix(), sha256_file(path)
            progress(done, len(files), label)
        return
    with zipfile.ZipFile(part) as archive:
        names = archive.namelist()
        for done, name in enumerate(names, start=1):
            yield name, sha256_bytes(archive.read(name))
            progress(done, len(names), label)


def main(arguments: list[str]) -> None:
    """Print the content hash of each path, or without paths the probe of every version."""
    for path in arguments:
        print(f'{path}: content_hash="{content_hash(Path(path))}"')
    for version in [] if arguments else VERSIONS.values():
        print(f'{version.name}: probe="{probe(version)}", made_with="{toolchain()}"')


if __name__ == "__main__":
    sys.exit(run_cli(lambda: main(sys.argv[1:])))
