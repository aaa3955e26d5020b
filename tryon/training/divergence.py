"""Training that goes astray is stopped at the step where it does, and the pairs of that step are named."""

from __future__ import annotations

import math
from collections.abc import Sequence

from tryon.errors import TryOnError, listed
from tryon.training.run_config import Job
from tryon.training.step_batches import Rows


def check_losses(job: Job, group: Sequence[Rows], losses: Sequence[float], usual: float | None) -> None:
    """Stop when a loss is no number, or has exploded.

    Args:
        job: the run.
        group: positions of the rows of each batch of a step.
        losses: of these batches.
        usual: what a loss usually is; None when that is not known yet.

    Raises:
        TryOnError: with the pairs of the batch.
    """
    limit = job.settings.loss_limit
    for rows, loss in zip(group, losses, strict=True):
        if not math.isfinite(loss):
            raise _stopped(job, "loss", [rows], "is finite", loss)
        if limit is not None and usual is not None and loss > limit * usual:
            raise _stopped(job, "loss", [rows], f"is at most {limit:g} times the usual {usual:.4g}", loss)


def check_gradient(job: Job, group: Sequence[Rows], norm: float) -> None:
    """Stop when the norm of a step's gradient is no number.

    Raises:
        TryOnError: with the pairs of the step.
    """
    if not math.isfinite(norm):
        raise _stopped(job, "gradient", group, "is finite", norm)


def _stopped(job: Job, what: str, group: Sequence[Rows], rule: str, value: float) -> TryOnError:
    pairs = listed([job.train.text("pair_id", int(row)) for rows in group for row in rows])
    remedy = f"Look at these pairs, or lower {job.stage}.lr or {job.stage}.clip_norm in params.yaml."
    return TryOnError(f"{what} of pairs {pairs}", rule=rule, value=value, remedy=remedy)
