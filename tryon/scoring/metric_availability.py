"""Which metrics can be computed here, and for those that cannot, why."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from tryon.errors import ParameterError, TryOnError, WeightsError
from tryon.metrics import METRICS, Metric
from tryon.metrics.inception import FeatureExtractor
from tryon.metrics.metric import Measure
from tryon.metrics.regions import GARMENT, IMAGE, NECKLINE, OUTSIDE
from tryon.pretrained_weights import COMMAND, WEIGHTS, MissingWeightsError, weight_path
from tryon.workspace import Workspace

NO_TRUTH = "there is no true image of these rows to compare with"
NO_GARMENT = "no row shows the garment in its true image"
NO_FLOW = "it needs the true flow from garment to body of every row, known on the twin alone (download.synthetic.flow)"
NO_SPREAD = "every random subset would be the whole set"

EMPTY = {
    IMAGE: NO_TRUTH,
    GARMENT: NO_GARMENT,
    OUTSIDE: "the garment covers the whole of every true image",
    NECKLINE: "no row shows both shoulders and an upper edge of the garment near the neck",
}
"""Why a region has no number although there are true images."""


@dataclass(frozen=True)
class AvailableMetrics:
    """The metrics after looking for their weights.

    Args:
        measures: pairwise metrics that can be computed, by name.
        reasons: for metrics that cannot, why not.
        extractors: metrics of sets that can be computed, by name, with what sees their features.
    """

    measures: dict[str, Measure]
    reasons: dict[str, str]
    extractors: dict[str, FeatureExtractor] = field(default_factory=dict)


def open_metrics(workspace: Workspace, size: tuple[int, int], device: str) -> AvailableMetrics:
    """Load every metric whose weights lie in `workspace.weights` and which images of `size` can feed.

    Raises:
        WeightsError: a file of weights is there but damaged.
    """
    opened = AvailableMetrics({}, {}, {})
    for name, metric in METRICS.items():
        reason = _cannot_open(metric, workspace, size)
        path = weight_path(workspace, metric.weights) if metric.weights and not reason else None
        if reason:
            opened.reasons[name] = reason
        elif metric.measure is not None:
            opened.measures[name] = metric.measure(path, device)
        elif metric.extract is not None:
            opened.extractors[name] = metric.extract(path, device)
    return opened


def _cannot_open(metric: Metric, workspace: Workspace, size: tuple[int, int]) -> str:
    if min(size) < metric.min_side:
        return f"images are smaller than {metric.min_side} pixels"
    if metric.weights is None:
        return ""
    try:
        weight_path(workspace, metric.weights)
    except WeightsError as error:
        if not isinstance(error, MissingWeightsError):
            raise
        return f"its weights {WEIGHTS[metric.weights].file} are not here; `{COMMAND}` fetches them"
    return ""


def small_sample_warning(metric: Metric, count: int) -> str:
    """What to bear in mind with a number of a set of `count` images; empty when nothing."""
    if metric.pairwise or count >= metric.recommended_samples:
        return ""
    return f"{count} images; with fewer than {metric.recommended_samples:,} {metric.small_sample_warning}"


def insufficient_samples(metric: Metric, count: int) -> str:
    """Why `count` images are not enough for `metric`; empty when they are."""
    if not count:
        return "there are no test rows"
    return f"it needs at least {metric.min_side_for} images" if count < metric.min_side_for else ""


def check_names(required: Iterable[str]) -> None:
    """Stop on a name in `evaluate.required_metrics` that is no metric.

    Raises:
        ParameterError: there is one.
    """
    unknown = [name for name in required if name not in METRICS]
    if unknown:
        raise ParameterError(
            "evaluate.required_metrics", expected=f"names metrics among {', '.join(METRICS)}", found=unknown
        )


def check_required(required: Iterable[str], opened: AvailableMetrics, paired_counts: dict[str, int]) -> None:
    """Stop, before anything is computed, when a required metric will be missing for paired rows.

    Args:
        required: `evaluate.required_metrics`.
        opened: what could be loaded.
        paired_counts: number of paired test rows by category.

    Raises:
        TryOnError: a required metric is unavailable; the message says why for each.
    """
    missing = {name: opened.reasons[name] for name in required if name in opened.reasons}
    for name in required:
        for category, count in paired_counts.items():
            if name not in missing and (reason := insufficient_samples(METRICS[name], count)):
                missing[name] = f"{reason}, {category} has {count}"
    if missing:
        rule = "; ".join(f"{name}: {reason}" for name, reason in missing.items())
        remedy = "Provide what is missing, or take the name out of evaluate.required_metrics in params.yaml."
        raise TryOnError("metrics required by evaluate.required_metrics are unavailable", expected=rule, hint=remedy)
