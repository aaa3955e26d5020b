"""The learning rate as a function of the step: nothing to save, nothing to lose on resuming."""

from __future__ import annotations

import math


def learning_rate(step: int, total: int, peak: float, warmup: int) -> float:
    """Rise evenly over `warmup` steps, reaching `peak` with the last of them, then fall along a cosine to zero.

    Args:
        step: number of the step, 0 for the first.
        total: steps in all.
        peak: largest value.
        warmup: steps of the rise; a run shorter than this never gets to `peak`.

    Returns:
        A positive rate for every step of the run.
    """
    if step < warmup:
        return peak * (step + 1) / warmup
    done = (step - warmup) / max(1, total - warmup)
    return peak * 0.5 * (1 + math.cos(math.pi * min(done, 1.0)))
