"""FID and KID: closed form, agreement with three libraries, weight files and the feature cache."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import cleanfid.fid
import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image
from torch_fidelity.defaults import DEFAULTS
from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3
from torch_fidelity.metric_fid import fid_featuresdict_to_statistics, fid_statistics_to_metric
from torch_fidelity.metric_kid import kid_featuresdict_to_metric
from torchmetrics.image.fid import FrechetInceptionDistance
from torchmetrics.image.kid import KernelInceptionDistance

from tryon.errors import WeightsError
from tryon.metrics import METRICS
from tryon.metrics.fid import fid, fid_clean
from tryon.metrics.inception import CLEAN_FILE, FeatureExtractor, load_clean_features, load_features, resize_clean
from tryon.metrics.kid import SEED, SUBSET_SIZE, SUBSETS, kid, kid_clean
from tryon.metrics.reference import Reference, reference_features

DOWNLOAD = "torch_fidelity.feature_extractor_inceptionv3.load_state_dict_from_url"
Features = NDArray[np.float32]


def _features(seed: int, count: int = 1200, size: int = 8, shift: float = 0.0) -> Features:
    return np.random.default_rng(seed).normal(shift, 1, (count, size)).astype(np.float32)


@pytest.mark.parametrize(("distance", "key"), [(fid, "fid"), (fid_clean, "fid_clean")])
def test_fid_of_two_gaussians_equals_the_closed_form(
    distance: Callable[[Features, Reference], dict[str, float]], key: str
) -> None:
    """FID is |d|² for means that differ by d, and (s - t)² per dimension for deviations s and t."""
    features = _features(1)
    features -= features.mean(0)
    assert distance(features, Reference(features + np.float32(3)))[key] == pytest.approx(8 * 9, rel=1e-6)
    scale = np.linspace(0.5, 4, 8, dtype=np.float32)
    expected = ((scale - 1) ** 2 * features.var(0, ddof=1, dtype=np.float64)).sum()
    white = features @ np.linalg.inv(np.linalg.cholesky(np.cov(features.T))).T.astype(np.float32)
    white *= features.std(0, ddof=1)
    expected = ((scale - 1) ** 2 * white.var(0, ddof=1, dtype=np.float64)).sum()
    assert distance(white, Reference(white * scale))[key] == pytest.approx(expected, rel=1e-4)


def test_distance_of_equal_sets_is_zero() -> None:
    features = _features(2, 300)
    assert fid(features, Reference(features))["fid"] == pytest.approx(0, abs=1e-6)
    shifted = kid(features, Reference(features + np.float32(1)))["kid"]
    assert abs(kid(features, Reference(features))["kid"]) < 0.02 * shifted


def test_match_torch_fidelity(monkeypatch: pytest.MonkeyPatch) -> None:
    defaults = [DEFAULTS[f"kid_{name}"] for name in ("subsets", "subset_size")]
    assert [*defaults, DEFAULTS["rng_seed"]] == [SUBSETS, SUBSET_SIZE, SEED]
    monkeypatch.setattr("tryon.metrics.kid.SUBSETS", 10)  # 100 take seconds
    results, people = _features(3), _features(4, shift=0.5)
    inputs = [{"2048": torch.from_numpy(features)} for features in (results, people)]
    statistics = [fid_featuresdict_to_statistics(features, "2048") for features in inputs]
    direct = fid_statistics_to_metric(statistics[0], statistics[1], verbose=False)["frechet_inception_distance"]
    assert fid(results, Reference(people))["fid"] == pytest.approx(direct, rel=1e-4)
    direct = kid_featuresdict_to_metric(inputs[0], inputs[1], "2048", kid_subsets=10, verbose=False)
    scores = kid(results, Reference(people))
    assert scores["kid"] == pytest.approx(direct["kernel_inception_distance_mean"], rel=1e-4)
    assert scores["kid_std"] == pytest.approx(direct["kernel_inception_distance_std"], rel=1e-4)


def test_match_clean_fid() -> None:
    results, people = _features(5, SUBSET_SIZE), _features(6, SUBSET_SIZE, shift=0.5)
    moments = [(x.mean(0), np.cov(x, rowvar=False)) for x in (results.astype(float), people.astype(float))]
    direct = cleanfid.fid.frechet_distance(*moments[0], *moments[1])
    assert fid_clean(results, Reference(people))["fid_clean"] == pytest.approx(direct, rel=1e-4)
    # All images are in every subset, so clean-fid's unseeded choice does not matter.
    direct = cleanfid.fid.kernel_distance(results, people, num_subsets=2, max_subset_size=SUBSET_SIZE)
    scores = kid_clean(results, Reference(people))
    assert scores["kid_clean"] == pytest.approx(direct, rel=1e-4)
    assert np.isnan(scores["kid_clean_std"])


class _Small(torch.nn.Module):
    """Random feature extractor for torchmetrics: maps bytes to (N, 6)."""

    num_features = 6

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(7)
        self.convolution = torch.nn.Conv2d(3, 6, 5, stride=3)

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        return torch.relu(self.convolution(batch.float() / 255)).mean((2, 3)) * 10


def test_match_torchmetrics_with_a_shared_extractor() -> None:
    random = np.random.default_rng(8)
    people = random.integers(0, 255, (40, 24, 18, 3), np.uint8)
    results = (people * 0.7 + random.integers(0, 60, people.shape)).astype(np.uint8)
    network = _Small().eval()
    extract = FeatureExtractor(network, lambda batch: torch.from_numpy(batch).permute(0, 3, 1, 2), "cpu", "small")
    features, reference = extract(results), Reference(extract(people))
    distance = FrechetInceptionDistance(feature=network, normalize=False)
    kernel = KernelInceptionDistance(feature=network, subsets=2, subset_size=40, normalize=False)
    for metric in (distance, kernel):
        metric.update(torch.from_numpy(people).permute(0, 3, 1, 2), real=True)
        metric.update(torch.from_numpy(results).permute(0, 3, 1, 2), real=False)
    expected = float(distance.compute())
    assert fid(features, reference)["fid"] == pytest.approx(expected, rel=1e-4)
    assert fid_clean(features, reference)["fid_clean"] == pytest.approx(expected, rel=1e-4)
    assert kid(features, reference)["kid"] == pytest.approx(float(kernel.compute()[0]), rel=1e-4)


def test_recommended_samples() -> None:
    assert {name: metric.recommended_samples for name, metric in METRICS.items() if metric.extract} == {
        "fid": 2048,
        "fid_clean": 2048,
        "kid": 1000,
        "kid_clean": 1000,
    }


def _no_download(*args: object, **kwargs: object) -> None:
    raise AssertionError("unexpected download")


@pytest.fixture
def network(monkeypatch: pytest.MonkeyPatch) -> FeatureExtractorInceptionV3:
    """Return an Inception network with random weights."""
    with monkeypatch.context() as patch:
        patch.setattr(DOWNLOAD, lambda *args, **kwargs: {})
        patch.setattr(FeatureExtractorInceptionV3, "load_state_dict", lambda *args: None)
        torch.manual_seed(4)
        return FeatureExtractorInceptionV3("inception-v3-compat", ["2048"])


def test_fid_and_kid_share_features_of_the_local_file(
    network: FeatureExtractorInceptionV3, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "inception.pth"
    torch.save(network.state_dict(), path)
    monkeypatch.setattr(DOWNLOAD, _no_download)
    loaders = METRICS["fid"].extract, METRICS["kid"].extract
    assert loaders[0] is not None
    assert loaders[1] is not None
    extract = loaders[0](path, "cpu")
    assert extract is loaders[1](path, "cpu")
    images = np.random.default_rng(5).integers(0, 255, (2, 40, 30, 3), np.uint8)
    direct = network(torch.from_numpy(images).permute(0, 3, 1, 2))[0].numpy()
    np.testing.assert_allclose(extract(images), direct, rtol=1e-3, atol=1e-6)


class _Layers(torch.nn.Module):
    """Stand-in for clean-fid's network: `layers` take -1 to 1 at 299x299."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(9)
        self.layers = torch.nn.Sequential(
            torch.nn.Conv2d(3, 2048, 13, stride=13), torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten()
        )

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        return self.layers(batch)


def test_clean_features_match_clean_fid(tmp_path: Path) -> None:
    layers = _Layers()
    torch.jit.script(layers).save(str(tmp_path / CLEAN_FILE))
    images = np.random.default_rng(5).integers(0, 255, (2, 40, 30, 3), np.uint8)
    files = [tmp_path / f"{row}.png" for row in range(2)]
    for file, image in zip(files, images, strict=True):
        Image.fromarray(image).save(file)
    direct = cleanfid.fid.get_files_features(
        [str(file) for file in files],
        model=lambda batch: layers((batch - 128) / 128),
        num_workers=0,
        device=torch.device("cpu"),
        verbose=False,
    )
    np.testing.assert_allclose(load_clean_features(tmp_path / CLEAN_FILE)(images), direct, rtol=1e-4, atol=1e-6)
    assert resize_clean(images).shape == (2, 3, 299, 299)


class _Trap:
    """Creates a folder when unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (str(self.mark),)


@pytest.mark.parametrize(
    ("load", "name"), [(load_features, "torch-fidelity"), (load_clean_features, "clean-fid")], ids=["plain", "clean"]
)
def test_code_in_the_file_is_not_run(load: Callable[[Path], FeatureExtractor], name: str, tmp_path: Path) -> None:
    mark, path = tmp_path / "ran", tmp_path / CLEAN_FILE
    torch.save({"fc.bias": _Trap(mark)}, path)
    with pytest.raises(WeightsError, match=f"{name}'s Inception"):
        load(path)
    assert not mark.exists()


def test_rejects_other_files(tmp_path: Path) -> None:
    path = tmp_path / CLEAN_FILE
    torch.save({"nothing": torch.zeros(1)}, path)
    with pytest.raises(WeightsError, match="torch-fidelity's Inception"):
        load_features(path)
    path.write_bytes(b"no network")
    with pytest.raises(WeightsError, match="clean-fid's Inception"):
        load_clean_features(path)


def test_reference_features_are_cached_by_content(tmp_path: Path) -> None:
    computed: list[int] = []

    def network(batch: torch.Tensor) -> torch.Tensor:
        computed.append(len(batch))
        return batch.float().mean((1, 2))

    def features(images: NDArray[np.uint8], identity: str = "a network") -> Features:
        extract = FeatureExtractor(network, torch.from_numpy, "cpu", identity)
        batches = (images[start : start + 2] for start in range(0, len(images), 2))
        return reference_features(extract, [str(image.sum()) for image in images], batches, tmp_path)

    images = np.random.default_rng(1).integers(0, 255, (3, 4, 4, 3), np.uint8)
    first = features(images)
    np.testing.assert_allclose(first, images.mean((1, 2)), rtol=1e-6)
    assert computed == [2, 1]
    np.testing.assert_array_equal(features(images), first)
    assert computed == [2, 1]
    features(images, "another network")
    features(images[::-1].copy())
    assert computed == [2, 1] * 3
    for file in tmp_path.glob("*.npy"):
        file.write_bytes(file.read_bytes()[:-1] + b"?")
    np.testing.assert_array_equal(features(images), first)
    assert computed == [2, 1] * 4
