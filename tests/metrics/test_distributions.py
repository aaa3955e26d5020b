"""FID and KID over features: closed form, three libraries called directly, the files of weights, and what is kept."""

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
from tryon.metrics.inception import CLEAN_FILE, FeatureExtractor, clean_resized, load_clean_features, load_features
from tryon.metrics.kid import SEED, SUBSET_SIZE, SUBSETS, kid, kid_clean
from tryon.metrics.reference import Reference, reference_features

DOWNLOAD = "torch_fidelity.feature_extractor_inceptionv3.load_state_dict_from_url"
Features = NDArray[np.float32]


def _features(seed: int, count: int = 1200, size: int = 8, shift: float = 0.0) -> Features:
    return np.random.default_rng(seed).normal(shift, 1, (count, size)).astype(np.float32)


@pytest.mark.parametrize(("distance", "key"), [(fid, "fid"), (fid_clean, "fid_clean")])
def test_fid_of_two_gaussians_has_a_closed_form(
    distance: Callable[[Features, Reference], dict[str, float]], key: str
) -> None:
    """Means that differ by d: the distance is |d|²; deviations s and t of a dimension: (s - t)² each."""
    features = _features(1)
    features -= features.mean(0)
    assert distance(features, Reference(features + np.float32(3)))[key] == pytest.approx(8 * 9, rel=1e-6)
    scale = np.linspace(0.5, 4, 8, dtype=np.float32)
    expected = ((scale - 1) ** 2 * features.var(0, ddof=1, dtype=np.float64)).sum()
    white = features @ np.linalg.inv(np.linalg.cholesky(np.cov(features.T))).T.astype(np.float32)
    white *= features.std(0, ddof=1)
    expected = ((scale - 1) ** 2 * white.var(0, ddof=1, dtype=np.float64)).sum()
    assert distance(white, Reference(white * scale))[key] == pytest.approx(expected, rel=1e-4)


def test_equal_sets_are_at_distance_zero() -> None:
    features = _features(2, 300)
    assert fid(features, Reference(features))["fid"] == pytest.approx(0, abs=1e-6)
    shifted = kid(features, Reference(features + np.float32(1)))["kid"]
    assert abs(kid(features, Reference(features))["kid"]) < 0.02 * shifted


def test_both_agree_with_torch_fidelity_called_directly(monkeypatch: pytest.MonkeyPatch) -> None:
    defaults = [DEFAULTS[f"kid_{name}"] for name in ("subsets", "subset_size")]
    assert [*defaults, DEFAULTS["rng_seed"]] == [SUBSETS, SUBSET_SIZE, SEED]
    monkeypatch.setattr("tryon.metrics.kid.SUBSETS", 10)  # a hundred take seconds
    results, people = _features(3), _features(4, shift=0.5)
    told = [{"2048": torch.from_numpy(each)} for each in (results, people)]
    statistics = [fid_featuresdict_to_statistics(each, "2048") for each in told]
    direct = fid_statistics_to_metric(statistics[0], statistics[1], verbose=False)["frechet_inception_distance"]
    assert fid(results, Reference(people))["fid"] == pytest.approx(direct, rel=1e-4)
    direct = kid_featuresdict_to_metric(told[0], told[1], "2048", kid_subsets=10, verbose=False)
    ours = kid(results, Reference(people))
    assert ours["kid"] == pytest.approx(direct["kernel_inception_distance_mean"], rel=1e-4)
    assert ours["kid_std"] == pytest.approx(direct["kernel_inception_distance_std"], rel=1e-4)


def test_both_agree_with_clean_fid_called_directly() -> None:
    results, people = _features(5, SUBSET_SIZE), _features(6, SUBSET_SIZE, shift=0.5)
    moments = [(each.mean(0), np.cov(each, rowvar=False)) for each in (results.astype(float), people.astype(float))]
    direct = cleanfid.fid.frechet_distance(*moments[0], *moments[1])
    assert fid_clean(results, Reference(people))["fid_clean"] == pytest.approx(direct, rel=1e-4)
    # All images are in every subset, so that clean-fid's random choice, which has no seed, does not matter.
    direct = cleanfid.fid.kernel_distance(results, people, num_subsets=2, max_subset_size=SUBSET_SIZE)
    ours = kid_clean(results, Reference(people))
    assert ours["kid_clean"] == pytest.approx(direct, rel=1e-4)
    assert np.isnan(ours["kid_clean_std"])


class _Small(torch.nn.Module):
    """A feature extractor with random weights, as torchmetrics takes one: bytes in, (N, 6) out."""

    num_features = 6

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(7)
        self.convolution = torch.nn.Conv2d(3, 6, 5, stride=3)

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        return torch.relu(self.convolution(batch.float() / 255)).mean((2, 3)) * 10


def test_images_through_a_shared_extractor_agree_with_torchmetrics_and_both_others() -> None:
    random = np.random.default_rng(8)
    people = random.integers(0, 255, (40, 24, 18, 3), np.uint8)
    results = (people * 0.7 + random.integers(0, 60, people.shape)).astype(np.uint8)
    network = _Small().eval()
    extract = FeatureExtractor(network, lambda batch: torch.from_numpy(batch).permute(0, 3, 1, 2), "cpu", "small")
    ours, reference = extract(results), Reference(extract(people))
    distance = FrechetInceptionDistance(feature=network, normalize=False)
    kernel = KernelInceptionDistance(feature=network, subsets=2, subset_size=40, normalize=False)
    for metric in (distance, kernel):
        metric.update(torch.from_numpy(people).permute(0, 3, 1, 2), real=True)
        metric.update(torch.from_numpy(results).permute(0, 3, 1, 2), real=False)
    found = float(distance.compute())
    assert fid(ours, reference)["fid"] == pytest.approx(found, rel=1e-4)
    assert fid_clean(ours, reference)["fid_clean"] == pytest.approx(found, rel=1e-4)
    assert kid(ours, reference)["kid"] == pytest.approx(float(kernel.compute()[0]), rel=1e-4)


def test_warnings_of_small_sets_begin_where_they_should() -> None:
    assert {name: metric.recommended_samples for name, metric in METRICS.items() if metric.extract} == {
        "fid": 2048,
        "fid_clean": 2048,
        "kid": 1000,
        "kid_clean": 1000,
    }


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


def test_features_come_from_the_file_and_fid_and_kid_share_them(
    network: FeatureExtractorInceptionV3, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "inception.pth"
    torch.save(network.state_dict(), path)
    monkeypatch.setattr(DOWNLOAD, _no_download)
    made = METRICS["fid"].extract, METRICS["kid"].extract
    assert made[0] is not None
    assert made[1] is not None
    extract = made[0](path, "cpu")
    assert extract is made[1](path, "cpu")
    images = np.random.default_rng(5).integers(0, 255, (2, 40, 30, 3), np.uint8)
    direct = network(torch.from_numpy(images).permute(0, 3, 1, 2))[0].numpy()
    np.testing.assert_allclose(extract(images), direct, rtol=1e-3, atol=1e-6)


class _Layers(torch.nn.Module):
    """Stands for clean-fid's network: it has `layers` that take -1 to 1 at 299x299."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(9)
        self.layers = torch.nn.Sequential(
            torch.nn.Conv2d(3, 2048, 13, stride=13), torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten()
        )

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        return self.layers(batch)


def test_clean_features_are_those_of_clean_fid(tmp_path: Path) -> None:
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
    assert clean_resized(images).shape == (2, 3, 299, 299)


class _Trap:
    """Would create a folder if it were unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (str(self.mark),)


@pytest.mark.parametrize(
    ("load", "name"), [(load_features, "torch-fidelity"), (load_clean_features, "clean-fid")], ids=["plain", "clean"]
)
def test_code_in_the_file_never_runs(load: Callable[[Path], FeatureExtractor], name: str, tmp_path: Path) -> None:
    mark, path = tmp_path / "ran", tmp_path / CLEAN_FILE
    torch.save({"fc.bias": _Trap(mark)}, path)
    with pytest.raises(WeightsError, match=f"{name}'s Inception"):
        load(path)
    assert not mark.exists()


def test_another_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / CLEAN_FILE
    torch.save({"nothing": torch.zeros(1)}, path)
    with pytest.raises(WeightsError, match="torch-fidelity's Inception"):
        load_features(path)
    path.write_bytes(b"no network")
    with pytest.raises(WeightsError, match="clean-fid's Inception"):
        load_clean_features(path)


def test_reference_features_are_made_once_and_kept_by_content(tmp_path: Path) -> None:
    seen: list[int] = []

    def network(batch: torch.Tensor) -> torch.Tensor:
        seen.append(len(batch))
        return batch.float().mean((1, 2))

    def features(images: NDArray[np.uint8], identity: str = "a network") -> Features:
        extract = FeatureExtractor(network, torch.from_numpy, "cpu", identity)
        batches = (images[start : start + 2] for start in range(0, len(images), 2))
        return reference_features(extract, [str(own.sum()) for own in images], batches, tmp_path)

    images = np.random.default_rng(1).integers(0, 255, (3, 4, 4, 3), np.uint8)
    first = features(images)
    np.testing.assert_allclose(first, images.mean((1, 2)), rtol=1e-6)
    assert seen == [2, 1]
    np.testing.assert_array_equal(features(images), first)
    assert seen == [2, 1]
    features(images, "another network")
    features(images[::-1].copy())
    assert seen == [2, 1] * 3
    for file in tmp_path.glob("*.npy"):
        file.write_bytes(file.read_bytes()[:-1] + b"?")
    np.testing.assert_array_equal(features(images), first)
    assert seen == [2, 1] * 4
