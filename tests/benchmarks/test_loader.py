"""The compared loaders return the same images."""

from __future__ import annotations

from pathlib import Path

import torch

from benchmarks import loader
from tryon.loading.batch_loader import collate
from tryon.loading.packed_dataset import PackedDataset
from tryon.loading.transforms import prepare


def test_loaders_return_the_same_person(tmp_path: Path) -> None:
    names = loader.write_pairs(tmp_path, 1)
    person = prepare(collate([PackedDataset.read(tmp_path / "rows.arrow").sample(1)])).person[0]
    for folder in ("full", "presized"):
        item = loader.Published(tmp_path / folder, names)[1]
        assert list(item) == list(loader.IMAGES)
        assert {tuple(image.shape) for image in item.values()} == {(3, *loader.SIZE)}
        assert torch.mean((item["person"] - person).abs()) < 0.03
