"""The three garment categories of Dress Code, by the names used everywhere."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal


class Category(StrEnum):
    """A garment category; its value is the folder name, the file name and the word in every table."""

    UPPER_BODY = "upper_body"
    LOWER_BODY = "lower_body"
    DRESSES = "dresses"

    @property
    def list_code(self) -> int:
        """Number in the third column of the root pair lists: 0 upper, 1 lower, 2 dresses."""
        return list(Category).index(self)


class Split(StrEnum):
    """Which pair list a row comes from."""

    TRAIN = "train"
    TEST_PAIRED = "test_paired"
    TEST_UNPAIRED = "test_unpaired"


ALL = "all"
"""Group of all categories in result tables, each row counting once."""

SETTINGS = {"paired": Split.TEST_PAIRED, "unpaired": Split.TEST_UNPAIRED}
"""Evaluation settings by name, with the split that holds their rows."""

Level = Literal["easy", "catalogue", "wild"]
"""`easy`: plain stances, coarse bright patterns, quiet walls. `catalogue`: what the shop photographs of Dress Code
show, the embedded default. `wild`: everything at once, as in people's own photographs."""

LEVELS: tuple[Level, ...] = ("easy", "catalogue", "wild")
