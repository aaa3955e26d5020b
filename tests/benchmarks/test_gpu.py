"""The GPU benchmark runs, tested on the CPU."""

from __future__ import annotations

import pytest
import torch

from benchmarks import gpu, network
from benchmarks.published_network import published_warp
from tryon.daflow.warp import WARPS

SMALL = ["--narrow", "--height", "128", "--width", "96", "--rounds", "1", "--batches", "1"]


def test_missing_gpu_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(SystemExit, match="no GPU"):
        gpu.main([])


@pytest.mark.slow
def test_every_variant_has_a_row(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    # The lower bounds and the loss networks take half a minute.
    monkeypatch.setattr(network, "fastest", lambda *_: 1.0)
    monkeypatch.setattr(gpu, "random_perceptual", lambda: None)
    monkeypatch.setattr(gpu, "ON_GPU", ("published", "recompute-last"))
    monkeypatch.setitem(WARPS, "published", published_warp)  # undone after the test
    exact = torch.backends.cudnn.allow_tf32
    try:
        gpu.main(["--device", "cpu", "--precisions", "bf16", *SMALL])
    finally:
        torch.backends.cudnn.allow_tf32 = exact
    output = capsys.readouterr().out
    assert output.startswith("CPU, ")
    lines = {line.split()[0]: line.split() for line in output.splitlines() if line.strip()}
    assert set(gpu.ON_GPU) <= set(lines)
    assert float(lines["recompute-last"][1]) > 0
    steps = [line.split() for line in output.splitlines() if line.startswith("  loss none")]
    assert len(steps) == 2
    assert all(0.85 < float(step[-1]) < 1.15 for step in steps)


def test_out_of_memory_is_reported() -> None:
    def work() -> str:
        raise torch.OutOfMemoryError("CUDA out of memory.\nmore")

    assert gpu.or_out_of_memory(work) == "CUDA out of memory."
