"""The GPU limit: held only by stages that use a GPU, created if missing, kept if it exists."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator
from types import SimpleNamespace

import pytest
from prefect.exceptions import ObjectNotFound

from tasks import gpu_limit


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Calls that reach the server of the limit."""
    recorded: list[str] = []

    @contextlib.contextmanager
    def concurrency(name: str, **options: object) -> Iterator[None]:
        assert options["strict"]
        recorded.append(f"take {name}")
        yield
        recorded.append(f"give {name}")

    monkeypatch.setattr(gpu_limit, "concurrency", concurrency)
    monkeypatch.setattr(gpu_limit, "ensure_limit", lambda: recorded.append("ensure"))
    monkeypatch.setattr(gpu_limit, "get_run_logger", lambda: logging.getLogger("test"))
    return recorded


def test_cpu_needs_no_slot(calls: list[str]) -> None:
    with gpu_limit.gpu_slot("finetune", "cpu"):
        assert calls == []
    assert calls == []


@pytest.mark.parametrize("available", [True, False])
def test_auto_takes_a_slot_if_a_gpu_is_available(calls, monkeypatch, available: bool) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: available)
    with gpu_limit.gpu_slot("finetune", "auto"):
        assert ("take gpu" in calls) is available
        assert "give gpu" not in calls
    assert calls == (["ensure", "take gpu", "give gpu"] if available else [])


def test_failure_releases_the_slot(monkeypatch, calls) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    released: list[bool] = []

    @contextlib.contextmanager
    def concurrency(*_: object, **__: object) -> Iterator[None]:
        try:
            yield
        finally:
            released.append(True)

    monkeypatch.setattr(gpu_limit, "concurrency", concurrency)
    with pytest.raises(RuntimeError, match="broken"), gpu_limit.gpu_slot("finetune", "cuda"):
        raise RuntimeError("broken")
    assert released


@pytest.mark.parametrize("exists", [True, False])
def test_existing_limit_is_kept(monkeypatch, exists: bool) -> None:
    created: list[int] = []

    def read(name: str) -> SimpleNamespace:
        if not exists:
            raise ObjectNotFound(http_exc=Exception("404"))
        return SimpleNamespace(name=name, limit=4)

    client = SimpleNamespace(
        read_global_concurrency_limit_by_name=read,
        create_global_concurrency_limit=lambda limit: created.append(limit.limit),
    )
    monkeypatch.setattr(gpu_limit, "get_client", lambda **_: contextlib.nullcontext(client))
    gpu_limit.ensure_limit()
    assert created == ([] if exists else [1])
