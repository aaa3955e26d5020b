"""Checkouts of DVC experiments read the project's data and never write them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tasks.experiment_checkout import link_shared_data
from tryon.workspace import Workspace


@pytest.fixture(params=[".dvc/tmp/exps/tmp1", ".dvc/tmp/exps/standalone/tmp1"])
def checkout(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    monkeypatch.setenv("TRYON_WEIGHTS", "")  # so that monkeypatch restores what `link_shared_data` sets
    monkeypatch.delenv("TRYON_WEIGHTS")
    for name in ("data/raw", "data/weights", f"{request.param}/data"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "data/raw/file").write_text("content")
    return Workspace(tmp_path / request.param)


def test_data_and_weights_are_linked(checkout: Workspace, tmp_path: Path) -> None:
    link_shared_data("agnostic", checkout)
    assert (checkout.raw / "file").read_text() == "content"
    assert checkout.weights == tmp_path / "data/weights"
    link_shared_data("sample", checkout)
    assert checkout.raw.is_symlink()
    assert not checkout.champions.exists()


def test_champions_are_linked(checkout: Workspace, tmp_path: Path) -> None:
    shared = Workspace(tmp_path)
    shared.champions.mkdir()
    shared.champion("first").write_text("weights")
    for _ in range(2):
        link_shared_data("pretrain", checkout)
        assert checkout.champion("first").read_text() == "weights"


def test_download_stage_gets_its_own_folder(checkout: Workspace, tmp_path: Path) -> None:
    link_shared_data("agnostic", checkout)
    link_shared_data("download", checkout)
    assert not checkout.raw.exists()
    checkout.raw.mkdir()
    link_shared_data("agnostic", checkout)
    assert list(checkout.raw.iterdir()) == []
    assert (tmp_path / "data/raw/file").read_text() == "content"


def test_other_folders_are_unchanged(checkout: Workspace, tmp_path: Path) -> None:
    link_shared_data("agnostic", Workspace(tmp_path / "data"))
    assert not (tmp_path / "data/data").exists()
    assert "TRYON_WEIGHTS" not in os.environ
