"""The GPU limit: held only where a GPU is to be used, made where it is missing, left alone where it is not."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator
from types import SimpleNamespace

import pytest
from prefect.exceptions import ObjectNotFound

from tasks import gpu_limit as gpu


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the limit's server is asked."""
    asked: list[str] = []

    @contextlib.contextmanager
    def held(name: str, **options: object) -> Iterator[None]:
        assert options["strict"]
        asked.append(f"take {name}")
        yield
        asked.append(f"give {name}")

    monkeypatch.setattr(gpu, "concurrency", held)
    monkeypatch.setattr(gpu, "ensure_limit", lambda: asked.append("ensure"))
    monkeypatch.setattr(gpu, "get_run_logger", lambda: logging.getLogger("test"))
    return asked


def test_the_cpu_needs_no_slot(told: list[str]) -> None:
    with gpu.gpu_slot("finetune", "cpu"):
        assert told == []
    assert told == []


@pytest.mark.parametrize(("here", "taken"), [(True, True), (False, False)])
def test_auto_takes_a_slot_where_there_is_a_gpu(told, monkeypatch, here: bool, taken: bool) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: here)
    with gpu.gpu_slot("finetune", "auto"):
        assert ("take gpu" in told) is taken
        assert "give gpu" not in told
    assert told == (["ensure", "take gpu", "give gpu"] if taken else [])


def test_a_failure_gives_the_slot_back(monkeypatch, told) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    ended: list[bool] = []

    @contextlib.contextmanager
    def held(*_: object, **__: object) -> Iterator[None]:
        try:
            yield
        finally:
            ended.append(True)

    monkeypatch.setattr(gpu, "concurrency", held)
    with pytest.raises(RuntimeError, match="broken"), gpu.gpu_slot("finetune", "cuda"):
        raise RuntimeError("broken")
    assert ended


@pytest.mark.parametrize("there", [True, False])
def test_a_limit_that_somebody_raised_stays(monkeypatch, there: bool) -> None:
    made: list[int] = []

    def read(name: str) -> SimpleNamespace:
        if not there:
            raise ObjectNotFound(http_exc=Exception("404"))
        return SimpleNamespace(name=name, limit=4)

    client = SimpleNamespace(
        read_global_concurrency_limit_by_name=read,
        create_global_concurrency_limit=lambda wanted: made.append(wanted.limit),
    )
    monkeypatch.setattr(gpu, "get_client", lambda **_: contextlib.nullcontext(client))
    gpu.ensure_limit()
    assert made == ([] if there else [1])
