"""Batches of 8-bit tensors, decoded ahead of the step that needs them by a few threads."""

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
"""Batches decoded ahead."""


@dataclass(frozen=True)
class Batch:
    """Decoded rows side by side, still bytes: a quarter of the floats to move to the device.

    Shapes: person, garment, pose uint8 (B, 3, H, W) RGB; mask (True = hidden), garment_mask bool (B, 1, H, W);
    mirrored bool (B,), always on the host: rows of which all but the pose is still to be mirrored (see
    `tryon.loading.transforms`).
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
        tensors = {field.name for field in fields(self) if isinstance(getattr(self, field.name), Tensor)}
        names = tensors - {"mirrored"}
        return replace(self, **{name: getattr(self, name).to(device, non_blocking=True) for name in names})


class SampleSource(Protocol):
    """A data set: rows as they are (`PackedDataset`) or changed (`AugmentedDataset`)."""

    def sample(self, index: int) -> Sample:
        """Decode row `index`."""
        ...


def collate(examples: Sequence[Sample]) -> Batch:
    """Put examples of one size side by side, and draw their poses."""
    return Batch(
        pair_ids=tuple(example.pair_id for example in examples),
        categories=tuple(example.category for example in examples),
        person=_stack_images([example.person for example in examples]),
        garment=_stack_images([example.garment for example in examples]),
        pose=_stack_images([_pose(example) for example in examples]),
        mask=_stack_arrays([example.mask for example in examples])[:, None],
        garment_mask=_stack_arrays([example.garment_mask for example in examples])[:, None],
        mirrored=torch.tensor([example.mirrored for example in examples], dtype=torch.bool),
    )


def load_batches(rows: SampleSource, batches: Iterable[NDArray[np.int64]], threads: int = 2) -> Iterator[Batch]:
    """Load batches in the order given, up to `PREFETCH` of them ahead of the one in use.

    Args:
        rows: the data set.
        batches: for each batch the positions of its rows.
        threads: decoding threads; their number changes nothing in the batches.

    Raises:
        TryOnError: a image is damaged.
    """

    def load(positions: NDArray[np.int64]) -> Batch:
        return collate([rows.sample(int(position)) for position in positions])

    raise_mmap_threshold()
    pool = ThreadPoolExecutor(threads, thread_name_prefix="loading")
    waiting: deque[Future[Batch]] = deque()
    try:
        for positions in batches:
            waiting.append(pool.submit(load, positions))
            if len(waiting) > PREFETCH:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)


def _pose(example: Sample) -> NDArray[np.uint8]:
    """The pose image, uint8 (H, W, 3); drawn mirrored, because a mirror also exchanges the limbs' colors."""
    height, width = example.person.shape[:2]
    keypoints = mirror_keypoints(example.keypoints, width) if example.mirrored else example.keypoints
    return draw_pose(keypoints, (height, width))


def _stack_images(images: Sequence[NDArray[np.uint8]]) -> Tensor:
    """Stack (H, W, 3) images to (B, 3, H, W); the memory stays channels-last."""
    return _stack_arrays(images).permute(0, 3, 1, 2)


def _stack_arrays(arrays: Sequence[NDArray[np.uint8] | NDArray[np.bool_]]) -> Tensor:
    """Put arrays side by side; a single one is not copied."""
    return torch.from_numpy(arrays[0][None] if len(arrays) == 1 else np.stack(arrays))
