"""Batches of decoded rows as 8-bit tensors, prefetched by a few threads."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, fields, replace
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from tryon.categories import Category
from tryon.dresscode.pose import draw_pose
from tryon.loading.augmentations import mirror_keypoints
from tryon.loading.packed_dataset import Sample
from tryon.runtime.process_pool import raise_mmap_threshold

PREFETCH = 4
"""Batches decoded ahead of the consumer."""


@dataclass(frozen=True)
class Batch:
    """Decoded rows as bytes, which are moved to the device at a quarter of the size of floats.

    Shapes: person, garment, pose uint8 (B, 3, H, W) RGB; mask (True = masked), garment_mask bool (B, 1, H, W);
    mirrored bool (B,), always on the host: rows that `tryon.loading.transforms` mirrors, except for their pose.
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
        """Move all tensors but `mirrored` to `device`."""
        values = {field.name: getattr(self, field.name) for field in fields(self) if field.name != "mirrored"}
        tensors = {name: value for name, value in values.items() if isinstance(value, Tensor)}
        return replace(self, **{name: tensor.to(device, non_blocking=True) for name, tensor in tensors.items()})


class SampleSource(Protocol):
    """A data set: `PackedDataset` or `AugmentedDataset`."""

    def sample(self, index: int) -> Sample:
        """Decode row `index`."""
        ...


def collate(samples: Sequence[Sample]) -> Batch:
    """Stack samples of one size and draw their poses."""
    return Batch(
        pair_ids=tuple(sample.pair_id for sample in samples),
        categories=tuple(sample.category for sample in samples),
        person=_stack_images([sample.person for sample in samples]),
        garment=_stack_images([sample.garment for sample in samples]),
        pose=_stack_images([_draw_pose(sample) for sample in samples]),
        mask=_stack([sample.mask for sample in samples])[:, None],
        garment_mask=_stack([sample.garment_mask for sample in samples])[:, None],
        mirrored=torch.tensor([sample.mirrored for sample in samples], dtype=torch.bool),
    )


def load_batches(rows: SampleSource, batches: Iterable[NDArray[np.int64]], threads: int = 2) -> Iterator[Batch]:
    """Load batches in order, up to `PREFETCH` ahead.

    Args:
        rows: the data set.
        batches: positions of the rows of each batch.
        threads: number of decoding threads; does not affect the batches.

    Raises:
        TryOnError: an image is damaged.
    """

    def load(positions: NDArray[np.int64]) -> Batch:
        return collate([rows.sample(int(position)) for position in positions])

    raise_mmap_threshold()
    pool = ThreadPoolExecutor(threads, thread_name_prefix="loading")
    pending: deque[Future[Batch]] = deque()
    try:
        for positions in batches:
            pending.append(pool.submit(load, positions))
            if len(pending) > PREFETCH:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)


def _draw_pose(sample: Sample) -> NDArray[np.uint8]:
    """Draw the pose image, uint8 (H, W, 3), mirrored already: a mirror also exchanges the limbs' colors."""
    height, width = sample.person.shape[:2]
    keypoints = mirror_keypoints(sample.keypoints, width) if sample.mirrored else sample.keypoints
    return draw_pose(keypoints, (height, width))


def _stack_images(images: Sequence[NDArray[np.uint8]]) -> Tensor:
    """Stack (H, W, 3) images to (B, 3, H, W), channels-last in memory."""
    return _stack(images).permute(0, 3, 1, 2)


def _stack(arrays: Sequence[NDArray[np.uint8] | NDArray[np.bool_]]) -> Tensor:
    return torch.from_numpy(arrays[0][None] if len(arrays) == 1 else np.stack(arrays))  # a single one is not copied
