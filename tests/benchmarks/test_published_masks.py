"""The reimplemented baseline of the mask benchmark makes the masks of the published recipe."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmarks.published_masks import agnostic_and_mask, loader_item, mask_alone
from tryon.agnostic.masks.methods import METHODS
from tryon.categories import Category
from tryon.dresscode.layout import relative_path
from tryon.dresscode.readers import decode_keypoints, decode_label_map
from tryon.synthetic.item_files import item_files

ITEM = "000003"


@pytest.fixture(scope="module")
def raw(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("raw")
    for category in Category:
        for relative, data in item_files(0, category, int(ITEM), ITEM):
            (folder / relative).parent.mkdir(parents=True, exist_ok=True)
            (folder / relative).write_bytes(data)
    return folder


def array(data: bytes) -> np.ndarray:
    with Image.open(io.BytesIO(data)) as image:
        return np.array(image)


@pytest.mark.parametrize("category", Category)
@pytest.mark.parametrize("size", [(512, 384), (1024, 768)])
def test_masks_match_the_published_recipe(raw: Path, category: Category, size: tuple[int, int]) -> None:
    mask = array(mask_alone(raw, category, ITEM, size)) == 255
    label_map = decode_label_map((raw / relative_path("label_map", category, ITEM)).read_bytes(), size)
    keypoints = decode_keypoints((raw / relative_path("keypoints", category, ITEM)).read_bytes(), size)
    expected = METHODS["dresscode-official"](category, label_map, None, keypoints)
    assert (mask & expected).sum() > 0.99 * (mask | expected).sum()  # Pillow rounds nearest neighbors differently


def test_agnostic_image_is_the_photo_with_a_black_mask(raw: Path) -> None:
    mask, agnostic = agnostic_and_mask(raw, Category.DRESSES, ITEM, (512, 384))
    assert loader_item(raw, Category.DRESSES, ITEM, (512, 384)) == (mask, agnostic)
    assert mask == mask_alone(raw, Category.DRESSES, ITEM, (512, 384))
    masked, image = array(mask) == 255, array(agnostic)
    with Image.open(raw / relative_path("person", Category.DRESSES, ITEM)) as photo:
        expected = np.array(photo.resize((384, 512))).astype(int)
    assert image[masked].mean() < 2
    assert np.abs(image[~masked] - expected[~masked]).mean() < 2
