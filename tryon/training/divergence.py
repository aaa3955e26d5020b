"""Detection of diverging training, with the pairs of the step."""

from __future__ import annotations

import math
from collections.abc import Sequence

from tryon.errors import TryOnError, format_list
from tryon.training.run_config import RunConfig
from tryon.training.step_batches import Rows


def check_loss_divergence(
    job: RunConfig, step: Sequence[Rows], losses: Sequence[float], reference_loss: float | None
) -> None:
    """Raise TryOnError, naming the pairs, if a batch's loss is not finite or far above the reference.

    Args:
        job: the run.
        step: positions of the rows of each batch of a step.
        losses: of these batches.
        reference_loss: recent mean loss; None if not known yet.
    """
    factor = job.settings.divergence_factor
    for rows, loss in zip(step, losses, strict=True):
        if not math.isfinite(loss):
            raise _divergence_error(job, [rows], "the loss is not finite", loss)
        if factor is not None and reference_loss is not None and loss > factor * reference_loss:
            limit = f"at most {factor:g} x the mean loss {reference_loss:.4g}"
            raise _divergence_error(job, [rows], "the loss has exploded", loss, limit)


def check_gradient_norm(job: RunConfig, step: Sequence[Rows], norm: float) -> None:
    """Raise TryOnError, naming the pairs of the step, if the norm of its gradient is not finite."""
    if not math.isfinite(norm):
        raise _divergence_error(job, step, "the gradient is not finite", norm)


def _divergence_error(
    job: RunConfig, step: Sequence[Rows], problem: str, value: float, expected: str = ""
) -> TryOnError:
    pairs = format_list([job.train.text("pair_id", int(row)) for rows in step for row in rows])
    return TryOnError(
        f"training diverged at pairs {pairs}: {problem}",
        found=value,
        expected=expected,
        hint=f"Check these pairs, or lower {job.stage}.lr or {job.stage}.max_grad_norm in params.yaml.",
    )
