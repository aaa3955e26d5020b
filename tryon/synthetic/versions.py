"""Frozen versions of the twin: fixed by seed, settings and the hash of all that was written.

The same code on the same libraries writes the same bytes. Other drawing code, another OpenCV, NumPy or zlib, or another
kind of processor may not; then the hash says so. `python -m tryon.synthetic.versions` prints the probe of each version:
the hash of a few items that this machine draws now. With the path of a zip archive or a folder behind it, it prints the
content hash of that twin, made before.
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

_PROBED = 2


@dataclass(frozen=True)
class Version:
    """One frozen twin.

    Args:
        name: how it is cited.
        seed: of the archive.
        settings: how many pairs, and what they hold. UV maps and flow may be written as well; the hash leaves them out.
        content_hash: of archive and truth, as `content_hash` gives it; None until it is frozen.
        probe: the same hash over the first two items of each category alone; None until it is frozen.
        made_with: what `toolchain` said where the hashes were taken; None until they are frozen.
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
"""Every version by its name. 3 x 700 test pairs are more than the 2048 that a Fréchet distance needs at least."""


def content_hash(target: Path, progress: Progress = no_progress) -> str:
    """Hash of all members of a written twin: the same for a zip with its truth beside it and for a folder.

    Args:
        target: the folder or the zip archive.
        progress: told members.

    Returns:
        SHA-256 over the sorted lines "<name> <SHA-256 of the content>", UV maps and flow left out.

    Raises:
        SourceError: the archive or its truth is not there or not whole.
    """
    parts = [target] if target.is_dir() else [target, truth_archive_path(target)]
    try:
        return _hash_of(line for part in parts for line in _members(part, progress))
    except (OSError, zipfile.BadZipFile, zlib.error) as error:
        rule = "is a folder, or a whole zip archive with its truth beside it"
        raise SourceError(str(target), expected=rule, found=str(error)) from error


def probe(version: Version) -> str:
    """Hash of the first two items of each category, which takes a second: it changes when the drawing does."""
    plan = PairPlan(version.settings.train_pairs, version.settings.test_pairs, version.seed)
    content = RenderOptions(version.settings.difficulty)
    made = [
        make_item(version.seed, category, number, plan.item_id(category, number), content).archive
        for category in Category
        for number in range(_PROBED)
    ]
    return _hash_of((name, sha256_bytes(data)) for files in made for name, data in files)


def toolchain() -> str:
    """What the bytes depend on besides this code: libraries, and the instructions that they find in the processor."""
    features = sha256_bytes(cv2.getCPUFeaturesLine().encode())[:8]
    return (
        f"OpenCV {cv2.__version__}, NumPy {np.__version__}, zlib {zlib.ZLIB_RUNTIME_VERSION}, "
        f"{platform.system()} {platform.machine()}, processor features {features}"
    )


def _hash_of(members: Iterable[tuple[str, str]]) -> str:
    total = hashlib.sha256()
    for name, digest in sorted(members):
        if not (name.endswith("_uv.npz") or "/flow/" in name):
            total.update(f"{name} {digest}\n".encode())
    return total.hexdigest()


def _members(part: Path, progress: Progress) -> Iterator[tuple[str, str]]:
    """Name and hash of each file of a folder or a zip archive."""
    what = f"members of {part.name} hashed"
    if part.is_dir():
        files = sorted(path for path in part.rglob("*") if path.is_file())
        for done, path in enumerate(files, start=1):
            yield path.relative_to(part).as_posix(), sha256_file(path)
            progress(done, len(files), what)
        return
    with zipfile.ZipFile(part) as archive:
        names = archive.namelist()
        for done, name in enumerate(names, start=1):
            yield name, sha256_bytes(archive.read(name))
            progress(done, len(names), what)


def main(arguments: list[str]) -> None:
    """Print the content hash of each path in `arguments`; without any, the probe of every version."""
    for path in arguments:
        print(f'{path}: content_hash="{content_hash(Path(path))}"')
    for version in [] if arguments else VERSIONS.values():
        print(f'{version.name}: probe="{probe(version)}", made_with="{toolchain()}"')


if __name__ == "__main__":
    sys.exit(run_cli(lambda: main(sys.argv[1:])))
