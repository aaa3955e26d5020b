"""Where a network runs: the accelerator and the number of CPU threads."""

from __future__ import annotations

import os

import torch

from tryon.errors import ParameterError


def choose_accelerator(stage: str, wanted: str) -> str:
    """`cpu` or `cuda`, for `auto` whichever is here.

    Args:
        stage: section of `params.yaml` that messages speak of.
        wanted: its `accelerator`.

    Raises:
        ParameterError: a GPU is asked for and there is none.
    """
    if wanted == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    if wanted == "cuda" and not torch.cuda.is_available():
        remedy = "Set it to `cpu` or `auto`, or run where torch sees a GPU."
        raise ParameterError(f"{stage}.accelerator", rule="torch sees a CUDA device", value=wanted, remedy=remedy)
    return wanted


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
