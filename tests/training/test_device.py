"""Where training runs."""

from __future__ import annotations

import pytest
import torch

from tryon.errors import ParameterError
from tryon.training.device import choose_accelerator, set_cpu_threads


def test_auto_takes_a_gpu_where_there_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    for here, chosen in ((True, "cuda"), (False, "cpu")):
        monkeypatch.setattr(torch.cuda, "is_available", lambda here=here: here)
        assert choose_accelerator("finetune", "auto") == chosen


def test_the_environment_sets_the_number_of_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    before = torch.get_num_threads()
    monkeypatch.setenv("TRYON_THREADS", "3")
    set_cpu_threads()
    assert torch.get_num_threads() == 3
    torch.set_num_threads(before)
    monkeypatch.setenv("TRYON_THREADS", "none")
    with pytest.raises(ParameterError, match="TRYON_THREADS"):
        set_cpu_threads()


def test_a_gpu_that_is_not_there_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ParameterError, match=r"finetune\.accelerator"):
        choose_accelerator("finetune", "cuda")
