"""KID: kernel distance between Inception features (Binkowski et al. 2018), computed by torch-fidelity; never scaled."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch_fidelity.metric_kid import KEY_METRIC_KID_MEAN, kid_features_to_metric

from tryon.metrics.inception import RESIZER, load_features
from tryon.metrics.metric import Metric

SUBSETS, SUBSET_SIZE, SEED = 100, 1000, 2020
"""torch-fidelity's own defaults, written down so that they cannot drift."""


def kid(features: NDArray[np.floating]) -> float:
    """Mean over random subsets of the two sets of features (N, 2, D): results at 0, people at 1."""
    results, people = (torch.from_numpy(features[:, side]).double() for side in (0, 1))
    told = kid_features_to_metric(
        results, people, kid_subsets=SUBSETS, kid_subset_size=SUBSET_SIZE, rng_seed=SEED, verbose=False
    )
    return float(told[KEY_METRIC_KID_MEAN])


METRIC = Metric(
    "kid",
    "KID",
    "lower",
    load=load_features,
    value=kid,
    weights="inception",
    regional=False,
    against="people",
    least=SUBSET_SIZE,
    settings=f"{RESIZER}; raw scale, {SUBSETS} subsets of {SUBSET_SIZE}, seed {SEED}",
)
