"""One pass over the test rows of a setting: every result scored once, over every region, and its numbers kept."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from tryon.evaluate.metrics_table import Measured, Reasons, compared_rows, new_reasons, note_cautions, setting_table
from tryon.evaluate.predict import METHODS, Scored, category_counts
from tryon.evaluate.summary import MODEL
from tryon.loading.packed_dataset import PackedRows
from tryon.metrics.pairwise import Numbers, score_pairs
from tryon.scoring.metric_availability import Opened
from tryon.scoring.row_scores import RowScores
from tryon.scoring.set_metrics import SetScores


@dataclass(frozen=True)
class Measuring:
    """Everything measured so far, setting by setting.

    Args:
        opened: the metrics.
        kept: folder of the people's features, see `tryon.metrics.reference`.
        scores: numbers of every row and method.
        tables: setting → category → method → metric key → number or None.
        compared: setting → category → how many rows the averages are over.
        reasons: why numbers are missing.
        cautions: which numbers are not to be taken at face value.
    """

    opened: Opened
    kept: Path
    scores: RowScores = field(default_factory=RowScores)
    tables: dict[str, Any] = field(default_factory=dict)
    compared: dict[str, Any] = field(default_factory=dict)
    reasons: Reasons = field(default_factory=new_reasons)
    cautions: Reasons = field(default_factory=new_reasons)

    def score(self, setting: str, rows: PackedRows, batches: Iterable[Scored], each: Callable[[Scored], None]) -> None:
        """Score all results of a setting; only numbers and features outlive a batch.

        Args:
            setting: paired or unpaired.
            rows: of the setting.
            batches: their results, see `tryon.evaluate.predict.run_methods`.
            each: told every batch once it is scored.
        """
        sets = SetScores(self.opened.extractors)
        for batch in batches:
            for method, results in batch.results.items():
                self.scores.add(setting, method, batch.category, batch.pair_ids, self._numbers(batch, method))
                sets.add(method, batch.category, results)
            each(batch)
        measured = Measured(setting, self.scores, sets.numbers(rows, self.kept), self.opened, category_counts(rows))
        self.tables[setting] = setting_table(measured, list(METHODS), self.reasons)
        self.compared[setting] = compared_rows(self.scores, setting, MODEL)
        note_cautions(measured, self.cautions)

    def _numbers(self, batch: Scored, method: str) -> Numbers:
        """Numbers of every row of a batch, NaN for rows without a true picture."""
        truth = batch.truth
        if not truth.known.any():
            return {}
        told = score_pairs(self.opened.measures, batch.results[method][truth.known], truth.pictures, truth.regions)
        numbers = {key: np.full(len(truth.known), np.nan) for key in told}
        for key, own in told.items():
            numbers[key][truth.known] = own
        return numbers
