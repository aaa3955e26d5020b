"""The content hash depends on names and contents alone, and the frozen probe detects changed rendering."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tryon.runtime.code_version import ROOT
from tryon.synthetic.versions import VERSIONS, content_hash, probe, toolchain


def test_folder_and_zips_have_the_same_hash(plain):
    assert content_hash(plain.root) == content_hash(plain.archive)


@pytest.mark.parametrize("name", ["attributes.csv", "dresses/train_pairs.txt", "dresses/images/000004_0.jpg"])
def test_any_change_changes_the_hash(plain, tmp_path, name):
    root = shutil.copytree(plain.root, tmp_path / "root")
    path = root / name
    path.write_bytes(path.read_bytes() + b" ")
    changed = content_hash(root)
    path.rename(path.with_name("other"))
    assert len({content_hash(plain.root), changed, content_hash(root)}) == 3


def test_hash_excludes_uv_and_flow(plain, tmp_path):
    root = shutil.copytree(plain.root, tmp_path / "root")
    for name in ("dresses/flow/000004_000004.png", "dresses/dense/000004_5_uv.npz"):
        path: Path = root / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"planes")
    assert content_hash(root) == content_hash(plain.root)


def test_module_prints_the_hash_of_a_data_set(plain, tmp_path):
    def run_module(path: Path) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "tryon.synthetic.versions", str(path)]
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    assert run_module(plain.archive).stdout == f'{plain.archive}: content_hash="{content_hash(plain.root)}"\n'
    alone = shutil.copy(plain.archive, tmp_path / "alone.zip")
    done = run_module(alone)
    assert done.returncode == 2
    assert done.stderr.startswith(f"error: {alone} cannot be read")
    assert "alone.truth.zip" in done.stderr


@pytest.mark.parametrize("name", list(VERSIONS))
def test_frozen_versions_render_the_same_bytes(name):
    """When this fails on purpose, the change makes a new version; see `tryon.synthetic.versions`."""
    version = VERSIONS[name]
    actual = probe(version)
    if version.probe is None:
        pytest.skip("not frozen yet")
    if version.made_with != toolchain():
        pytest.skip(f"frozen with {version.made_with}, here {toolchain()}")
    assert actual == version.probe


def test_v1_has_enough_test_pairs_for_a_frechet_distance():
    settings = VERSIONS["twin:v1"].settings
    assert 3 * settings.test_pairs >= 2048
    assert (settings.difficulty, settings.parsing_noise_fraction) == ("catalogue", 0.0)
