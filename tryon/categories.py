"""Names of garment categories, pair lists and difficulty levels."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal


class Category(StrEnum):
    """Garment category of Dress Code; the value names its folder and its files."""

    UPPER_BODY = "upper_body"
    LOWER_BODY = "lower_body"
    DRESSES = "dresses"

    @property
    def list_code(self) -> int:
        """Code in the third column of the root pair lists: 0 upper, 1 lower, 2 dresses."""
        return list(Category).index(self)


class Split(StrEnum):
    """Pair list that a row comes from."""

    TRAIN = "train"
    TEST_PAIRED = "test_paired"
    TEST_UNPAIRED = "test_unpaired"


ALL = "all"
"""Group of all categories in result tables, each row counting once."""

SETTINGS = {"paired": Split.TEST_PAIRED, "unpaired": Split.TEST_UNPAIRED}
"""Evaluation settings by name, with the split that holds their rows."""

Level = Literal["easy", "catalogue", "wild"]
"""Difficulty of the synthetic Dress Code: `easy` has simple poses, large bright patterns and plain backgrounds,
`catalogue` matches the shop photographs of Dress Code, `wild` combines all variations, like snapshots."""

LEVELS: tuple[Level, ...] = ("easy", "catalogue", "wild")
