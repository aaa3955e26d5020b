"""Every batch of an epoch is taken by one process, and the mean over processes is that over batches."""

from __future__ import annotations

import numpy as np
import pytest

from tryon.config.training import FinetuneSettings
from tryon.training.step_batches import batches_for_rank, batches_per_step


@pytest.mark.parametrize(("devices", "accumulate"), [(1, 1), (1, 3), (2, 1), (2, 2), (3, 2), (8, 1)])
def test_processes_share_the_batches_of_one(devices: int, accumulate: int) -> None:
    settings = FinetuneSettings(devices=devices, grad_accumulation_steps=accumulate, batch_size=2)  # pyright: ignore
    alone = FinetuneSettings(grad_accumulation_steps=devices * accumulate, batch_size=2)  # pyright: ignore
    groups = batches_per_step(23, settings, 7, 1)
    assert [[list(rows) for rows in group] for group in groups] == [
        [list(rows) for rows in group] for group in batches_per_step(23, alone, 7, 1)
    ]
    for group in groups:
        shares = [batches_for_rank(group, rank, devices) for rank in range(devices)]
        counted = [list(rows) for share in shares if share.weight for rows in share.batches]
        assert sorted(counted) == sorted(list(rows) for rows in group)
        assert all(share.batches for share in shares)
        mean = sum(share.weight * len(share.batches) for share in shares) / devices
        assert mean == pytest.approx(1)


def test_epochs_have_orders_of_their_own() -> None:
    settings = FinetuneSettings(batch_size=4)  # pyright: ignore
    first, second = (
        np.concatenate([group[0] for group in batches_per_step(20, settings, 7, epoch)]) for epoch in (1, 2)
    )
    assert sorted(first) == sorted(second) == list(range(20))
    assert list(first) != list(second)
