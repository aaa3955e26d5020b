"""Where training runs: the accelerator, the number format, the number of CPU threads."""

from __future__ import annotations

import os

import torch
from lightning_fabric import Fabric

from tryon.errors import ParameterError
from tryon.training.settings import OptimisationSettings


def make_fabric(stage: str, settings: OptimisationSettings) -> Fabric:
    """Start Lightning Fabric on one device as the settings say.

    Raises:
        ParameterError: a GPU is asked for and there is none, or the CPU cannot compute in that format.
    """
    accelerator = settings.accelerator
    if accelerator == "auto":
        accelerator = "cuda" if torch.cuda.is_available() else "cpu"
    if accelerator == "cuda" and not torch.cuda.is_available():
        remedy = "Set it to `cpu` or `auto`, or run where torch sees a GPU."
        raise ParameterError(f"{stage}.accelerator", rule="torch sees a CUDA device", value="cuda", remedy=remedy)
    if accelerator == "cpu" and settings.precision == "16-mixed":
        rule, remedy = "is 32-true or bf16-mixed on the CPU", f"Change {stage}.precision in params.yaml."
        raise ParameterError(f"{stage}.precision", rule=rule, value=settings.precision, remedy=remedy)
    set_cpu_threads()
    fabric = Fabric(accelerator=accelerator, devices=1, precision=settings.precision)
    fabric.launch()
    return fabric


def set_cpu_threads() -> int:
    """Give torch the CPUs this process may use, or `TRYON_THREADS` of them; sums depend on it in the last bit.

    Raises:
        ParameterError: `TRYON_THREADS` is not a positive number.
    """
    threads = cpu_threads()
    torch.set_num_threads(threads)
    return threads


def cpu_threads() -> int:
    """CPUs this process may use, or `TRYON_THREADS`.

    Raises:
        ParameterError: `TRYON_THREADS` is not a positive number.
    """
    wanted = os.environ.get("TRYON_THREADS", "")
    if wanted and not (wanted.isdecimal() and int(wanted) > 0):
        raise ParameterError("TRYON_THREADS", rule="is a positive number", value=wanted)
    if wanted:
        return int(wanted)
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
