"""FID: Frechet distance between Inception features (Heusel et al. 2017), by torch-fidelity and by clean-fid."""

from __future__ import annotations

import contextlib
import io

import numpy as np
from torch_fidelity.metric_fid import KEY_METRIC_FID, fid_statistics_to_metric

from tryon.metrics.inception import CLEAN_RESIZER, RESIZER, load_clean_features, load_features
from tryon.metrics.metric import Features, Metric
from tryon.metrics.reference import Reference, statistics_of

RECOMMENDED_SAMPLES = 2048
"""Images from which on the covariance of 2048 features can have full rank; with fewer the bias is large."""

SMALL_SAMPLE_WARNING = "FID is biased upwards: compare it only with FID of exactly as many images"


def fid(results: Features, reference: Reference) -> dict[str, float]:
    """Distance of the results' features (N, D) to the reference, by torch-fidelity."""
    told = fid_statistics_to_metric(statistics_of(results), reference.statistics, verbose=False)
    return {"fid": float(told[KEY_METRIC_FID])}


def fid_clean(results: Features, reference: Reference) -> dict[str, float]:
    """Distance of the results' features (N, D) to the reference, by clean-fid."""
    from cleanfid.fid import frechet_distance

    ours, theirs = statistics_of(results), reference.statistics
    with contextlib.redirect_stdout(io.StringIO()):  # it prints where the product of covariances is singular
        distance = frechet_distance(ours["mu"], ours["sigma"], theirs["mu"], theirs["sigma"])
    return {"fid_clean": float(np.real(distance))}


_AGAINST = "against the person images of the same rows"

METRIC = Metric(
    "fid",
    "FID",
    "lower",
    extract=load_features,
    distance=fid,
    weights="inception",
    recommended_samples=RECOMMENDED_SAMPLES,
    small_sample_warning=SMALL_SAMPLE_WARNING,
    settings=f"{RESIZER}; {_AGAINST}",
)
CLEAN_METRIC = Metric(
    "fid_clean",
    "FID (clean)",
    "lower",
    extract=load_clean_features,
    distance=fid_clean,
    weights="inception_clean",
    recommended_samples=RECOMMENDED_SAMPLES,
    small_sample_warning=SMALL_SAMPLE_WARNING,
    settings=f"{CLEAN_RESIZER}; {_AGAINST}",
)
