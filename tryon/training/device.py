"""Device selection and CPU threads."""

from __future__ import annotations

import torch

from tryon.errors import ParameterError
from tryon.runtime.process_pool import thread_count


def choose_accelerator(stage: str, requested: str) -> str:
    """Resolve the setting `accelerator` of a stage to `cpu` or `cuda`; raise ParameterError for a missing GPU."""
    if requested == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    if requested == "cuda" and not torch.cuda.is_available():
        raise ParameterError(
            f"{stage}.accelerator is cuda, but torch finds no CUDA device",
            hint="Set it to `cpu` or `auto`, or run on a machine with a GPU.",
        )
    return requested


def set_cpu_threads() -> None:
    """Set torch's threads to `thread_count`, which affects sums in the last bit."""
    torch.set_num_threads(thread_count())
