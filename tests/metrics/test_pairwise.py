"""Metrics that compare a image with its own truth: identity, hand values, regions, agreement with torchmetrics."""

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
LOCAL = {"l1": l1, "psnr": psnr, "ssim": ssim}
BEST = {"l1": 0.0, "psnr": MAX_DECIBEL, "ssim": 1.0}


def _tensor(images: Images) -> torch.Tensor:
    return torch.from_numpy(images).permute(0, 3, 1, 2).double() / 255


def _flat(level: int) -> Images:
    return np.full((1, 16, 12, 3), level, np.uint8)


@pytest.mark.parametrize("name", LOCAL)
def test_equal_images_get_the_best_value(name: str, images: Images) -> None:
    np.testing.assert_allclose(LOCAL[name](images, images)[IMAGE], BEST[name], atol=1e-6)


@pytest.mark.parametrize("name", LOCAL)
def test_a_worse_image_scores_worse(name: str, images: Images, changed: Images) -> None:
    steps = np.diff(LOCAL[name](changed, images)[IMAGE])
    assert (steps > 0).all() if METRICS[name].better == "lower" else (steps < 0).all()


@pytest.mark.parametrize("name", LOCAL)
def test_a_region_of_everything_is_the_image(name: str, images: Images, changed: Images) -> None:
    everything = np.ones(images.shape[:3], bool)
    rows = LOCAL[name](changed, images, {IMAGE: None, "all": everything})
    np.testing.assert_allclose(rows["all"], rows[IMAGE], rtol=1e-12)


@pytest.mark.parametrize("name", ["l1", "ssim"])
def test_a_region_and_the_rest_add_up_to_the_image(name: str, images: Images, changed: Images) -> None:
    region = np.zeros(images.shape[:3], bool)
    region[:, 5:40, 7:30] = True
    rows = LOCAL[name](changed, images, {IMAGE: None, "in": region, "out": ~region})
    share = region.mean((1, 2))
    np.testing.assert_allclose(share * rows["in"] + (1 - share) * rows["out"], rows[IMAGE], rtol=1e-9)


@pytest.mark.parametrize("name", ["l1", "psnr"])
def test_a_region_sees_nothing_outside_it(name: str, images: Images) -> None:
    region = np.zeros(images.shape[:3], bool)
    region[:, :32] = True
    spoilt = np.where(region[..., None], images, 255 - images)
    np.testing.assert_allclose(LOCAL[name](spoilt, images, {"top": region})["top"], BEST[name])


@pytest.mark.parametrize("name", LOCAL)
def test_an_empty_region_is_not_a_number(name: str, images: Images, changed: Images) -> None:
    region = np.zeros(images.shape[:3], bool)
    region[1:] = True
    rows = LOCAL[name](changed, images, {"some": region})["some"]
    assert np.isnan(rows).tolist() == [True, False, False, False]
    assert mean(rows) == pytest.approx(rows[1:].mean())
    assert np.isnan(mean(rows[:1]))


def test_l1_by_hand() -> None:
    target = _flat(100)
    result = target.copy()
    result[0, 0, 0] = (151, 100, 49)  # two channels of one pixel off by 51 levels, that is 0.2
    assert l1(result, target)[IMAGE][0] == pytest.approx(2 * 0.2 / (16 * 12 * 3))
    corner = np.zeros((1, 16, 12), bool)
    corner[0, :2, 0] = True
    assert l1(result, target, {"corner": corner})["corner"][0] == pytest.approx(2 * 0.2 / (2 * 3))


def test_psnr_by_hand() -> None:
    assert psnr(_flat(51), _flat(0))[IMAGE][0] == pytest.approx(-20 * np.log10(0.2))


def test_ssim_of_flat_images_by_hand() -> None:
    """Without structure only the luminance term is left: (2ab + c) / (a² + b² + c) with c = 0.01²."""
    a, b, c = 0.2, 0.6, 1e-4
    assert ssim(_flat(51), _flat(153))[IMAGE][0] == pytest.approx((2 * a * b + c) / (a * a + b * b + c), abs=2e-3)


def _enlarged(images: Images, height: int, width: int) -> Images:
    grown = F.interpolate(_tensor(images), (height, width), mode="bicubic").clamp(0, 1)
    return (grown.permute(0, 2, 3, 1).numpy() * 255).round().astype(np.uint8)


@pytest.mark.parametrize("size", [(64, 48), (63, 47), (200, 171), (6, 6)])
def test_agreement_with_torchmetrics(images: Images, changed: Images, size: tuple[int, int]) -> None:
    result, target = (_enlarged(each, *size) for each in (changed, images))
    ours, theirs = _tensor(result), _tensor(target)
    similarity = structural_similarity_index_measure(ours, theirs, data_range=1.0, reduction="none")
    ratio = peak_signal_noise_ratio(ours, theirs, data_range=1.0, reduction="none", dim=(1, 2, 3))
    assert isinstance(similarity, torch.Tensor)
    np.testing.assert_allclose(ssim(result, target)[IMAGE], similarity, rtol=1e-5)
    np.testing.assert_allclose(psnr(result, target)[IMAGE], ratio, rtol=1e-6)
    np.testing.assert_allclose(l1(result, target)[IMAGE], (ours - theirs).abs().mean((1, 2, 3)), rtol=1e-6)


@pytest.mark.parametrize("size", [(200, 176), (199, 177)])
def test_agreement_with_torchmetrics_at_five_scales(images: Images, changed: Images, size: tuple[int, int]) -> None:
    result, target = (_enlarged(each[1::2], *size) for each in (changed, images))
    theirs = multiscale_structural_similarity_index_measure(
        _tensor(result), _tensor(target), data_range=1.0, reduction="none"
    )
    np.testing.assert_allclose(ms_ssim(result, target)[IMAGE], theirs, rtol=1e-4)


def test_flat_images_lose_no_digits() -> None:
    """Where nothing varies, variances are small differences of large numbers."""
    result, target = _flat(250), _flat(251)
    result[:, ::2] += 1
    theirs = structural_similarity_index_measure(_tensor(result), _tensor(target), data_range=1.0)
    assert isinstance(theirs, torch.Tensor)
    assert ssim(result, target)[IMAGE][0] == pytest.approx(float(theirs), rel=1e-4)


def test_a_region_of_everything_is_the_image_at_five_scales(images: Images, changed: Images) -> None:
    result, target = (_enlarged(each, MIN_SIDE, MIN_SIDE + 1) for each in (changed, images))
    everything = np.ones(result.shape[:3], bool)
    rows = ms_ssim(result, target, {IMAGE: None, "all": everything, "none": ~everything})
    np.testing.assert_allclose(rows["all"], rows[IMAGE], rtol=1e-6)
    assert np.isnan(rows["none"]).all()


def test_a_region_at_five_scales_is_the_product_of_its_means(images: Images, changed: Images) -> None:
    """Once more with torch: contrast from torchmetrics' formula, the region averaged down with the images."""
    result, target = (_enlarged(each[:1], 192, 176) for each in (changed, images))
    region = np.zeros((1, 192, 176), bool)
    region[:, 31:130, 47:101] = True
    one, other, share = _tensor(result), _tensor(target), torch.from_numpy(region)[:, None].double()
    expected = 1.0
    for number, exponent in enumerate(EXPONENTS):
        similarity, contrast = _maps(one, other)
        last = number == len(EXPONENTS) - 1
        inner = slice(None) if last else slice(5, -5)
        weight = share[0, 0, inner, inner]
        local = (similarity if last else contrast)[0].mean(0)[inner, inner]
        expected *= float((local * weight).sum() / weight.sum()) ** exponent
        one, other, share = (F.avg_pool2d(each, 2) for each in (one, other, share))
    assert ms_ssim(result, target, {"some": region})["some"][0] == pytest.approx(expected, rel=1e-5)


def _maps(one: torch.Tensor, other: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Similarity from torchmetrics, contrast as it over the luminance of blurred images."""
    _, similarity = structural_similarity_index_measure(one, other, data_range=1.0, return_full_image=True)
    kernel = torch.exp(-((torch.arange(11) - 5.0) ** 2) / 4.5).double()
    window = (kernel[:, None] * kernel / kernel.sum() ** 2).expand(3, 1, 11, 11)
    a, b = (F.conv2d(F.pad(each, (5, 5, 5, 5), "reflect"), window, groups=3) for each in (one, other))
    return similarity, similarity * (a * a + b * b + 1e-4) / (2 * a * b + 1e-4)


def test_the_similarity_map_is_local(images: Images) -> None:
    spoilt = images[0].copy()
    spoilt[:10] = 255 - spoilt[:10]
    local = PyramidLevel.of(spoilt, images[0]).similarity
    assert local.shape == images.shape[1:3]
    np.testing.assert_allclose(local[16:], 1, atol=1e-5)  # the window reaches five pixels
    assert local[:10].mean() < 0.9


@pytest.mark.parametrize("name", LOCAL)
def test_images_of_two_sizes_are_never_compared(name: str, images: Images) -> None:
    with pytest.raises(AssertionError):
        LOCAL[name](images[:, :32], images)
