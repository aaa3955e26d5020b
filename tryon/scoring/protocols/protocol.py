"""Define evaluation protocols: preprocessing and metrics."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from tryon.dresscode.readers import Size
from tryon.metrics import Metric
from tryon.metrics.pairwise import key_of
from tryon.metrics.regions import IMAGE, REGIONS

ImageArray = NDArray[np.uint8]
"""One image, uint8 (H, W, 3), RGB."""


@dataclass(frozen=True)
class PreprocessedImage:
    """An image preprocessed for pairwise metrics (`pair`) and for set metrics (`set`)."""

    pair: ImageArray
    set: ImageArray


@dataclass(frozen=True)
class ProtocolMetric:
    """A metric as a protocol reports it.

    Args:
        name: key in the protocol's results.
        scale: factor applied to values of set metrics.
    """

    name: str
    metric: Metric
    scale: int = 1


@dataclass(frozen=True)
class Protocol:
    """One evaluation protocol.

    Args:
        name: on the command line and in every output.
        origin: the publications that use it.
        size: height and width of the results; None for any.
        reference: `packed` reads ground truth as the sample stage packs it, `original` as stored in the data set.
        sizes: `any` accepts results of any size; `size` requires `size`; `rows` requires the size of the packed rows.
        format: file format of the results, as `tryon.scoring.image_folder` names it; None for any.
        result: preprocesses a result, given the image and its file format.
        true_image: preprocesses a ground-truth image, given the image and the size of the results.
        metrics: in the order of tables.
        handling: description of `result` and `true_image`, part of the fingerprint.
        regions: whether pairs are also compared inside the garment, outside it and at the neckline. Only possible
            where ground truth is packed rows, whose regions are known.
        rows: pairs per category in the published protocol.
    """

    name: str
    origin: str
    size: Size | None
    reference: Literal["packed", "original"]
    sizes: Literal["any", "size", "rows"]
    format: str | None
    result: Callable[[ImageArray, str], PreprocessedImage]
    true_image: Callable[[ImageArray, Size], PreprocessedImage]
    metrics: tuple[ProtocolMetric, ...]
    handling: Mapping[str, str]
    regions: bool = False
    rows: int = 1800

    def keys(self) -> dict[str, tuple[ProtocolMetric, str]]:
        """Map every key of the results to its metric and region, in the order of tables.

        Whole-image and set metrics come first ("ssim", "fid", "kid", "kid_std"), then the regions ("ssim_garment").
        """
        keys = {
            key.replace(each.metric.name, each.name): (each, IMAGE)
            for each in self.metrics
            for key in (each.metric.name, *each.metric.extra_outputs)
        }
        return keys | {key: value for key, value in self.pair_keys().items() if value[1] != IMAGE}

    def pair_keys(self) -> dict[str, tuple[ProtocolMetric, str]]:
        """Map every key of a pairwise metric to its metric and region, region by region."""
        pairwise = [each for each in self.metrics if each.metric.pairwise]
        regions = REGIONS if self.regions else (IMAGE,)
        return {key_of(each.name, region): (each, region) for region in regions for each in pairwise}


def identity(image: ImageArray, *_: object) -> PreprocessedImage:
    """Return the image unchanged, for pairs and sets."""
    return PreprocessedImage(image, image)
