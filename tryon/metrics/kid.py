"""KID: kernel distance between Inception features (Binkowski et al. 2018), unscaled.

Kernel and estimator are the same in clean-fid, which only draws its subsets without a seed. So both variants use
torch-fidelity's seeded subsets, and differ by their features only.
"""

from __future__ import annotations

from dataclasses import replace

import torch
from torch_fidelity.metric_kid import KEY_METRIC_KID_MEAN, KEY_METRIC_KID_STD, kid_features_to_metric

from tryon.metrics.inception import CLEAN_RESIZER, RESIZER, load_clean_features, load_features
from tryon.metrics.metric import Features, Metric
from tryon.metrics.reference import Reference

SUBSETS, SUBSET_SIZE, SEED = 100, 1000, 2020
"""Defaults of torch-fidelity, pinned."""

SMALL_SAMPLE_WARNING = "KID's subsets are no random choice, and it varies strongly from one sample to the next"


def kernel_distance(results: Features, reference: Features) -> tuple[float, float]:
    """Compute mean and standard deviation over random subsets of two sets of features, (N, D) and (M, D).

    If both sets are smaller than `SUBSET_SIZE`, there is one subset with all images, and the deviation is NaN.
    """
    size = min(SUBSET_SIZE, len(results), len(reference))
    subsets = 1 if size == len(results) == len(reference) else SUBSETS
    metrics = kid_features_to_metric(
        *(torch.from_numpy(features).double() for features in (results, reference)),
        kid_subsets=subsets,
        kid_subset_size=size,
        rng_seed=SEED,
        verbose=False,
    )
    deviation = float("nan") if subsets == 1 else float(metrics[KEY_METRIC_KID_STD])
    return float(metrics[KEY_METRIC_KID_MEAN]), deviation


def kid(results: Features, reference: Reference) -> dict[str, float]:
    """Compute KID of torch-fidelity's features."""
    return dict(zip(("kid", "kid_std"), kernel_distance(results, reference.features), strict=True))


def kid_clean(results: Features, reference: Reference) -> dict[str, float]:
    """Compute KID of clean-fid's features."""
    return dict(zip(("kid_clean", "kid_clean_std"), kernel_distance(results, reference.features), strict=True))


_SETTINGS = f"raw scale, {SUBSETS} subsets of {SUBSET_SIZE}, seed {SEED}"

METRIC = Metric(
    "kid",
    "KID",
    "lower",
    extract=load_features,
    distance=kid,
    extra_outputs=("kid_std",),
    weights="inception",
    recommended_samples=SUBSET_SIZE,
    small_sample_warning=SMALL_SAMPLE_WARNING,
    settings=f"{RESIZER}; {_SETTINGS}",
)
CLEAN_METRIC = replace(
    METRIC,
    name="kid_clean",
    title="KID (clean)",
    extract=load_clean_features,
    distance=kid_clean,
    extra_outputs=("kid_clean_std",),
    weights="inception_clean",
    settings=f"{CLEAN_RESIZER}; {_SETTINGS}",
)
