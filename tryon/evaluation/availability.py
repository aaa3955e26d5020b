"""Which metrics can be computed here, and for those that cannot, why."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from tryon.errors import ParameterError, TryOnError, WeightsError
from tryon.metrics import METRICS, Metric
from tryon.metrics.metric import Measure
from tryon.weights import COMMAND, WEIGHTS, weight_path
from tryon.workspace import Workspace

NO_TRUTH = "there is no true picture of these rows to compare with"
NO_GARMENT = "no row shows the garment in its true picture"


@dataclass(frozen=True)
class Opened:
    """The metrics after looking for their weights.

    Args:
        measures: those that can be computed, by name.
        reasons: for the others, why not.
    """

    measures: dict[str, Measure]
    reasons: dict[str, str]

    def comparing(self, against: str) -> dict[str, Measure]:
        """The measures of one kind: `target` or `people`."""
        return {name: measure for name, measure in self.measures.items() if METRICS[name].against == against}


def open_metrics(workspace: Workspace, size: tuple[int, int], device: str) -> Opened:
    """Load every metric whose weights lie in `workspace.weights` and which pictures of `size` can feed.

    Raises:
        WeightsError: a file of weights is there but damaged.
    """
    measures: dict[str, Measure] = {}
    reasons: dict[str, str] = {}
    for name, metric in METRICS.items():
        reason = _cannot_open(metric, workspace, size)
        if reason:
            reasons[name] = reason
        else:
            path = weight_path(workspace, metric.weights) if metric.weights else None
            measures[name] = metric.load(path, device)
    return Opened(measures, reasons)


def _cannot_open(metric: Metric, workspace: Workspace, size: tuple[int, int]) -> str:
    if min(size) < metric.least_side:
        return f"pictures are smaller than {metric.least_side} pixels"
    if metric.weights is None:
        return ""
    try:
        weight_path(workspace, metric.weights)
    except WeightsError as error:
        if error.rule != "exists":
            raise
        return f"its weights {WEIGHTS[metric.weights].file} are not here; `{COMMAND}` fetches them"
    return ""


def too_few(metric: Metric, count: int) -> str:
    """Why `count` pictures are not enough for `metric`; empty when they are."""
    if not count:
        return "there are no test rows"
    return f"it needs at least {metric.least} pictures" if count < metric.least else ""


def check_names(required: Iterable[str]) -> None:
    """Stop on a name in `evaluate.require` that is no metric.

    Raises:
        ParameterError: there is one.
    """
    unknown = [name for name in required if name not in METRICS]
    if unknown:
        raise ParameterError("evaluate.require", rule=f"names metrics among {', '.join(METRICS)}", value=unknown)


def check_required(required: Iterable[str], opened: Opened, paired_counts: dict[str, int]) -> None:
    """Stop, before anything is computed, when a required metric will be missing for paired rows.

    Args:
        required: `evaluate.require`.
        opened: what could be loaded.
        paired_counts: number of paired test rows by category.

    Raises:
        TryOnError: a required metric is unavailable; the message says why for each.
    """
    missing = {name: opened.reasons[name] for name in required if name in opened.reasons}
    for name in required:
        for category, count in paired_counts.items():
            if name not in missing and (reason := too_few(METRICS[name], count)):
                missing[name] = f"{reason}, {category} has {count}"
    if missing:
        rule = "; ".join(f"{name}: {reason}" for name, reason in missing.items())
        remedy = "Provide what is missing, or take the name out of evaluate.require in params.yaml."
        raise TryOnError("metrics required by evaluate.require are unavailable", rule=rule, remedy=remedy)
