"""MS-SSIM: structural similarity at five scales (Wang et al. 2003), equal to torchmetrics."""

from __future__ import annotations

import math

from tryon.metrics.image_pair import ImagePair, RegionScores, crop_border
from tryon.metrics.metric import Metric, PerPairMetric
from tryon.metrics.similarity import REACH, WINDOW

EXPONENTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
"""Exponents of the scales, from full size to a sixteenth, from the paper."""

MIN_SIDE = WINDOW * (len(EXPONENTS) - 1) ** 2
"""Limit of torchmetrics: a sixteenth of the side must exceed the window minus one."""


@PerPairMetric
def ms_ssim(pair: ImagePair) -> RegionScores:
    """Compute MS-SSIM, 0 to 1 (equal): the product over scales of mean contrast, and mean similarity at the last one.

    As in torchmetrics, the contrast excludes the `REACH` pixels at the image's border, the similarity does not, and
    negative means count as 0. In a region, pixels of a scale are weighted by the fraction of them inside; NaN where a
    scale has none.
    """
    product = dict.fromkeys(pair.regions, 1.0)
    last = len(EXPONENTS) - 1
    for number, exponent in enumerate(EXPONENTS):
        scale = pair.scale(number)
        means = (
            pair.weighted_means(scale.similarity, number)
            if number == last
            else pair.weighted_means(crop_border(scale.contrast, REACH), number, REACH)
        )
        for region, mean in means.items():
            product[region] *= mean if math.isnan(mean) else max(mean, 0.0) ** exponent
    return product


METRIC = Metric(
    "ms_ssim",
    "MS-SSIM",
    "higher",
    measure=lambda path, device: ms_ssim,
    min_side=MIN_SIDE,
    settings=f"as torchmetrics, RGB, data range 1, window as SSIM, exponents {', '.join(map(str, EXPONENTS))}",
)
