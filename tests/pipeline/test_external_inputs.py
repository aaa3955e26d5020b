"""What comes from outside is noted so that DVC sees it change, and nothing is read that is known already."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from pathlib import Path

import pytest

from tryon.config.parameters import load_parameters
from tryon.pipeline import external_inputs as inputs
from tryon.pipeline.external_inputs import WEIGHT_INPUTS, refresh_inputs
from tryon.pretrained_weights import WEIGHTS
from tryon.runtime.code_version import ROOT
from tryon.workspace import Workspace

FOR_METRICS = ("alexnet", "inception", "inception_clean", "squeezenet", "vgg16")


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    monkeypatch.delenv("TRYON_WEIGHTS", raising=False)
    shutil.copy(ROOT / "params" / "default.yaml", tmp_path / "params.yaml")
    shutil.copytree(ROOT / "data", tmp_path / "data", ignore=lambda *_: {p.name for p in (ROOT / "data").glob("*/")})
    refresh_inputs(Workspace(tmp_path))
    return Workspace(tmp_path)


def noted(workspace: Workspace) -> dict:
    return json.loads(workspace.weights_file.read_text())


def put(workspace: Workspace, name: str, content: bytes) -> str:
    workspace.weights.mkdir(exist_ok=True)
    (workspace.weights / name).write_bytes(content)
    return hashlib.sha256(content).hexdigest()


def set_start(workspace: Workspace, start: str) -> None:
    text = workspace.params_file.read_text()
    assert "init_from: train_upper_body" in text
    workspace.params_file.write_text(text.replace("init_from: train_upper_body", f"init_from: {start}"))


def test_weights_that_metrics_need_are_noted_when_they_arrive(workspace: Workspace) -> None:
    sha256 = put(workspace, WEIGHTS["alexnet"].file, b"weights")
    assert refresh_inputs(workspace) == {"evaluate": "weights (metrics) changed"}
    assert noted(workspace) == {"start": None, "metrics": {**dict.fromkeys(FOR_METRICS), "alexnet": sha256}}
    assert refresh_inputs(workspace) == {}


@pytest.mark.parametrize("start", ["published", "data/weights/ckpt_viton.pt"])
def test_the_file_that_pretrain_starts_from_is_noted_by_its_content(workspace: Workspace, start: str) -> None:
    put(workspace, "ckpt_viton.pt", b"one")
    assert refresh_inputs(workspace) == {}  # `train_upper_body` does not read it
    set_start(workspace, start)
    assert refresh_inputs(workspace) == {"pretrain": "weights (start) changed"}
    sha256 = put(workspace, "ckpt_viton.pt", b"another")
    assert refresh_inputs(workspace) == {"pretrain": "weights (start) changed"}
    assert noted(workspace)["start"] == sha256


def test_a_dry_look_writes_nothing(workspace: Workspace) -> None:
    put(workspace, WEIGHTS["alexnet"].file, b"weights")
    workspace.source_file.write_text("{}")
    before = workspace.source_file.read_bytes(), workspace.weights_file.read_bytes()
    assert set(refresh_inputs(workspace, write=False)) == {"download", "evaluate"}
    assert (workspace.source_file.read_bytes(), workspace.weights_file.read_bytes()) == before


def test_a_file_is_read_once_until_its_size_or_time_changes(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []
    hash_of = inputs.sha256_file

    def counted(path: Path, *more: object) -> str:
        read.append(path.name)
        return hash_of(path)

    monkeypatch.setattr(inputs, "sha256_file", counted)
    name = WEIGHTS["alexnet"].file
    put(workspace, name, b"weights")
    refresh_inputs(workspace)
    refresh_inputs(workspace)
    assert read == [name]
    os.utime(workspace.weights / name, ns=(1, 1))
    assert refresh_inputs(workspace) == {}  # read again, the content is as before
    assert read == [name, name]


def test_hashing_is_seen_to_go_on(workspace: Workspace) -> None:
    told: list[tuple[int, int]] = []
    put(workspace, WEIGHTS["inception"].file, bytes(9 << 20))
    refresh_inputs(workspace, progress=lambda done, total, what: told.append((done, total)))
    assert told == [(4, 9), (8, 9), (9, 9)]


def test_every_file_of_weights_is_an_input_of_a_stage(workspace: Workspace) -> None:
    from tryon.metrics import METRICS
    from tryon.training.losses.perceptual import NETWORKS

    assert set(FOR_METRICS) == set(noted(workspace)["metrics"])
    assert set(FOR_METRICS) == {metric.weights for metric in METRICS.values() if metric.weights}
    assert set(inputs.LOSS_ONLY_WEIGHTS) < set(NETWORKS.values())  # but for these, whose published hash is checked
    assert set(WEIGHTS) == {*noted(workspace)["metrics"], *inputs.LOSS_ONLY_WEIGHTS, inputs.PUBLISHED}
    assert set(noted(workspace)) == set(WEIGHT_INPUTS.values())
    assert set(inputs.TRAINED_STARTS) | {"published"} == {
        word for word in ("train_upper_body", "scratch", "published") if word in _start_description(workspace)
    }


def _start_description(workspace: Workspace) -> str:
    return str(type(load_parameters(workspace.params_file).pretrain).model_fields["start"].description)


def test_the_run_that_the_report_puts_beside_ours_is_noted_by_its_content(workspace: Workspace) -> None:
    text = workspace.params_file.read_text()
    assert "beside: null" in text
    workspace.params_file.write_text(text.replace("beside: null", "beside: other"))
    assert refresh_inputs(workspace) == {"evaluate": "weights (metrics) changed"}
    scores = workspace.root / "other" / "evaluation" / "scores.parquet"
    scores.parent.mkdir(parents=True)
    scores.write_bytes(b"scores")
    assert refresh_inputs(workspace) == {"evaluate": "weights (metrics) changed"}
    told = {name: value for name, value in noted(workspace)["metrics"].items() if name.startswith("beside ")}
    assert told == {
        **{f"beside {name}": None for name in inputs.BASELINE_FILES},
        "beside evaluation/scores.parquet": hashlib.sha256(b"scores").hexdigest(),
    }
    assert refresh_inputs(workspace) == {}
