"""Which items the twin has, under which ids, and who tries on what."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tryon.categories import Category, Split
from tryon.dresscode.pair_lists import Pair


@dataclass(frozen=True)
class PairPlan:
    """Items and pair lists of an archive.

    Ids are counted as in the official release: the training items of the three categories first, then the test items
    of the three, six digits, a person and the garment it wears under one number.

    Args:
        train_pairs: training pairs per category.
        test_pairs: test pairs per category.
        seed: draws who tries on what.
    """

    train_pairs: int
    test_pairs: int
    seed: int

    def items(self, category: Category) -> range:
        """Numbers of a category's items, training first."""
        return range(self.train_pairs + self.test_pairs)

    def item_id(self, category: Category, number: int) -> str:
        """Official-style id of an item."""
        if number < self.train_pairs:
            return f"{category.list_code * self.train_pairs + number:06d}"
        start = len(Category) * self.train_pairs + category.list_code * self.test_pairs
        return f"{start + number - self.train_pairs:06d}"

    def pairs(self, category: Category, split: Split) -> list[tuple[int, int]]:
        """Item numbers (person, garment) of a pair list. Unpaired, nobody gets the garment of the photo."""
        if split is Split.TRAIN:
            return [(number, number) for number in range(self.train_pairs)]
        people = range(self.train_pairs, self.train_pairs + self.test_pairs)
        if split is Split.TEST_PAIRED:
            return [(number, number) for number in people]
        return list(zip(people, self._others(category), strict=True))

    def _others(self, category: Category) -> list[int]:
        """For each test person the garment of another: one round through all test items in a drawn order."""
        rng = np.random.default_rng((self.seed, category.list_code, len(self.items(category))))
        order = self.train_pairs + rng.permutation(self.test_pairs)
        following = dict(zip(order.tolist(), np.roll(order, -1).tolist(), strict=True))
        return [following[person] for person in sorted(following)]

    def named_pair(self, category: Category, pair: tuple[int, int]) -> Pair:
        """A pair of item numbers by ids, as the pair lists have it."""
        return Pair(self.item_id(category, pair[0]), self.item_id(category, pair[1]))
