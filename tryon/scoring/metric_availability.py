"""Load the available metrics of a protocol, with a reason for every unavailable one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from tryon.errors import ParameterError, TryOnError
from tryon.metrics import METRICS, Metric
from tryon.metrics.inception import FeatureExtractor
from tryon.metrics.metric import PairwiseScorer
from tryon.metrics.regions import GARMENT, IMAGE, NECKLINE, OUTSIDE
from tryon.pretrained_weights import COMMAND, WEIGHTS, MissingWeightsError, weight_path
from tryon.scoring.protocols import Protocol
from tryon.workspace import Workspace

NO_TRUTH = "these rows have no ground-truth image"
NO_GARMENT = "no ground-truth image shows the garment"
NO_FLOW = (
    "requires the true garment-to-person flow of every row, which only synthetic data has (download.synthetic.flow)"
)
NO_SPREAD = "every random subset would be the whole set"
NO_ROWS = "there are no test rows"
UNKNOWN_REGIONS = "the garment's position in the ground-truth images is not known for every pair"

EMPTY_REGION_REASONS = {
    IMAGE: NO_TRUTH,
    GARMENT: NO_GARMENT,
    OUTSIDE: "the garment covers every ground-truth image completely",
    NECKLINE: "no row shows both shoulders and an upper edge of the garment near the neck",
}
"""Reasons for missing values of a region although ground-truth images exist."""


@dataclass(frozen=True)
class AvailableMetrics:
    """The metrics of a protocol, by their names in it.

    Args:
        measures: loaded pairwise metrics.
        extractors: loaded feature extractors of set metrics.
        reasons: unavailable metrics with the reason.
    """

    measures: dict[str, PairwiseScorer] = field(default_factory=dict)
    extractors: dict[str, FeatureExtractor] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)


def find_unavailable(protocol: Protocol, workspace: Workspace, min_side: int, no_truth: str = "") -> dict[str, str]:
    """Find the metrics of a protocol that cannot be computed, without loading them.

    Args:
        min_side: shorter side of the compared images, in pixels.
        no_truth: reason against pairwise metrics; empty if they can be computed.

    Returns:
        Metric name in the protocol to reason.

    Raises:
        WeightsError: a weights file is present but damaged.
    """
    reasons = {}
    for each in protocol.metrics:
        if each.metric.pairwise and no_truth:
            reasons[each.name] = no_truth
        elif reason := _unavailable(each.metric, workspace, min_side):
            reasons[each.name] = reason
    return reasons


def _unavailable(metric: Metric, workspace: Workspace, min_side: int) -> str:
    if min_side < metric.min_side:
        return f"images are smaller than {metric.min_side} pixels"
    if metric.weights is None:
        return ""
    try:
        weight_path(workspace, metric.weights)
    except MissingWeightsError:
        return f"weights {WEIGHTS[metric.weights].file} not found; `{COMMAND}` downloads them"
    return ""


def load_metrics(protocol: Protocol, workspace: Workspace, device: str, reasons: Mapping[str, str]) -> AvailableMetrics:
    """Load the metrics of a protocol, except those in `reasons`.

    Raises:
        WeightsError: a weights file is damaged.
    """
    available = AvailableMetrics(reasons=dict(reasons))
    for each in protocol.metrics:
        metric = each.metric
        if each.name in reasons:
            continue
        path = weight_path(workspace, metric.weights) if metric.weights else None
        if metric.measure is not None:
            available.measures[each.name] = metric.measure(path, device)
        elif metric.extract is not None:
            available.extractors[each.name] = metric.extract(path, device)
    return available


def insufficient_samples(metric: Metric, count: int) -> str:
    """Return the reason why `count` images are too few; empty if they suffice."""
    if not count:
        return NO_ROWS
    return f"requires at least {metric.min_samples} images" if count < metric.min_samples else ""


def check_names(required: Iterable[str]) -> None:
    """Reject names in `evaluate.required_metrics` that are not metrics.

    Raises:
        ParameterError: a name is unknown.
    """
    unknown = [name for name in required if name not in METRICS]
    if unknown:
        raise ParameterError(
            "unknown metric in evaluate.required_metrics", found=unknown, expected=f"one of {', '.join(METRICS)}"
        )


def check_required(required: Iterable[str], reasons: Mapping[str, str]) -> None:
    """Raise an error if a required metric is unavailable.

    Args:
        required: `evaluate.required_metrics`.
        reasons: metric name to reason, for every unavailable metric.

    Raises:
        TryOnError: a required metric is in `reasons`; the message lists all of them.
    """
    missing = [f"{name}: {reasons[name]}" for name in required if name in reasons]
    if missing:
        raise TryOnError(
            f"metrics required by evaluate.required_metrics are unavailable: {'; '.join(missing)}",
            hint="Provide what is missing, or remove the name from evaluate.required_metrics in params.yaml.",
        )
