"""FID and KID over features: closed form, torch-fidelity called directly, and the features' own file."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3
from torch_fidelity.metric_fid import fid_featuresdict_to_statistics, fid_statistics_to_metric
from torch_fidelity.metric_kid import kid_featuresdict_to_metric

from tryon.errors import WeightsError
from tryon.metrics import METRICS, PICTURE
from tryon.metrics.fid import fid
from tryon.metrics.inception import load_features
from tryon.metrics.kid import kid

DOWNLOAD = "torch_fidelity.feature_extractor_inceptionv3.load_state_dict_from_url"


def _features(seed: int, count: int = 1200, size: int = 8, shift: float = 0.0) -> NDArray[np.float64]:
    return np.random.default_rng(seed).normal(shift, 1, (count, 2, size)).astype(np.float32).astype(np.float64)


def test_fid_of_two_gaussians_has_a_closed_form() -> None:
    """Equal covariances and means that differ by d: the distance is |d|²; scaled by s: (s - 1)² a dimension."""
    features = _features(1)
    features[:, 1] = features[:, 0] + 3
    assert fid(features) == pytest.approx(8 * 9, rel=1e-6)
    features[:, 1] = features[:, 0] - features[:, 0].mean(0)
    features[:, 0] = 2 * features[:, 1]
    variance = features[:, 1].var(0, ddof=1).sum()
    assert fid(features) == pytest.approx(variance, rel=1e-6)


def test_equal_sets_are_at_distance_zero() -> None:
    features = _features(2)
    features[:, 1] = features[:, 0]
    assert fid(features) == pytest.approx(0, abs=1e-6)
    assert abs(kid(features)) < 0.02 * kid(_features(2) + np.array([0, 1])[:, None])


def test_both_agree_with_torch_fidelity_called_directly() -> None:
    features = _features(3) + np.array([0, 0.5])[:, None]
    results, people = ({"2048": torch.from_numpy(features[:, side]).float()} for side in (0, 1))
    statistics = [fid_featuresdict_to_statistics(told, "2048") for told in (results, people)]
    direct = fid_statistics_to_metric(*statistics, verbose=False)["frechet_inception_distance"]
    assert fid(features) == pytest.approx(direct, rel=1e-4)
    direct = kid_featuresdict_to_metric(results, people, "2048", verbose=False)["kernel_inception_distance_mean"]
    assert kid(features) == pytest.approx(direct, rel=1e-4)


def _no_download(*args: object, **kwargs: object) -> None:
    raise AssertionError("nothing is downloaded behind one's back")


@pytest.fixture
def network(monkeypatch: pytest.MonkeyPatch) -> FeatureExtractorInceptionV3:
    """An Inception with random weights."""
    with monkeypatch.context() as patch:
        patch.setattr(DOWNLOAD, lambda *args, **kwargs: {})
        patch.setattr(FeatureExtractorInceptionV3, "load_state_dict", lambda *args: None)
        torch.manual_seed(4)
        return FeatureExtractorInceptionV3("inception-v3-compat", ["2048"])


def test_features_come_from_the_file_and_once_for_both(
    network: FeatureExtractorInceptionV3, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "inception.pth"
    torch.save(network.state_dict(), path)
    monkeypatch.setattr(DOWNLOAD, _no_download)
    measure = METRICS["fid"].load(path, "cpu")
    assert measure is METRICS["kid"].load(path, "cpu")
    pictures = np.random.default_rng(5).integers(0, 255, (2, 40, 30, 3), np.uint8)
    rows = measure(pictures, pictures[::-1], {PICTURE: None})[PICTURE]
    assert rows.shape == (2, 2, 2048)
    direct = network(torch.from_numpy(pictures).permute(0, 3, 1, 2))[0].numpy()
    np.testing.assert_allclose(rows[:, 0], direct, rtol=1e-3, atol=1e-6)
    np.testing.assert_allclose(rows[:, 1], direct[::-1], rtol=1e-3, atol=1e-6)


def test_people_pass_the_network_once_for_all_methods_of_a_batch(
    network: FeatureExtractorInceptionV3, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "inception.pth"
    torch.save(network.state_dict(), path)
    measure = load_features(path)
    passes: list[float] = []

    def extract(network: object, pictures: NDArray[np.uint8], device: str) -> NDArray[np.float32]:
        passes.append(float(pictures[0, 0, 0, 0]))
        return np.full((len(pictures), 1), passes[-1], np.float32)

    monkeypatch.setattr("tryon.metrics.inception._extract", extract)
    first, second, third, people = (np.full((2, 4, 4, 3), level, np.uint8) for level in (1, 2, 3, 9))
    for results in (first, second, third):
        assert measure(results, people, {PICTURE: None})[PICTURE][0].ravel().tolist() == [results[0, 0, 0, 0], 9]
    assert sorted(passes) == [1, 2, 3, 9]
    people[:] = 8  # the next batch, in the same memory
    assert measure(first, people, {PICTURE: None})[PICTURE][0].ravel().tolist() == [1, 8]


class _Trap:
    """Would create a folder if it were unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (str(self.mark),)


def test_code_in_the_file_never_runs(tmp_path: Path) -> None:
    mark, path = tmp_path / "ran", tmp_path / "inception.pth"
    torch.save({"fc.bias": _Trap(mark)}, path)
    with pytest.raises(WeightsError, match="torch-fidelity's Inception"):
        load_features(path)
    assert not mark.exists()


def test_another_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "inception.pth"
    torch.save({"nothing": torch.zeros(1)}, path)
    with pytest.raises(WeightsError, match="torch-fidelity's Inception"):
        load_features(path)
