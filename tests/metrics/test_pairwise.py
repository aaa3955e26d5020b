"""Pairwise metrics: identity, known values, regions, agreement with torchmetrics."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch.nn import functional as F
from torchmetrics.functional.image import (
    multiscale_structural_similarity_index_measure,
    peak_signal_noise_ratio,
    structural_similarity_index_measure,
)

from tryon.metrics import IMAGE, METRICS
from tryon.metrics.l1 import l1
from tryon.metrics.metric import mean
from tryon.metrics.ms_ssim import EXPONENTS, MIN_SIDE, ms_ssim
from tryon.metrics.psnr import MAX_DECIBEL, psnr
from tryon.metrics.similarity import PyramidLevel
from tryon.metrics.ssim import ssim

Images = NDArray[np.uint8]
PAIRWISE = {"l1": l1, "psnr": psnr, "ssim": ssim}
BEST = {"l1": 0.0, "psnr": MAX_DECIBEL, "ssim": 1.0}


def _tensor(images: Images) -> torch.Tensor:
    return torch.from_numpy(images).permute(0, 3, 1, 2).double() / 255


def _flat(level: int) -> Images:
    return np.full((1, 16, 12, 3), level, np.uint8)


@pytest.mark.parametrize("name", PAIRWISE)
def test_equal_images_have_the_best_score(name: str, images: Images) -> None:
    np.testing.assert_allclose(PAIRWISE[name](images, images)[IMAGE], BEST[name], atol=1e-6)


@pytest.mark.parametrize("name", PAIRWISE)
def test_scores_are_monotonic_in_noise(name: str, images: Images, changed: Images) -> None:
    steps = np.diff(PAIRWISE[name](changed, images)[IMAGE])
    assert (steps > 0).all() if METRICS[name].better == "lower" else (steps < 0).all()


@pytest.mark.parametrize("name", PAIRWISE)
def test_full_region_equals_the_image(name: str, images: Images, changed: Images) -> None:
    everything = np.ones(images.shape[:3], bool)
    rows = PAIRWISE[name](changed, images, {IMAGE: None, "all": everything})
    np.testing.assert_allclose(rows["all"], rows[IMAGE], rtol=1e-12)


@pytest.mark.parametrize("name", ["l1", "ssim"])
def test_region_and_complement_average_to_the_image(name: str, images: Images, changed: Images) -> None:
    region = np.zeros(images.shape[:3], bool)
    region[:, 5:40, 7:30] = True
    rows = PAIRWISE[name](changed, images, {IMAGE: None, "in": region, "out": ~region})
    fraction = region.mean((1, 2))
    np.testing.assert_allclose(fraction * rows["in"] + (1 - fraction) * rows["out"], rows[IMAGE], rtol=1e-9)


@pytest.mark.parametrize("name", ["l1", "psnr"])
def test_region_ignores_pixels_outside(name: str, images: Images) -> None:
    region = np.zeros(images.shape[:3], bool)
    region[:, :32] = True
    changed_outside = np.where(region[..., None], images, 255 - images)
    np.testing.assert_allclose(PAIRWISE[name](changed_outside, images, {"top": region})["top"], BEST[name])


@pytest.mark.parametrize("name", PAIRWISE)
def test_empty_region_is_nan(name: str, images: Images, changed: Images) -> None:
    region = np.zeros(images.shape[:3], bool)
    region[1:] = True
    rows = PAIRWISE[name](changed, images, {"some": region})["some"]
    assert np.isnan(rows).tolist() == [True, False, False, False]
    assert mean(rows) == pytest.approx(rows[1:].mean())
    assert np.isnan(mean(rows[:1]))


def test_l1_of_a_known_difference() -> None:
    target = _flat(100)
    result = target.copy()
    result[0, 0, 0] = (151, 100, 49)  # two channels of one pixel off by 51 levels, that is 0.2
    assert l1(result, target)[IMAGE][0] == pytest.approx(2 * 0.2 / (16 * 12 * 3))
    corner = np.zeros((1, 16, 12), bool)
    corner[0, :2, 0] = True
    assert l1(result, target, {"corner": corner})["corner"][0] == pytest.approx(2 * 0.2 / (2 * 3))


def test_psnr_of_a_known_difference() -> None:
    assert psnr(_flat(51), _flat(0))[IMAGE][0] == pytest.approx(-20 * np.log10(0.2))


def test_ssim_of_constant_images() -> None:
    """Only the luminance term remains: (2ab + c) / (a² + b² + c) with c = 0.01²."""
    a, b, c = 0.2, 0.6, 1e-4
    assert ssim(_flat(51), _flat(153))[IMAGE][0] == pytest.approx((2 * a * b + c) / (a * a + b * b + c), abs=2e-3)


def _resized(images: Images, height: int, width: int) -> Images:
    resized = F.interpolate(_tensor(images), (height, width), mode="bicubic").clamp(0, 1)
    return (resized.permute(0, 2, 3, 1).numpy() * 255).round().astype(np.uint8)


@pytest.mark.parametrize("size", [(64, 48), (63, 47), (200, 171), (6, 6)])
def test_matches_torchmetrics(images: Images, changed: Images, size: tuple[int, int]) -> None:
    result, target = (_resized(each, *size) for each in (changed, images))
    a, b = _tensor(result), _tensor(target)
    similarity = structural_similarity_index_measure(a, b, data_range=1.0, reduction="none")
    ratio = peak_signal_noise_ratio(a, b, data_range=1.0, reduction="none", dim=(1, 2, 3))
    assert isinstance(similarity, torch.Tensor)
    np.testing.assert_allclose(ssim(result, target)[IMAGE], similarity, rtol=1e-5)
    np.testing.assert_allclose(psnr(result, target)[IMAGE], ratio, rtol=1e-6)
    np.testing.assert_allclose(l1(result, target)[IMAGE], (a - b).abs().mean((1, 2, 3)), rtol=1e-6)


@pytest.mark.parametrize("size", [(200, 176), (199, 177)])
def test_ms_ssim_matches_torchmetrics(images: Images, changed: Images, size: tuple[int, int]) -> None:
    result, target = (_resized(each[1::2], *size) for each in (changed, images))
    expected = multiscale_structural_similarity_index_measure(
        _tensor(result), _tensor(target), data_range=1.0, reduction="none"
    )
    np.testing.assert_allclose(ms_ssim(result, target)[IMAGE], expected, rtol=1e-4)


def test_ssim_of_nearly_constant_images_is_precise() -> None:
    """Variances of nearly constant images are small differences of large numbers."""
    result, target = _flat(250), _flat(251)
    result[:, ::2] += 1
    expected = structural_similarity_index_measure(_tensor(result), _tensor(target), data_range=1.0)
    assert isinstance(expected, torch.Tensor)
    assert ssim(result, target)[IMAGE][0] == pytest.approx(float(expected), rel=1e-4)


def test_ms_ssim_of_the_full_region_equals_the_image(images: Images, changed: Images) -> None:
    result, target = (_resized(each, MIN_SIDE, MIN_SIDE + 1) for each in (changed, images))
    everything = np.ones(result.shape[:3], bool)
    rows = ms_ssim(result, target, {IMAGE: None, "all": everything, "none": ~everything})
    np.testing.assert_allclose(rows["all"], rows[IMAGE], rtol=1e-6)
    assert np.isnan(rows["none"]).all()


def test_ms_ssim_of_a_region_is_the_product_of_its_means(images: Images, changed: Images) -> None:
    """Recompute with torch: contrast from torchmetrics' formula, the region downsampled with the images."""
    result, target = (_resized(each[:1], 192, 176) for each in (changed, images))
    region = np.zeros((1, 192, 176), bool)
    region[:, 31:130, 47:101] = True
    a, b, fraction = _tensor(result), _tensor(target), torch.from_numpy(region)[:, None].double()
    expected = 1.0
    for number, exponent in enumerate(EXPONENTS):
        similarity, contrast = _maps(a, b)
        last = number == len(EXPONENTS) - 1
        inner = slice(None) if last else slice(5, -5)
        weight = fraction[0, 0, inner, inner]
        local = (similarity if last else contrast)[0].mean(0)[inner, inner]
        expected *= float((local * weight).sum() / weight.sum()) ** exponent
        a, b, fraction = (F.avg_pool2d(maps, 2) for maps in (a, b, fraction))
    assert ms_ssim(result, target, {"some": region})["some"][0] == pytest.approx(expected, rel=1e-5)


def _maps(result: torch.Tensor, target: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return similarity from torchmetrics, and contrast as similarity over the luminance term."""
    _, similarity = structural_similarity_index_measure(result, target, data_range=1.0, return_full_image=True)
    kernel = torch.exp(-((torch.arange(11) - 5.0) ** 2) / 4.5).double()
    window = (kernel[:, None] * kernel / kernel.sum() ** 2).expand(3, 1, 11, 11)
    a, b = (F.conv2d(F.pad(each, (5, 5, 5, 5), "reflect"), window, groups=3) for each in (result, target))
    return similarity, similarity * (a * a + b * b + 1e-4) / (2 * a * b + 1e-4)


def test_similarity_map_is_local(images: Images) -> None:
    changed = images[0].copy()
    changed[:10] = 255 - changed[:10]
    local = PyramidLevel.of(changed, images[0]).similarity
    assert local.shape == images.shape[1:3]
    np.testing.assert_allclose(local[16:], 1, atol=1e-5)  # the window reaches five pixels
    assert local[:10].mean() < 0.9


@pytest.mark.parametrize("name", PAIRWISE)
def test_asserts_equal_sizes(name: str, images: Images) -> None:
    with pytest.raises(AssertionError):
        PAIRWISE[name](images[:, :32], images)
