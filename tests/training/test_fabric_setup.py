"""Fabric is set up from the settings."""

from __future__ import annotations

import pytest
import torch

from tryon.config.training import FinetuneSettings
from tryon.errors import ParameterError
from tryon.training.fabric_setup import make_fabric


def test_rejects_half_precision_on_the_cpu() -> None:
    with pytest.raises(ParameterError, match=r"finetune\.precision"):
        make_fabric("finetune", FinetuneSettings.model_validate({"accelerator": "cpu", "precision": "16-mixed"}))


def test_uses_the_configured_device_and_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    before = torch.get_num_threads()
    monkeypatch.setenv("TRYON_THREADS", "3")
    try:
        fabric = make_fabric("finetune", FinetuneSettings.model_validate({"accelerator": "cpu"}))
        assert (fabric.device.type, torch.get_num_threads()) == ("cpu", 3)
    finally:
        torch.set_num_threads(before)
