"""Every batch of an epoch belongs to one rank, and the mean over ranks equals the mean over batches."""

from __future__ import annotations

import numpy as np
import pytest

from tryon.config.training import FinetuneSettings
from tryon.training.step_batches import batches_for_rank, batches_per_step


@pytest.mark.parametrize(("devices", "accumulation"), [(1, 1), (1, 3), (2, 1), (2, 2), (3, 2), (8, 1)])
def test_ranks_divide_the_batches_of_a_step(devices: int, accumulation: int) -> None:
    settings = FinetuneSettings(devices=devices, grad_accumulation_steps=accumulation, batch_size=2)  # pyright: ignore
    single = FinetuneSettings(grad_accumulation_steps=devices * accumulation, batch_size=2)  # pyright: ignore
    steps = batches_per_step(23, settings, 7, 1)
    assert [[list(rows) for rows in step] for step in steps] == [
        [list(rows) for rows in step] for step in batches_per_step(23, single, 7, 1)
    ]
    for step in steps:
        ranks = [batches_for_rank(step, rank, devices) for rank in range(devices)]
        counted = [list(rows) for local in ranks if local.weight for rows in local.batches]
        assert sorted(counted) == sorted(list(rows) for rows in step)
        assert all(local.batches for local in ranks)
        mean = sum(local.weight * len(local.batches) for local in ranks) / devices
        assert mean == pytest.approx(1)


def test_epochs_have_different_orders() -> None:
    settings = FinetuneSettings(batch_size=4)  # pyright: ignore
    first, second = (np.concatenate([step[0] for step in batches_per_step(20, settings, 7, epoch)]) for epoch in (1, 2))
    assert sorted(first) == sorted(second) == list(range(20))
    assert list(first) != list(second)
