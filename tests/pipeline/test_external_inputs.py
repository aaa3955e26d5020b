"""Records of external inputs: DVC sees every change, and unchanged files are not hashed again."""

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


def record(workspace: Workspace) -> dict:
    return json.loads(workspace.weights_file.read_text())


def write_weights(workspace: Workspace, name: str, content: bytes) -> str:
    workspace.weights.mkdir(exist_ok=True)
    (workspace.weights / name).write_bytes(content)
    return hashlib.sha256(content).hexdigest()


def set_init_from(workspace: Workspace, init_from: str) -> None:
    text = workspace.params_file.read_text()
    assert "init_from: train_upper_body" in text
    workspace.params_file.write_text(text.replace("init_from: train_upper_body", f"init_from: {init_from}"))


def test_new_metric_weights_are_recorded(workspace: Workspace) -> None:
    sha256 = write_weights(workspace, WEIGHTS["alexnet"].file, b"weights")
    assert refresh_inputs(workspace) == {"evaluate": "weights changed: metrics"}
    assert record(workspace) == {"start": None, "metrics": {**dict.fromkeys(FOR_METRICS), "alexnet": sha256}}
    assert refresh_inputs(workspace) == {}


@pytest.mark.parametrize("init_from", ["published", "data/weights/ckpt_viton.pt"])
def test_initial_weights_are_recorded_by_content(workspace: Workspace, init_from: str) -> None:
    write_weights(workspace, "ckpt_viton.pt", b"one")
    assert refresh_inputs(workspace) == {}  # `train_upper_body` does not read it
    set_init_from(workspace, init_from)
    assert refresh_inputs(workspace) == {"pretrain": "weights changed: start"}
    sha256 = write_weights(workspace, "ckpt_viton.pt", b"another")
    assert refresh_inputs(workspace) == {"pretrain": "weights changed: start"}
    assert record(workspace)["start"] == sha256


def test_write_false_writes_nothing(workspace: Workspace) -> None:
    write_weights(workspace, WEIGHTS["alexnet"].file, b"weights")
    workspace.source_file.write_text("{}")
    before = workspace.source_file.read_bytes(), workspace.weights_file.read_bytes()
    assert set(refresh_inputs(workspace, write=False)) == {"download", "evaluate"}
    assert (workspace.source_file.read_bytes(), workspace.weights_file.read_bytes()) == before


def test_file_is_hashed_once_until_its_size_or_time_changes(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []
    sha256_file = inputs.sha256_file

    def counted(path: Path, *more: object) -> str:
        read.append(path.name)
        return sha256_file(path)

    monkeypatch.setattr(inputs, "sha256_file", counted)
    name = WEIGHTS["alexnet"].file
    write_weights(workspace, name, b"weights")
    refresh_inputs(workspace)
    refresh_inputs(workspace)
    assert read == [name]
    os.utime(workspace.weights / name, ns=(1, 1))
    assert refresh_inputs(workspace) == {}  # hashed again; the content is the same
    assert read == [name, name]


def test_hashing_reports_progress(workspace: Workspace) -> None:
    reports: list[tuple[int, int]] = []
    write_weights(workspace, WEIGHTS["inception"].file, bytes(9 << 20))
    refresh_inputs(workspace, progress=lambda done, total, label: reports.append((done, total)))
    assert reports == [(4, 9), (8, 9), (9, 9)]


def test_every_weights_file_is_an_input_of_a_stage(workspace: Workspace) -> None:
    from tryon.metrics import METRICS
    from tryon.training.losses.perceptual import TERM_NETWORKS

    assert set(FOR_METRICS) == set(record(workspace)["metrics"])
    assert set(FOR_METRICS) == {metric.weights for metric in METRICS.values() if metric.weights}
    assert set(inputs.LOSS_ONLY_WEIGHTS) < set(TERM_NETWORKS.values())  # these are checked by their published hash
    assert set(WEIGHTS) == {*record(workspace)["metrics"], *inputs.LOSS_ONLY_WEIGHTS, inputs.PUBLISHED}
    assert set(record(workspace)) == set(WEIGHT_INPUTS.values())
    assert set(inputs.TRAINED_STARTS) | {"published"} == {
        word for word in ("train_upper_body", "scratch", "published") if word in _init_from_description(workspace)
    }


def _init_from_description(workspace: Workspace) -> str:
    return str(type(load_parameters(workspace.params_file).pretrain).model_fields["init_from"].description)


def test_baseline_run_is_recorded_by_content(workspace: Workspace) -> None:
    text = workspace.params_file.read_text()
    assert "baseline_run: null" in text
    workspace.params_file.write_text(text.replace("baseline_run: null", "baseline_run: other"))
    assert refresh_inputs(workspace) == {"evaluate": "weights changed: metrics"}
    scores = workspace.root / "other" / "evaluation" / "scores.parquet"
    scores.parent.mkdir(parents=True)
    scores.write_bytes(b"scores")
    assert refresh_inputs(workspace) == {"evaluate": "weights changed: metrics"}
    files = {name: value for name, value in record(workspace)["metrics"].items() if name.startswith("baseline ")}
    assert files == {
        **{f"baseline {name}": None for name in inputs.BASELINE_FILES},
        "baseline evaluation/scores.parquet": hashlib.sha256(b"scores").hexdigest(),
    }
    assert refresh_inputs(workspace) == {}
