"""The hash of a twin speaks of names and contents alone, and the frozen probe notices changed drawing."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tryon.runtime.code_version import ROOT
from tryon.synthetic.versions import VERSIONS, content_hash, probe, toolchain


def test_a_folder_and_its_zips_have_the_same_hash(twin):
    assert content_hash(twin.root) == content_hash(twin.archive)


@pytest.mark.parametrize("name", ["attributes.csv", "dresses/train_pairs.txt", "dresses/images/000004_0.jpg"])
def test_any_change_changes_the_hash(twin, tmp_path, name):
    root = shutil.copytree(twin.root, tmp_path / "root")
    path = root / name
    path.write_bytes(path.read_bytes() + b" ")
    changed = content_hash(root)
    path.rename(path.with_name("other"))
    assert len({content_hash(twin.root), changed, content_hash(root)}) == 3


def test_added_planes_do_not_count(twin, tmp_path):
    root = shutil.copytree(twin.root, tmp_path / "root")
    for name in ("dresses/flow/000004_000004.png", "dresses/dense/000004_5_uv.npz"):
        path: Path = root / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"planes")
    assert content_hash(root) == content_hash(twin.root)


def test_the_module_tells_the_hash_of_a_twin_made_before(twin, tmp_path):
    def told(path: Path) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "tryon.synthetic.versions", str(path)]
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    assert told(twin.archive).stdout == f'{twin.archive}: content_hash="{content_hash(twin.root)}"\n'
    alone = shutil.copy(twin.archive, tmp_path / "alone.zip")
    done = told(alone)
    assert done.returncode == 2
    assert done.stderr.startswith(f"error: {alone}: is a folder, or a whole zip archive with its truth")


@pytest.mark.parametrize("name", list(VERSIONS))
def test_the_drawing_of_a_frozen_version_has_not_changed(name):
    """When this fails on purpose, the change makes a new version; see `tryon.synthetic.versions`."""
    version = VERSIONS[name]
    found = probe(version)
    if version.probe is None:
        pytest.skip("not frozen yet")
    if version.made_with != toolchain():
        pytest.skip(f"frozen with {version.made_with}, here {toolchain()}")
    assert found == version.probe


def test_v1_has_enough_test_pairs_for_a_frechet_distance():
    settings = VERSIONS["twin:v1"].settings
    assert 3 * settings.test_pairs >= 2048
    assert (settings.difficulty, settings.parsing_noise_fraction) == ("catalogue", 0.0)
