"""MS-SSIM: structural similarity at five scales (Wang et al. 2003), with the numbers of torchmetrics."""

from __future__ import annotations

import math

from tryon.metrics.image_pair import RegionScores, ImagePair, crop_border
from tryon.metrics.metric import Metric, PerPairMetric
from tryon.metrics.similarity import REACH, WINDOW

EXPONENTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
"""Of the scales, from full size to a sixteenth: the paper's values."""

MIN_SIDE = WINDOW * (len(EXPONENTS) - 1) ** 2
"""torchmetrics' bound: a sixteenth of the side must be more than the window less one."""


@PerPairMetric
def ms_ssim(pair: ImagePair) -> RegionScores:
    """MS-SSIM, 0 to 1 (equal): the product over scales of mean contrast, and of mean similarity at the last scale.

    As in torchmetrics the means of contrast leave out the `REACH` pixels at the image's border, that of similarity
    does not, and negative means count as 0. In a region: the product of means inside it, each pixel of a scale weighted
    with the share of it that lies in the region; nothing (NaN) where a scale has none.
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
