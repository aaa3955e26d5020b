"""Device selection."""

from __future__ import annotations

import pytest
import torch

from tryon.errors import ParameterError
from tryon.training.device import choose_accelerator, set_cpu_threads


def test_auto_uses_an_available_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    for available, expected in ((True, "cuda"), (False, "cpu")):
        monkeypatch.setattr(torch.cuda, "is_available", lambda available=available: available)
        assert choose_accelerator("finetune", "auto") == expected


def test_environment_sets_the_number_of_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    before = torch.get_num_threads()
    monkeypatch.setenv("TRYON_THREADS", "3")
    set_cpu_threads()
    assert torch.get_num_threads() == 3
    torch.set_num_threads(before)
    monkeypatch.setenv("TRYON_THREADS", "none")
    with pytest.raises(ParameterError, match="TRYON_THREADS"):
        set_cpu_threads()


def test_rejects_a_missing_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ParameterError, match=r"finetune\.accelerator"):
        choose_accelerator("finetune", "cuda")
