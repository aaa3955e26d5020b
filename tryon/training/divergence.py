"""Training that goes astray is stopped at the step where it does, and the pairs of that step are named."""

from __future__ import annotations

import math
from collections.abc import Sequence

from tryon.errors import TryOnError, format_list
from tryon.training.run_config import RunConfig
from tryon.training.step_batches import Rows


def check_loss_divergence(
    job: RunConfig, step: Sequence[Rows], losses: Sequence[float], reference_loss: float | None
) -> None:
    """Stop when a loss is no number, or has exploded.

    Args:
        job: the run.
        group: positions of the rows of each batch of a step.
        losses: of these batches.
        reference_loss: what a loss usually is; None when that is not known yet.

    Raises:
        TryOnError: with the pairs of the batch.
    """
    limit = job.settings.divergence_factor
    for rows, loss in zip(step, losses, strict=True):
        if not math.isfinite(loss):
            raise _divergence_error(job, "loss", [rows], "is finite", loss)
        if limit is not None and reference_loss is not None and loss > limit * reference_loss:
            raise _divergence_error(
                job, "loss", [rows], f"is at most {limit:g} times the usual {reference_loss:.4g}", loss
            )


def check_gradient_norm(job: RunConfig, step: Sequence[Rows], norm: float) -> None:
    """Stop when the norm of a step's gradient is no number.

    Raises:
        TryOnError: with the pairs of the step.
    """
    if not math.isfinite(norm):
        raise _divergence_error(job, "gradient", step, "is finite", norm)


def _divergence_error(job: RunConfig, what: str, group: Sequence[Rows], rule: str, value: float) -> TryOnError:
    pairs = format_list([job.train.text("pair_id", int(row)) for rows in group for row in rows])
    remedy = f"Look at these pairs, or lower {job.stage}.lr or {job.stage}.max_grad_norm in params.yaml."
    return TryOnError(f"{what} of pairs {pairs}", expected=rule, found=value, hint=remedy)
