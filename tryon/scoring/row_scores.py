"""Collect the scores of test rows, and read and write their parquet file."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tryon.categories import ALL, Category
from tryon.manifest import read_table, write_table
from tryon.manifest.schemas import TableSchema
from tryon.metrics.pairwise import Numbers, pair_keys

SCORES_FILE = "scores.parquet"

_GROUP = ("setting", "method", "category", "pair_id")
SCORES = TableSchema(
    "scores",
    2,
    pa.schema(
        [
            *(pa.field(name, pa.string(), nullable=False) for name in _GROUP),
            *(pa.field(key, pa.float64()) for key in pair_keys()),
        ]
    ),
    "tryon evaluate",
)
"""One row per test row and method: setting (paired, unpaired), method, category, pair_id, then one column per pairwise
metric and region. Null where the row has no ground truth, its region is empty or the metric is unavailable."""


class RowScores:
    """Scores of test rows by setting, method and category.

    Rows are ordered by category, then in the order of addition, which is the same for every method.

    Args:
        keys: metric keys, the columns of `matrix`; by default those of the parquet file.
    """

    def __init__(self, keys: Sequence[str] = tuple(pair_keys())) -> None:
        self.keys = tuple(keys)
        self._parts: dict[tuple[str, str, str], list[tuple[tuple[str, ...], NDArray[np.float64]]]] = defaultdict(list)

    def add(self, setting: str, method: str, category: str, pair_ids: Sequence[str], numbers: Numbers) -> None:
        """Add the rows of a batch; keys absent from `numbers` become NaN.

        Args:
            pair_ids: B pair ids.
            numbers: float64 (B,) by key; NaN where a row has no value.
        """
        values = np.full((len(pair_ids), len(self.keys)), np.nan)
        for key, column in numbers.items():
            values[:, self.keys.index(key)] = column
        self._parts[setting, method, str(category)].append((tuple(pair_ids), values))

    def pair_ids(self, setting: str, method: str, category: str = ALL) -> list[str]:
        """Return the pair ids of a category, or of `ALL`, in the order of `matrix`."""
        return [pair for pairs, _ in self._select(setting, method, category) for pair in pairs]

    def matrix(self, setting: str, method: str, category: str = ALL) -> NDArray[np.float64]:
        """Return the scores of a category or of `ALL`, float64 (N, len(keys)), NaN where there is none."""
        parts = self._select(setting, method, category)
        return np.concatenate([np.empty((0, len(self.keys))), *(values for _, values in parts)])

    def values(self, setting: str, method: str, category: str, key: str) -> NDArray[np.float64]:
        """Return one column of `matrix`, float64 (N,)."""
        return self.matrix(setting, method, category)[:, self.keys.index(key)]

    def methods(self, setting: str) -> list[str]:
        """Return the methods that have rows in a setting, in the order they were added."""
        return list(dict.fromkeys(method for name, method, _ in self._parts if name == setting))

    def _select(self, setting: str, method: str, category: str) -> list[tuple[tuple[str, ...], NDArray[np.float64]]]:
        categories = map(str, Category) if category == ALL else [str(category)]
        return [part for each in categories for part in self._parts.get((setting, method, each), [])]

    def table(self) -> pa.Table:
        """Return all scores as a table of schema `SCORES`."""
        methods = dict.fromkeys((setting, method) for setting, method, _ in self._parts)
        groups = [(*pair, category) for pair in methods for category in map(str, Category)]
        labels = [(*group, pair_id) for group in groups for pair_id in self.pair_ids(*group)]
        values = np.concatenate([np.empty((0, len(self.keys))), *(self.matrix(*group) for group in groups)])
        columns = [pa.array([label[index] for label in labels], pa.string()) for index in range(len(_GROUP))]
        columns += [pa.array(column, pa.float64(), from_pandas=True) for column in values.T]  # NaN becomes null
        return pa.table(columns, schema=SCORES.columns)

    def write(self, path: Path) -> None:
        """Write the parquet file."""
        write_table(path, self.table(), SCORES)

    @classmethod
    def read(cls, path: Path) -> RowScores:
        """Read a file that `write` wrote.

        Raises:
            MissingInputError: the file does not exist.
            TryOnError: it is damaged or of another version.
        """
        table = read_table(path, SCORES)
        scores = cls()
        labels = list(zip(*(table.column(name).to_pylist() for name in _GROUP), strict=True))
        values = np.column_stack([table.column(key).to_numpy() for key in scores.keys])
        starts = [row for row in range(len(labels)) if not row or labels[row][:3] != labels[row - 1][:3]]
        for start, end in zip(starts, [*starts[1:], len(labels)], strict=False):
            pairs = tuple(label[3] for label in labels[start:end])
            scores._parts[labels[start][:3]].append((pairs, values[start:end]))
        return scores
