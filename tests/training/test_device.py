"""Where training runs."""

from __future__ import annotations

import pytest
import torch

from tryon.errors import ParameterError
from tryon.training.device import cpu_threads, make_fabric
from tryon.training.settings import FinetuneSettings


def test_the_environment_sets_the_number_of_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRYON_THREADS", "3")
    assert cpu_threads() == 3
    monkeypatch.delenv("TRYON_THREADS")
    assert cpu_threads() >= 1
    monkeypatch.setenv("TRYON_THREADS", "none")
    with pytest.raises(ParameterError, match="TRYON_THREADS"):
        cpu_threads()


def test_a_gpu_that_is_not_there_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ParameterError, match=r"finetune\.accelerator"):
        make_fabric("finetune", FinetuneSettings.model_validate({"accelerator": "cuda"}))


def test_half_precision_on_the_cpu_is_an_error() -> None:
    with pytest.raises(ParameterError, match=r"finetune\.precision"):
        make_fabric("finetune", FinetuneSettings.model_validate({"accelerator": "cpu", "precision": "16-mixed"}))
