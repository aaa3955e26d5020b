"""Image metrics, one per file: pairwise metrics over regions, and distances between sets of images.

>>> import numpy as np
>>> ssim = METRICS["ssim"].measure(None, "cpu")
>>> images = np.full((1, 64, 48, 3), 128, np.uint8)
>>> ssim(images, images)["image"]
array([1.])
"""

from tryon.metrics import fid, kid, l1, lpips, ms_ssim, psnr, ssim
from tryon.metrics.metric import Metric
from tryon.metrics.regions import IMAGE

METRICS: dict[str, Metric] = {
    metric.name: metric
    for metric in (
        *(module.METRIC for module in (ssim, ms_ssim, psnr, l1, lpips)),
        lpips.VGG_METRIC,
        lpips.SQUEEZENET_METRIC,
        *(metric for module in (fid, kid) for metric in (module.METRIC, module.CLEAN_METRIC)),
    )
}
"""All metrics by name, in the order of tables."""

__all__ = ["IMAGE", "METRICS", "Metric"]
