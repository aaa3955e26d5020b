"""All pairwise metrics over all regions in one pass."""

from __future__ import annotations

import numpy as np
import pytest

from tryon.metrics.image_pair import BatchScores, ImageBatch
from tryon.metrics.l1 import l1
from tryon.metrics.metric import PerPairMetric
from tryon.metrics.pairwise import score_pairs
from tryon.metrics.psnr import psnr
from tryon.metrics.regions import WHOLE_IMAGE, Regions
from tryon.metrics.similarity import PyramidLevel
from tryon.metrics.ssim import ssim


def _images(level: int, count: int = 2) -> ImageBatch:
    return np.full((count, 8, 6, 3), level, np.uint8)


def test_scores_image_and_garment() -> None:
    result = _images(0)
    result[:, 4:] = 51
    garment = np.zeros((2, 8, 6), bool)
    garment[:, 4:, :3] = True
    scores = score_pairs({"l1": l1}, result, _images(0), {"image": None, "garment": garment})
    assert list(scores) == ["l1", "l1_garment"]
    np.testing.assert_allclose(scores["l1"], 0.1)
    np.testing.assert_allclose(scores["l1_garment"], 0.2)


def test_equals_the_metrics_called_one_by_one() -> None:
    random = np.random.default_rng(1)
    results, targets = random.integers(0, 255, (2, 3, 20, 16, 3), np.uint8)
    regions = {"image": None, "garment": random.random((3, 20, 16)) < 0.3}

    def batch_metric(results: ImageBatch, targets: ImageBatch, regions: Regions = WHOLE_IMAGE) -> BatchScores:
        return {name: np.arange(len(results)) / 2 for name in regions}

    measures = {"ssim": ssim, "psnr": psnr, "l1": l1, "lpips": batch_metric}
    scores = score_pairs(measures, results, targets, regions)
    assert len(scores) == 8
    for name, measure in measures.items():
        for region, expected in measure(results, targets, regions).items():
            np.testing.assert_array_equal(scores[name if region == "image" else f"{name}_{region}"], expected)


def test_metrics_share_the_maps_of_a_pair(monkeypatch: pytest.MonkeyPatch) -> None:
    created: list[int] = []
    of = PyramidLevel.of
    monkeypatch.setattr(PyramidLevel, "of", lambda result, target: created.append(1) or of(result, target))
    twice = PerPairMetric(ssim.score_pair)
    score_pairs({"ssim": ssim, "ms_ssim": twice, "psnr": psnr}, _images(0), _images(9), WHOLE_IMAGE)
    assert len(created) == 2  # one per pair
