"""Fabric starts as the settings say, or not at all."""

from __future__ import annotations

import pytest
import torch

from tryon.config.training import FinetuneSettings
from tryon.errors import ParameterError
from tryon.training.fabric import make_fabric


def test_half_precision_on_the_cpu_is_an_error() -> None:
    with pytest.raises(ParameterError, match=r"finetune\.precision"):
        make_fabric("finetune", FinetuneSettings.model_validate({"accelerator": "cpu", "precision": "16-mixed"}))


def test_it_runs_on_the_device_with_the_threads_that_are_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    before = torch.get_num_threads()
    monkeypatch.setenv("TRYON_THREADS", "3")
    try:
        fabric = make_fabric("finetune", FinetuneSettings.model_validate({"accelerator": "cpu"}))
        assert (fabric.device.type, torch.get_num_threads()) == ("cpu", 3)
    finally:
        torch.set_num_threads(before)
