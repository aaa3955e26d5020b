"""Metrics, one a file, all with the signature of `tryon.metrics.metric.Measure`."""

from tryon.metrics import fid, kid, l1, lpips, psnr, ssim
from tryon.metrics.metric import PICTURE, Metric

METRICS: dict[str, Metric] = {module.METRIC.name: module.METRIC for module in (ssim, psnr, l1, lpips, fid, kid)}
"""Every metric by its name, in the order of tables."""

__all__ = ["METRICS", "PICTURE", "Metric"]
