"""Where a network runs: the accelerator and the number of CPU threads."""

from __future__ import annotations

import torch

from tryon.errors import ParameterError
from tryon.runtime.process_pool import thread_count


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
        raise ParameterError(f"{stage}.accelerator", expected="torch sees a CUDA device", found=wanted, hint=remedy)
    return wanted


def set_cpu_threads() -> None:
    """Give torch the threads of `thread_count`; sums depend on their number in the last bit.

    Raises:
        ParameterError: `TRYON_THREADS` is not a positive number.
    """
    torch.set_num_threads(thread_count())
