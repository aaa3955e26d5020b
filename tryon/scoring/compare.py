"""Compare two results, pair by pair where row scores are known.

Only scores with equal fingerprints are compared.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tryon.categories import ALL, Category
from tryon.errors import TryOnError, format_list
from tryon.metrics import METRICS
from tryon.metrics.pairwise import key_of, pair_keys
from tryon.metrics.regions import GARMENT, IMAGE, REGIONS
from tryon.runtime.number_format import round_or_none
from tryon.scoring.bootstrap import LEVEL, Interval, Verdict, intervals_at, verdict
from tryon.scoring.fingerprint import METRIC_FACTS, ROWS, differences, shared_facts
from tryon.scoring.fingerprint import REGIONS as REGION_HASH
from tryon.scoring.saved_scores import MODEL, ScoredRun

PRIMARY_METRIC = f"l1_{GARMENT}"
"""The metric of summaries and verdicts: mean absolute difference inside the garment, 0..1, lower is better."""

BOOTSTRAP_SEED = 0
"""Fixed, so that comparing the same results gives the same intervals."""

VERDICT_LEVEL = 1 - (1 - LEVEL) / (len(Category) + 1)
"""Bonferroni-corrected level of the intervals behind an overall verdict: of every category and of all rows."""

MIN_ROWS_FOR_VERDICT = 20
"""Minimum for a verdict: bootstrap intervals of fewer rows are too narrow. From here on, equal checkpoints are called
different in at most one comparison of twenty (docs/log.md)."""


@dataclass(frozen=True)
class MetricComparison:
    """One metric of one protocol, setting and group.

    Args:
        protocol, setting, group, key: identify the metric.
        current, baseline: mean scores, over common rows where row scores are known.
        interval: of the mean difference current - baseline; None where the scores of rows are unknown.
        verdict: on the current result, by this interval alone.
        corrected_verdict: by the wider interval of `VERDICT_LEVEL`.
    """

    protocol: str
    setting: str
    group: str
    key: str
    current: float | None
    baseline: float | None
    interval: Interval | None = None
    verdict: Verdict | None = None
    corrected_verdict: Verdict | None = None

    @property
    def difference(self) -> float | None:
        """Current minus baseline; None where one is unavailable."""
        if self.interval is not None:
            return self.interval.mean
        return None if self.current is None or self.baseline is None else self.current - self.baseline


@dataclass
class Comparison:
    """Compared metrics, and skipped ones with the reason."""

    metrics: list[MetricComparison] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class OverallVerdict:
    """The verdict on the current checkpoint.

    Args:
        verdict: better, worse or no difference.
        setting: that decided.
        reason: one sentence.
    """

    verdict: Verdict
    setting: str
    reason: str


def compare(current: Iterable[ScoredRun], baseline: Iterable[ScoredRun], seed: int = BOOTSTRAP_SEED) -> Comparison:
    """Compare every run with the baseline's run of the same protocol and setting."""
    baselines = {(run.protocol, run.setting): run for run in baseline}
    comparison = Comparison()
    for run in current:
        matching = baselines.pop((run.protocol, run.setting), None)
        if matching is None:
            comparison.skipped.append(f"{run.protocol} {run.setting}: not in the baseline")
        else:
            _compare_runs(run, matching, seed, comparison)
    comparison.skipped += [f"{protocol} {setting}: only in the baseline" for protocol, setting in baselines]
    return comparison


def require_comparable(comparison: Comparison) -> None:
    """Raise TryOnError with the differences if nothing could be compared."""
    if not comparison.metrics:
        lines = "".join(f"\n  {reason}" for reason in comparison.skipped) or "\n  no row has a ground-truth image"
        raise TryOnError(
            f"the results cannot be compared, because they were made differently (current, then baseline):{lines}",
            hint="Score both with one version of this project, on the same rows.",
        )


def _compare_runs(current: ScoredRun, baseline: ScoredRun, seed: int, comparison: Comparison) -> None:
    name = f"{current.protocol} {current.setting}"
    if different := differences(shared_facts(current.fingerprint), shared_facts(baseline.fingerprint)):
        comparison.skipped.append(f"{name}: {'; '.join(map(str, different))}")
        return
    groups, region_mismatches, reasons = _comparable_groups(current, baseline)
    comparison.skipped += [f"{name}: {reason}" for reason in reasons]
    metrics, reasons = _comparable_metrics(current.fingerprint, baseline.fingerprint)
    comparison.skipped += [f"{name} {reason}" for reason in reasons]
    rows = _compare_rows(current, baseline, groups, seed) if current.rows and baseline.rows else None
    for group in current.scores:
        if group not in groups or group not in baseline.scores:
            continue
        regions = [IMAGE] if group in region_mismatches else list(REGIONS)
        for key in (key_of(metric, region) for region in regions for metric in metrics):
            if rows is not None:
                if (group, key) in rows:
                    comparison.metrics.append(rows[group, key])
            elif key in current.scores[group] and key in baseline.scores[group]:
                scores = current.scores[group][key], baseline.scores[group][key]
                comparison.metrics.append(MetricComparison(current.protocol, current.setting, group, key, *scores))


def _comparable_groups(current: ScoredRun, baseline: ScoredRun) -> tuple[list[str], list[str], list[str]]:
    """Return the groups with equal rows, those among them with other regions, and reasons for skipped ones."""
    a, b = current.fingerprint[ROWS], baseline.fingerprint[ROWS]
    skipped = [f"{group}: not in the baseline" for group in a if group not in b]
    skipped += [f"{group}: only in the baseline" for group in b if group not in a]
    groups, region_mismatches, different = [], [], []
    for group in (group for group in a if group in b):
        facts = [{key: value for key, value in each[group].items() if key != REGION_HASH} for each in (a, b)]
        if fact_differences := differences(*facts):
            different += [f"{ROWS}.{group}.{each}" for each in fact_differences]
        elif reason := _unmatched_pairs(current, baseline, group):
            different.append(reason)
        else:
            groups.append(group)
            if a[group].get(REGION_HASH) != b[group].get(REGION_HASH):
                region_mismatches.append(group)
    if different:
        skipped.append("; ".join(different))
    if region_mismatches:
        skipped.append(
            f"positions of garment and neckline in the ground truth of {', '.join(region_mismatches)}; "
            "whole images are compared"
        )
    if len(groups) == len(a) == len(b):
        groups.append(ALL)
        region_mismatches += [ALL] if region_mismatches else []
    return groups, region_mismatches, skipped


def _unmatched_pairs(current: ScoredRun, baseline: ScoredRun, group: str) -> str:
    """List the pairs that only one result has; empty if the pairs are equal."""
    if current.rows is None or baseline.rows is None:
        return ""
    a, b = (set(run.rows.pair_ids(run.setting, MODEL, group)) for run in (current, baseline) if run.rows)
    parts = [f"pairs only in the current result: {format_list(sorted(a - b))}"] if a - b else []
    parts += [f"pairs only in the baseline: {format_list(sorted(b - a))}"] if b - a else []
    return "; ".join(parts)


def _comparable_metrics(current: Mapping[str, Any], baseline: Mapping[str, Any]) -> tuple[list[str], list[str]]:
    """Return the metrics computed the same way, and reasons for skipped ones."""
    metrics, skipped = [], []
    for name, facts in current[METRIC_FACTS].items():
        if name not in baseline[METRIC_FACTS]:
            skipped.append(f"{name}: not in the baseline")
        elif different := differences(facts, baseline[METRIC_FACTS][name]):
            skipped.append(f"{name}: {'; '.join(map(str, different))}")
        else:
            metrics.append(name)
    return metrics, skipped


def _compare_rows(
    current: ScoredRun, baseline: ScoredRun, groups: list[str], seed: int
) -> dict[tuple[str, str], MetricComparison]:
    """Compare row by row; return comparisons by (group, key) for every key with a score."""
    assert current.rows is not None
    assert baseline.rows is not None
    categories = [group for group in groups if group != ALL]
    if not categories:
        return {}
    a, b = (
        np.concatenate([run.rows.matrix(run.setting, MODEL, each) for each in categories])
        for run in (current, baseline)
        if run.rows
    )
    pairs_a, pairs_b = (
        [(group, pair) for group in categories for pair in run.rows.pair_ids(run.setting, MODEL, group)]
        for run in (current, baseline)
        if run.rows
    )
    position = {pair: number for number, pair in enumerate(pairs_b)}
    b = b[[position[pair] for pair in pairs_a]]
    category = np.array([group for group, _ in pairs_a])
    membership = np.column_stack([np.full(len(a), True) if group == ALL else category == group for group in groups])
    deltas = a - b
    result = {}
    narrow, wide = intervals_at(deltas, membership, seed, (LEVEL, VERDICT_LEVEL))
    for group, members, row, wider in zip(groups, membership.T, narrow, wide, strict=True):
        for number, (key, interval, corrected) in enumerate(zip(current.rows.keys, row, wider, strict=True)):
            if interval is None or corrected is None:
                continue
            scored = members & np.isfinite(deltas[:, number])
            lower_is_better = METRICS[pair_keys()[key][0]].better == "lower"
            enough = corrected.rows >= MIN_ROWS_FOR_VERDICT
            result[group, key] = MetricComparison(
                current.protocol,
                current.setting,
                group,
                key,
                float(a[scored, number].mean()),
                float(b[scored, number].mean()),
                interval,
                verdict(interval, lower_is_better),
                verdict(corrected, lower_is_better) if enough else Verdict.NO_DIFFERENCE,
            )
    return result


def overall_verdict(comparison: Comparison) -> OverallVerdict:
    """Return the verdict on the current checkpoint, by the error inside the garment.

    The unpaired setting decides if it has ground truth, else the paired one. Better means better on all rows and worse
    in no category; worse means worse on all rows or in any category, so that a gain in one category cannot offset a
    loss in another. Intervals are corrected for multiple comparisons (`VERDICT_LEVEL`).

    Raises:
        TryOnError: the error inside the garment could not be compared on all rows.
    """
    primary = [each for each in comparison.metrics if each.key == PRIMARY_METRIC and each.interval is not None]
    for setting in ("unpaired", "paired"):
        groups = {each.group: each for each in primary if each.setting == setting}
        if ALL in groups:
            worse = [
                group for group, each in groups.items() if group != ALL and each.corrected_verdict is Verdict.WORSE
            ]
            overall = groups[ALL].corrected_verdict or Verdict.NO_DIFFERENCE
            return OverallVerdict(Verdict.WORSE if worse else overall, setting, _reason(groups[ALL], worse))
    lines = "".join(f"\n  {reason}" for reason in comparison.skipped)
    raise TryOnError(
        f"no verdict: {PRIMARY_METRIC} was not compared on all rows{lines}",
        hint="Score both checkpoints with one version, on rows whose ground truth shows the garment.",
    )


def _reason(overall: MetricComparison, worse: list[str]) -> str:
    interval = overall.interval
    assert interval is not None
    ends = "too few rows for an interval"
    if interval.low is not None:
        ends = f"95 % interval {interval.low:+.4f} to {interval.high:+.4f}"
    enough = interval.rows >= MIN_ROWS_FOR_VERDICT
    level = f"verdict at {VERDICT_LEVEL:.2%}" if enough else "too few rows for a verdict"
    text = (
        f"L1 inside the garment, {overall.setting}, {interval.rows} rows: {overall.current:.4f} against "
        f"{overall.baseline:.4f}, difference {interval.mean:+.4f} ({ends}), {level}: {overall.corrected_verdict}"
    )
    return f"{text}; worse on {' and '.join(worse)}" if worse else text


def comparison_to_dict(comparison: Comparison) -> dict[str, Any]:
    """Return the content of `compare.json`: verdict, setting, reason, metrics, skipped.

    Raises:
        TryOnError: nothing could be compared, or there is no verdict.
    """
    require_comparable(comparison)
    overall = overall_verdict(comparison)
    return {
        "verdict": str(overall.verdict),
        "setting": overall.setting,
        "reason": overall.reason,
        "metrics": [_metric_to_dict(each, each.interval) for each in comparison.metrics],
        "skipped": comparison.skipped,
    }


def _metric_to_dict(each: MetricComparison, interval: Interval | None) -> dict[str, Any]:
    return {
        "setting": each.setting,
        "group": each.group,
        "metric": each.key,
        "current": round_or_none(each.current),
        "baseline": round_or_none(each.baseline),
        "difference": round_or_none(each.difference),
        "low": round_or_none(interval.low if interval else None),
        "high": round_or_none(interval.high if interval else None),
        "rows": interval.rows if interval else None,
        "verdict": str(each.verdict) if each.verdict else None,
    }
