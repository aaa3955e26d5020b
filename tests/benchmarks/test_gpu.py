"""The command for machines with a GPU runs, as far as a machine without one can tell."""

from __future__ import annotations

import pytest
import torch

from benchmarks import gpu, network
from benchmarks.published_network import published_warp
from tryon.daflow.warp import WARPS

SMALL = ["--narrow", "--height", "128", "--width", "96", "--rounds", "1", "--batches", "1"]


def test_without_a_gpu_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(SystemExit, match="no GPU"):
        gpu.main([])


def test_every_way_has_its_line(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    # Floors and the networks of the loss take half a minute.
    monkeypatch.setattr(network, "fastest", lambda *_: 1.0)
    monkeypatch.setattr(gpu, "random_perceptual", lambda: None)
    monkeypatch.setattr(gpu, "ON_GPU", ("published", "lean-last"))
    monkeypatch.setitem(WARPS, "published", published_warp)  # and taken out again
    exact = torch.backends.cudnn.allow_tf32
    try:
        gpu.main(["--device", "cpu", "--precisions", "bf16", *SMALL])
    finally:
        torch.backends.cudnn.allow_tf32 = exact
    said = capsys.readouterr().out
    assert said.startswith("CPU, ")
    lines = {line.split()[0]: line.split() for line in said.splitlines() if line.strip()}
    assert set(gpu.ON_GPU) <= set(lines)
    assert float(lines["lean-last"][1]) > 0
    steps = [line.split() for line in said.splitlines() if line.startswith("  loss none")]
    assert len(steps) == 2
    assert all(0.85 < float(step[-1]) < 1.15 for step in steps)


def test_what_does_not_fit_says_so_and_the_rest_goes_on() -> None:
    def work() -> str:
        raise torch.OutOfMemoryError("CUDA out of memory.\nmore")

    assert gpu.unless_full(work) == "CUDA out of memory."
