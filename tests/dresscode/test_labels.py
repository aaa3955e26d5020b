from __future__ import annotations

import numpy as np
import pytest

from tryon.categories import Category
from tryon.dresscode.labels import GARMENT_LABELS, DensePart, Joint, Label, garment_region


@pytest.mark.parametrize(("ids", "count"), [(Label, 18), (DensePart, 25), (Joint, 18)])
def test_ids_are_complete(ids: type, count: int) -> None:
    assert [member.value for member in ids] == list(range(count))


def test_ids_are_those_of_the_data_set() -> None:
    assert [Label.SKIRT, Label.PANTS, Label.DRESS, Label.LEFT_ARM, Label.SCARF] == [5, 6, 7, 14, 17]
    assert [DensePart.TORSO_FRONT, DensePart.LEFT_HAND, DensePart.RIGHT_LOWER_LEG_FRONT] == [2, 4, 13]
    assert [Joint.RIGHT_WRIST, Joint.LEFT_HIP, Joint.LEFT_EAR] == [4, 11, 17]


@pytest.mark.parametrize("category", Category)
def test_garment_region_is_exactly_its_labels(category: Category) -> None:
    every = np.arange(256, dtype=np.uint8).reshape(16, 16)
    region = garment_region(every, category)
    assert region.dtype == np.bool_
    assert set(every[region]) == set(GARMENT_LABELS[category])


def test_skirts_are_lower_body_garments() -> None:
    assert garment_region(np.full((2, 3), Label.SKIRT, np.uint8), Category.LOWER_BODY).all()
