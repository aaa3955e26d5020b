"""FID: Frechet distance between Inception features (Heusel et al. 2017), computed by torch-fidelity."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch_fidelity.metric_fid import KEY_METRIC_FID, fid_features_to_statistics, fid_statistics_to_metric

from tryon.metrics.inception import RESIZER, load_features
from tryon.metrics.metric import Metric


def fid(features: NDArray[np.floating]) -> float:
    """Distance between the two sets of features (N, 2, D): results at 0, people at 1."""
    results, people = (fid_features_to_statistics(torch.from_numpy(features[:, side]).double()) for side in (0, 1))
    return float(fid_statistics_to_metric(results, people, verbose=False)[KEY_METRIC_FID])


METRIC = Metric(
    "fid",
    "FID",
    "lower",
    load=load_features,
    value=fid,
    weights="inception",
    regional=False,
    against="people",
    least=1000,
    settings=f"{RESIZER}; against the person pictures of the same rows",
)
"""`least` is ours: below it the upward bias of FID is larger than the differences that people look for."""
