"""Protocol of this project and its evaluate stage: no resizing, re-encoding or composition.

Results are PNG files of the size of the packed test rows (512x384 in the full run), compared with these rows; the
official test lists have 1800 pairs per category.
"""

from __future__ import annotations

from dataclasses import replace

from tryon.metrics import METRICS
from tryon.scoring.protocols.protocol import Protocol, ProtocolMetric, identity

METRIC_NAMES = ("ssim", "ms_ssim", "psnr", "l1", "lpips", "fid", "kid")

PROTOCOL = Protocol(
    name="fitting-room",
    origin="this project",
    size=(512, 384),
    reference="packed",
    sizes="rows",
    format="PNG",
    result=identity,
    true_image=identity,
    metrics=tuple(ProtocolMetric(name, METRICS[name]) for name in METRIC_NAMES),
    handling={"results": "as they are", "reference": "the packed test row, by area averaging, never saved with loss"},
    regions=True,
)

EVALUATION = replace(PROTOCOL, metrics=tuple(ProtocolMetric(name, metric) for name, metric in METRICS.items()))
"""The same protocol with every metric, for the evaluate stage."""
