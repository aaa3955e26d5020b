"""What a protocol is: how images are treated before they are compared, and which metrics compare them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from tryon.dresscode.readers import Size
from tryon.metrics import Metric

ImageArray = NDArray[np.uint8]
"""One image, uint8 (H, W, 3), RGB."""


@dataclass(frozen=True)
class PreprocessedImage:
    """A image made ready: as it is compared with its counterpart, and as it goes into the set's statistics."""

    pair: ImageArray
    set: ImageArray


@dataclass(frozen=True)
class ProtocolMetric:
    """A metric as a protocol gives it.

    Args:
        name: its key in the protocol's numbers.
        metric: what is computed.
        scale: what it is multiplied with.
    """

    name: str
    metric: Metric
    scale: int = 1


@dataclass(frozen=True)
class Protocol:
    """One way of scoring.

    Args:
        name: on the command line and in every output.
        origin: whose way it is.
        size: height and width of the results that it is about; None for any.
        reference: `packed` reads a true image as the sample stage packs test rows, `original` as the data set has it.
        sizes: `any` takes results as they are. `size` and `rows` refuse results of another size than `size`, or than
            the data set's packed rows.
        format: file format that results should have, as `tryon.scoring.result_folder` spells it; None for any.
        result: treats a result; also gets the format of its file.
        true_image: treats a true image; also gets the size of the results.
        numbers: in the order of tables.
        handling: what `result` and `true_image` do, in words.
        regions: whether pairs are compared inside the garment, outside it and at the neckline too; only where true
            images are packed rows, of which the places are known.
        rows: pairs per category that the protocol is about.
    """

    name: str
    origin: str
    size: Size | None
    reference: Literal["packed", "original"]
    sizes: Literal["any", "size", "rows"]
    format: str | None
    result: Callable[[ImageArray, str], PreprocessedImage]
    true_image: Callable[[ImageArray, Size], PreprocessedImage]
    numbers: tuple[ProtocolMetric, ...]
    handling: Mapping[str, str]
    regions: bool = False
    rows: int = 1800


def identity(image: ImageArray, *_: object) -> PreprocessedImage:
    """A image that is compared as it was read."""
    return PreprocessedImage(image, image)
