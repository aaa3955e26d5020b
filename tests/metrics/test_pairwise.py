"""Metrics that compare a picture with its own truth: identity, hand values, regions, agreement with torchmetrics."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torchmetrics.functional.image import peak_signal_noise_ratio, structural_similarity_index_measure

from tryon.metrics import METRICS, PICTURE
from tryon.metrics.l1 import l1
from tryon.metrics.psnr import CEILING, psnr
from tryon.metrics.ssim import similarity_map, ssim

Pictures = NDArray[np.uint8]
LOCAL = {"l1": l1, "psnr": psnr, "ssim": ssim}
BEST = {"l1": 0.0, "psnr": CEILING, "ssim": 1.0}


def _tensor(pictures: Pictures) -> torch.Tensor:
    return torch.from_numpy(pictures).permute(0, 3, 1, 2).double() / 255


def _flat(level: int) -> Pictures:
    return np.full((1, 16, 12, 3), level, np.uint8)


@pytest.mark.parametrize("name", LOCAL)
def test_equal_pictures_get_the_best_value(name: str, pictures: Pictures) -> None:
    np.testing.assert_allclose(LOCAL[name](pictures, pictures)[PICTURE], BEST[name], atol=1e-6)


@pytest.mark.parametrize("name", LOCAL)
def test_a_worse_picture_scores_worse(name: str, pictures: Pictures, changed: Pictures) -> None:
    steps = np.diff(LOCAL[name](changed, pictures)[PICTURE])
    assert (steps > 0).all() if METRICS[name].better == "lower" else (steps < 0).all()


@pytest.mark.parametrize("name", LOCAL)
def test_a_region_of_everything_is_the_picture(name: str, pictures: Pictures, changed: Pictures) -> None:
    everything = np.ones(pictures.shape[:3], bool)
    rows = LOCAL[name](changed, pictures, {PICTURE: None, "all": everything})
    np.testing.assert_allclose(rows["all"], rows[PICTURE], rtol=1e-12)


@pytest.mark.parametrize("name", ["l1", "ssim"])
def test_a_region_and_the_rest_add_up_to_the_picture(name: str, pictures: Pictures, changed: Pictures) -> None:
    region = np.zeros(pictures.shape[:3], bool)
    region[:, 5:40, 7:30] = True
    rows = LOCAL[name](changed, pictures, {PICTURE: None, "in": region, "out": ~region})
    share = region.mean((1, 2))
    np.testing.assert_allclose(share * rows["in"] + (1 - share) * rows["out"], rows[PICTURE], rtol=1e-9)


@pytest.mark.parametrize("name", ["l1", "psnr"])
def test_a_region_sees_nothing_outside_it(name: str, pictures: Pictures) -> None:
    region = np.zeros(pictures.shape[:3], bool)
    region[:, :32] = True
    spoilt = np.where(region[..., None], pictures, 255 - pictures)
    np.testing.assert_allclose(LOCAL[name](spoilt, pictures, {"top": region})["top"], BEST[name])


@pytest.mark.parametrize("name", LOCAL)
def test_an_empty_region_is_not_a_number(name: str, pictures: Pictures, changed: Pictures) -> None:
    region = np.zeros(pictures.shape[:3], bool)
    region[1:] = True
    rows = LOCAL[name](changed, pictures, {"some": region})["some"]
    assert np.isnan(rows).tolist() == [True, False, False, False]
    assert METRICS[name].value(rows) == pytest.approx(rows[1:].mean())
    assert np.isnan(METRICS[name].value(rows[:1]))


def test_l1_by_hand() -> None:
    target = _flat(100)
    result = target.copy()
    result[0, 0, 0] = (151, 100, 49)  # two channels of one pixel off by 51 levels, that is 0.2
    assert l1(result, target)[PICTURE][0] == pytest.approx(2 * 0.2 / (16 * 12 * 3))
    corner = np.zeros((1, 16, 12), bool)
    corner[0, :2, 0] = True
    assert l1(result, target, {"corner": corner})["corner"][0] == pytest.approx(2 * 0.2 / (2 * 3))


def test_psnr_by_hand() -> None:
    assert psnr(_flat(51), _flat(0))[PICTURE][0] == pytest.approx(-20 * np.log10(0.2))


def test_ssim_of_flat_pictures_by_hand() -> None:
    """Without structure only the luminance term is left: (2ab + c) / (a² + b² + c) with c = 0.01²."""
    a, b, c = 0.2, 0.6, 1e-4
    assert ssim(_flat(51), _flat(153))[PICTURE][0] == pytest.approx((2 * a * b + c) / (a * a + b * b + c), abs=2e-3)


def test_agreement_with_torchmetrics(pictures: Pictures, changed: Pictures) -> None:
    ours, theirs = _tensor(changed), _tensor(pictures)
    similarity = structural_similarity_index_measure(ours, theirs, data_range=1.0, reduction="none")
    ratio = peak_signal_noise_ratio(ours, theirs, data_range=1.0, reduction="none", dim=(1, 2, 3))
    assert isinstance(similarity, torch.Tensor)
    np.testing.assert_allclose(ssim(changed, pictures)[PICTURE], similarity, rtol=1e-4)
    np.testing.assert_allclose(psnr(changed, pictures)[PICTURE], ratio, rtol=1e-6)
    np.testing.assert_allclose(l1(changed, pictures)[PICTURE], (ours - theirs).abs().mean((1, 2, 3)), rtol=1e-9)


def test_the_similarity_map_is_local(pictures: Pictures) -> None:
    spoilt = pictures.copy()
    spoilt[:, :10] = 255 - spoilt[:, :10]
    local = similarity_map(spoilt, pictures)
    assert local.shape == pictures.shape[:3]
    np.testing.assert_allclose(local[:, 16:], 1, atol=1e-5)  # the window reaches five pixels
    assert (local[:, :10].mean((1, 2)) < 0.9).all()


@pytest.mark.parametrize("name", LOCAL)
def test_pictures_of_two_sizes_are_never_compared(name: str, pictures: Pictures) -> None:
    with pytest.raises(AssertionError):
        LOCAL[name](pictures[:, :32], pictures)
