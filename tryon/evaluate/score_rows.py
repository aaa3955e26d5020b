"""One pass over the test rows of a setting: every result scored once, over every region, and its numbers kept."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from tryon.evaluate.metrics_table import (
    Reasons,
    SettingScores,
    collect_warnings,
    compared_rows,
    new_reasons,
    setting_table,
)
from tryon.evaluate.predict import METHODS, PredictedBatch, category_counts
from tryon.evaluate.summary import MODEL
from tryon.loading.packed_dataset import PackedDataset
from tryon.metrics.pairwise import Numbers, score_pairs
from tryon.scoring.metric_availability import AvailableMetrics
from tryon.scoring.row_scores import RowScores
from tryon.scoring.set_metrics import SetMetrics


@dataclass(frozen=True)
class RowScorer:
    """Everything measured so far, setting by setting.

    Args:
        opened: the metrics.
        cache_dir: folder of the people's features, see `tryon.metrics.reference`.
        scores: numbers of every row and method.
        tables: setting → category → method → metric key → number or None.
        compared: setting → category → how many rows the averages are over.
        reasons: why numbers are missing.
        cautions: which numbers are not to be taken at face value.
    """

    opened: AvailableMetrics
    cache_dir: Path
    scores: RowScores = field(default_factory=RowScores)
    tables: dict[str, Any] = field(default_factory=dict)
    compared: dict[str, Any] = field(default_factory=dict)
    reasons: Reasons = field(default_factory=new_reasons)
    cautions: Reasons = field(default_factory=new_reasons)

    def score(
        self,
        setting: str,
        rows: PackedDataset,
        batches: Iterable[PredictedBatch],
        each: Callable[[PredictedBatch], None],
    ) -> None:
        """Score all results of a setting; only numbers and features outlive a batch.

        Args:
            setting: paired or unpaired.
            rows: of the setting.
            batches: their results, see `tryon.evaluate.predict.predict_all`.
            each: told every batch once it is scored.
        """
        sets = SetMetrics(self.opened.extractors)
        for batch in batches:
            for method, results in batch.results.items():
                self.scores.add(setting, method, batch.category, batch.pair_ids, self._numbers(batch, method))
                sets.add(method, batch.category, results)
            each(batch)
        measured = SettingScores(
            setting, self.scores, sets.numbers(rows, self.cache_dir), self.opened, category_counts(rows)
        )
        self.tables[setting] = setting_table(measured, list(METHODS), self.reasons)
        self.compared[setting] = compared_rows(self.scores, setting, MODEL)
        collect_warnings(measured, self.cautions)

    def _numbers(self, batch: PredictedBatch, method: str) -> Numbers:
        """Numbers of every row of a batch, NaN for rows without a true image."""
        truth = batch.truth
        if not truth.known.any():
            return {}
        told = score_pairs(self.opened.measures, batch.results[method][truth.known], truth.images, truth.regions)
        numbers = {key: np.full(len(truth.known), np.nan) for key in told}
        for key, own in told.items():
            numbers[key][truth.known] = own
        return numbers
