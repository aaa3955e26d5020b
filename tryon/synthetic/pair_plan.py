"""Plan the items, ids and pair lists of a data set."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tryon.categories import Category, Split
from tryon.dresscode.pair_lists import Pair


@dataclass(frozen=True)
class PairPlan:
    """Items and pair lists of a data set; numbers of pairs are per category, `seed` draws the unpaired test pairs.

    Ids follow the official release: six digits, first the training items of all categories, then the test items; a
    person and the garment in the photo share a number.

    >>> plan = PairPlan(train_pairs=2, test_pairs=3, seed=0)
    >>> plan.item_id(Category.UPPER_BODY, 2), plan.pairs(Category.UPPER_BODY, Split.TRAIN)
    ('000006', [(0, 0), (1, 1)])
    """

    train_pairs: int
    test_pairs: int
    seed: int

    def items(self, category: Category) -> range:
        """Return the item numbers of a category, training first."""
        return range(self.train_pairs + self.test_pairs)

    def item_id(self, category: Category, number: int) -> str:
        """Return the id of an item."""
        if number < self.train_pairs:
            return f"{category.list_code * self.train_pairs + number:06d}"
        start = len(Category) * self.train_pairs + category.list_code * self.test_pairs
        return f"{start + number - self.train_pairs:06d}"

    def pairs(self, category: Category, split: Split) -> list[tuple[int, int]]:
        """Return item numbers (person, garment) of a split; unpaired, the garment is never the person's own."""
        if split is Split.TRAIN:
            return [(number, number) for number in range(self.train_pairs)]
        people = range(self.train_pairs, self.train_pairs + self.test_pairs)
        if split is Split.TEST_PAIRED:
            return [(number, number) for number in people]
        return list(zip(people, self._unpaired_garments(category), strict=True))

    def _unpaired_garments(self, category: Category) -> list[int]:
        """Return another garment for each test person: the next item in a random cycle through all test items."""
        rng = np.random.default_rng((self.seed, category.list_code, len(self.items(category))))
        order = self.train_pairs + rng.permutation(self.test_pairs)
        next_item = dict(zip(order.tolist(), np.roll(order, -1).tolist(), strict=True))
        return [next_item[person] for person in sorted(next_item)]

    def to_ids(self, category: Category, pair: tuple[int, int]) -> Pair:
        """Convert a pair of item numbers to ids."""
        return Pair(self.item_id(category, pair[0]), self.item_id(category, pair[1]))
