"""The numbers of every row, kept. Knows no network and no report."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tryon.categories import Category
from tryon.manifest import read_table, write_table
from tryon.manifest.schemas import TableSchema
from tryon.metrics import METRICS
from tryon.metrics.pairwise import Numbers, pair_keys

ALL = "all"
"""The rows of every category together, each row counting once."""


def metric_keys() -> dict[str, str]:
    """Every key of the outputs with its metric, in the order of tables: whole images, sets of them, then regions."""
    pairs = {key: name for key, (name, _) in pair_keys().items()}
    whole = {name: name for name in METRICS if name in pairs}
    sets = {
        key: name for name, metric in METRICS.items() if not metric.pairwise for key in (name, *metric.extra_outputs)
    }
    return {**whole, **sets, **pairs}


def _schema() -> TableSchema:
    texts = [pa.field(name, pa.string(), nullable=False) for name in ("setting", "method", "category", "pair_id")]
    return TableSchema("scores", 1, pa.schema([*texts, *(pa.field(key, pa.float64()) for key in pair_keys())]))


SCORES = _schema()
"""One row per test row and method: setting (paired, unpaired), method, category, pair_id, then a column per pairwise
metric and region, null where the row has no true image, its region is empty or the metric is not available."""


class RowScores:
    """The numbers of every row, by setting and method, gathered batch by batch and never averaged away.

    Rows of a setting have the same order for every method: category by category, as they came in.
    """

    def __init__(self) -> None:
        self.keys = tuple(pair_keys())
        self._parts: dict[tuple[str, str, str], list[tuple[tuple[str, ...], NDArray[np.float64]]]] = defaultdict(list)

    def add(self, setting: str, method: str, category: str, pair_ids: Sequence[str], numbers: Numbers) -> None:
        """Add the rows of a batch; keys that are not in `numbers` stay empty.

        Args:
            setting: paired or unpaired.
            method: whose results they are.
            category: of all rows of the batch.
            pair_ids: B of them.
            numbers: float64 (B,) by key; NaN where a row has no number.
        """
        values = np.full((len(pair_ids), len(self.keys)), np.nan)
        for key, own in numbers.items():
            values[:, self.keys.index(key)] = own
        self._parts[setting, method, str(category)].append((tuple(pair_ids), values))

    def pair_ids(self, setting: str, method: str, category: str = ALL) -> list[str]:
        """Pairs of a category, or of `ALL`, in the order of `matrix`."""
        return [pair for pairs, _ in self._of(setting, method, category) for pair in pairs]

    def matrix(self, setting: str, method: str, category: str = ALL) -> NDArray[np.float64]:
        """Numbers of a category, or of `ALL`: float64 (N, M), a column per entry of `keys`, NaN where there is none."""
        return np.concatenate([np.empty((0, len(self.keys))), *(own for _, own in self._of(setting, method, category))])

    def values(self, setting: str, method: str, category: str, key: str) -> NDArray[np.float64]:
        """One column of `matrix`, float64 (N,)."""
        return self.matrix(setting, method, category)[:, self.keys.index(key)]

    def _of(self, setting: str, method: str, category: str) -> list[tuple[tuple[str, ...], NDArray[np.float64]]]:
        wanted = map(str, Category) if category == ALL else [str(category)]
        return [part for one in wanted for part in self._parts.get((setting, method, one), [])]

    def table(self) -> pa.Table:
        """All of it as a table of schema `SCORES`."""
        groups = {(setting, method): None for setting, method, _ in self._parts}
        whole = [(*group, category) for group in groups for category in map(str, Category)]
        texts = [(*place, pair) for place in whole for pair in self.pair_ids(*place)]
        numbers = np.concatenate([np.empty((0, len(self.keys))), *(self.matrix(*place) for place in whole)])
        columns = [pa.array([text[column] for text in texts], pa.string()) for column in range(4)]
        columns += [pa.array(column, pa.float64(), from_pandas=True) for column in numbers.T]  # NaN becomes null
        return pa.table(columns, schema=SCORES.columns)

    def write(self, path: Path) -> None:
        """Write the table."""
        write_table(path, self.table(), SCORES)

    @classmethod
    def read(cls, path: Path, made_by: str = "tryon evaluate") -> RowScores:
        """What `write` wrote.

        Raises:
            MissingInputError: there is no such file.
            TryOnError: it is no table of scores of this version.
        """
        table = read_table(path, SCORES, made_by=made_by)
        scores = cls()
        texts = list(zip(*(table.column(name).to_pylist() for name in SCORES.columns.names[:4]), strict=True))
        numbers = np.column_stack([table.column(key).to_numpy() for key in scores.keys])
        starts = [row for row in range(len(texts)) if not row or texts[row][:3] != texts[row - 1][:3]]
        for start, end in zip(starts, [*starts[1:], len(texts)], strict=False):
            pairs = tuple(text[3] for text in texts[start:end])
            scores._parts[texts[start][:3]].append((pairs, numbers[start:end]))
        return scores
