"""Batches of 8-bit tensors, decoded ahead of the step that needs them by a few threads."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, fields, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from tryon.categories import Category
from tryon.loading.rows import Example, PackedRows

AHEAD = 4
"""Batches decoded ahead."""


@dataclass(frozen=True)
class Batch:
    """Decoded rows side by side, still bytes: a quarter of the floats to move to the device.

    Shapes: person, garment, pose uint8 (B, 3, H, W) RGB; mask (True = hidden), garment_mask bool (B, 1, H, W);
    mirrored bool (B,): rows of which all but the pose is still to be mirrored (see `tryon.loading.transforms`).
    """

    pair_ids: tuple[str, ...]
    categories: tuple[Category, ...]
    person: Tensor
    garment: Tensor
    pose: Tensor
    mask: Tensor
    garment_mask: Tensor
    mirrored: Tensor

    def to(self, device: torch.device) -> Batch:
        """The same batch with its tensors on `device`."""
        names = [field.name for field in fields(self) if isinstance(getattr(self, field.name), Tensor)]
        return replace(self, **{name: getattr(self, name).to(device, non_blocking=True) for name in names})


def collate(examples: Sequence[Example]) -> Batch:
    """Put examples of one size side by side."""
    return Batch(
        pair_ids=tuple(example.pair_id for example in examples),
        categories=tuple(example.category for example in examples),
        person=_pictures([example.person for example in examples]),
        garment=_pictures([example.garment for example in examples]),
        pose=_pictures([example.pose for example in examples]),
        mask=torch.from_numpy(np.stack([example.mask for example in examples]))[:, None],
        garment_mask=torch.from_numpy(np.stack([example.garment_mask for example in examples]))[:, None],
        mirrored=torch.tensor([example.mirrored for example in examples], dtype=torch.bool),
    )


def load_batches(
    rows: PackedRows, batches: Iterable[NDArray[np.int64]], mirrored: NDArray[np.bool_] | None = None, threads: int = 2
) -> Iterator[Batch]:
    """Load batches in the order given, up to `AHEAD` of them ahead of the one in use.

    Args:
        rows: the data set.
        batches: for each batch the positions of its rows.
        mirrored: bool (len(rows),), the rows to mirror; none when absent.
        threads: decoding threads; their number changes nothing in the batches.

    Raises:
        TryOnError: a picture is damaged.
    """

    def load(positions: NDArray[np.int64]) -> Batch:
        return collate([rows.example(int(i), mirrored is not None and bool(mirrored[i])) for i in positions])

    pool = ThreadPoolExecutor(threads, thread_name_prefix="loading")
    waiting: deque[Future[Batch]] = deque()
    try:
        for positions in batches:
            waiting.append(pool.submit(load, positions))
            if len(waiting) > AHEAD:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)


def _pictures(pictures: Sequence[NDArray[np.uint8]]) -> Tensor:
    """Stack (H, W, 3) pictures to (B, 3, H, W) without moving a byte: the memory stays channels-last."""
    return torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2)
