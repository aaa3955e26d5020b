"""FID: Frechet distance between Inception features (Heusel et al. 2017), by torch-fidelity and by clean-fid."""

from __future__ import annotations

import contextlib
import io
from dataclasses import replace

import numpy as np
from torch_fidelity.metric_fid import KEY_METRIC_FID, fid_statistics_to_metric

from tryon.metrics.inception import CLEAN_RESIZER, RESIZER, load_clean_features, load_features
from tryon.metrics.metric import Features, Metric
from tryon.metrics.reference import Reference, statistics_of

RECOMMENDED_SAMPLES = 2048
"""With fewer images the covariance of 2048 features is rank-deficient and the bias is large."""

SMALL_SAMPLE_WARNING = "FID is biased upwards: compare it only with FID of exactly as many images"


def fid(results: Features, reference: Reference) -> dict[str, float]:
    """Compute the distance of the results' features (N, D) to the reference, by torch-fidelity."""
    metrics = fid_statistics_to_metric(statistics_of(results), reference.statistics, verbose=False)
    return {"fid": float(metrics[KEY_METRIC_FID])}


def fid_clean(results: Features, reference: Reference) -> dict[str, float]:
    """Compute the distance of the results' features (N, D) to the reference, by clean-fid."""
    from cleanfid.fid import frechet_distance

    a, b = statistics_of(results), reference.statistics
    with contextlib.redirect_stdout(io.StringIO()):  # it prints when the product of covariances is singular
        distance = frechet_distance(a["mu"], a["sigma"], b["mu"], b["sigma"])
    return {"fid_clean": float(np.real(distance))}


METRIC = Metric(
    "fid",
    "FID",
    "lower",
    extract=load_features,
    distance=fid,
    weights="inception",
    recommended_samples=RECOMMENDED_SAMPLES,
    small_sample_warning=SMALL_SAMPLE_WARNING,
    settings=f"{RESIZER}; against the person images of the same rows",
)
CLEAN_METRIC = replace(
    METRIC,
    name="fid_clean",
    title="FID (clean)",
    extract=load_clean_features,
    distance=fid_clean,
    weights="inception_clean",
    settings=f"{CLEAN_RESIZER}; against the person images of the same rows",
)
