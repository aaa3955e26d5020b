"""The loss in the training loop: its settings affect the weights, and runs are reproducible."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor

from tryon.config.training import FinetuneSettings, PretrainSettings
from tryon.loading.packed_dataset import PackedDataset
from tryon.pretrain.initialization import new_network
from tryon.runtime.progress import no_progress
from tryon.training import loop
from tryon.training.checkpoint import HistoryRow
from tryon.training.losses import Perceptual
from tryon.training.losses.perceptual import TERM_NETWORKS
from tryon.training.run_checkpoints import CheckpointManager
from tryon.training.run_config import RunConfig
from tryon.training.training_log import LOSS_TERMS, TERM_COLUMNS
from tryon.workspace import Workspace

PLAIN = {
    "l1": 1.0, "masked_weight": 1.0, "scale_weight_exponent": 1.0, "lpips": 1.0, "style": 100.0,
    "content": 0.1, "image_gradient": 0.0, "flow_smoothness": 0.0,
}  # fmt: skip
CHANGED = {"l1": 0.0, "masked_weight": 5.0, "scale_weight_exponent": 3.0, "image_gradient": 3.0, "flow_smoothness": 1.0}
PERCEPTUAL = {"lpips": 0.0, "style": 1.0, "content": 5.0}


@pytest.fixture
def train(workspace: Workspace, pretrain_settings: PretrainSettings, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Train for an epoch with changed loss settings; returns weights, mean loss and history row."""
    rows = {part: PackedDataset.read(workspace.subset(part)) for part in ("train", "val")}
    monkeypatch.setattr(loop, "validate", lambda *args: {"val_l1": None})
    monkeypatch.setattr(loop, "write_grids", lambda *args: None)

    def run(
        name: str, networks: Perceptual | None = None, precision: str = "32-true", **changed: Any
    ) -> tuple[dict[str, Tensor], float, HistoryRow]:
        kind = {"perceptual": "vgg" if networks else "none"}
        values = {"epochs": 1, "batch_size": 3, "lr": 1e-2, "accelerator": "cpu", "loss": {**PLAIN, **kind, **changed}}
        values["precision"] = precision
        settings = FinetuneSettings.model_validate(values)
        job = RunConfig("finetune", settings, 7, "0", "0", rows["train"], rows["val"], perceptual=networks)
        checkpoints = CheckpointManager(workspace.work_dir("test"), name)
        state = loop.train(job, new_network(pretrain_settings.network, 1), checkpoints, no_progress)
        loss = state.history[1]["train_loss"]
        assert loss is not None
        return state.model, loss, state.history[1]

    return run


def equal(a: dict[str, Tensor], b: dict[str, Tensor]) -> bool:
    return all(torch.equal(value, b[name]) for name, value in a.items())


@pytest.mark.slow
def test_each_setting_of_the_loss_changes_the_trained_weights(train: Any) -> None:
    base, *_ = train("base")
    assert equal(base, train("again")[0])
    assert not [name for name, value in CHANGED.items() if equal(base, train(name, **{name: value})[0])]


@pytest.mark.slow
def test_perceptual_terms_affect_the_weights_reproducibly(train: Any, narrow: Perceptual) -> None:
    plain, loss, _ = train("plain")
    assert equal(plain, train("unused", lpips=7.0, style=7.0, content=7.0)[0])  # `perceptual: none` excludes them
    base, larger, _ = train("base", narrow)
    assert larger > loss
    assert equal(base, train("again", narrow)[0])
    for name, value in PERCEPTUAL.items():
        assert not equal(base, train(name, narrow, **{name: value})[0]), name


def test_history_terms_add_up(train: Any, narrow: Perceptual) -> None:
    for networks, changed in (
        (narrow, {"image_gradient": 1.0, "flow_smoothness": 1.0}),
        (narrow, {"l1": 0.0}),
        (None, {}),
    ):
        row = train(str(changed), networks, **changed)[2]
        terms = {name: row[name] for name in TERM_COLUMNS if name in row}
        weights = {**PLAIN, **changed}
        expected = [name for name in LOSS_TERMS if weights[name] and (networks or name not in TERM_NETWORKS)]
        assert terms.keys() == {f"train_{name}" for name in expected}
        assert math.fsum(terms.values()) == pytest.approx(row["train_loss"], rel=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("precision", ["bf16-mixed", "64-true"])
def test_works_with_other_precisions(train: Any, narrow: Perceptual, precision: str) -> None:
    _, exact, _ = train("exact", narrow, image_gradient=1.0, flow_smoothness=1.0)
    _, loss, _ = train("other", narrow, precision, image_gradient=1.0, flow_smoothness=1.0)
    assert loss == pytest.approx(exact, rel=0.05)
