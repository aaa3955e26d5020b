"""Mask operations and limb shapes agree with their definitions."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tryon.agnostic.masks.body import UNKNOWN
from tryon.agnostic.masks.limb_shapes import fill_disc, fill_end, fill_hull, fill_limbs
from tryon.agnostic.masks.regions import (
    apply_mask,
    apply_mask_rule,
    bounding_window,
    dilate,
    half_plane,
    invert,
    label_set,
    labels_in,
    median_filter,
    remove_isolated_pixels,
    subsample,
    subtract,
    upsample,
)
from tryon.dresscode.readers import resize_labels


def empty(height=60, width=50):
    return np.zeros((height, width), np.uint8)


@given(st.integers(0, 2**32 - 1), st.sets(st.integers(0, 255)))
def test_labels_in_is_membership(seed, ids):
    labels = np.random.default_rng(seed).integers(0, 256, (7, 9)).astype(np.uint8)
    region = labels_in(labels, label_set(ids))
    assert (region == np.isin(labels, list(ids))).all()
    assert (invert(region) == ~region.astype(bool)).all()
    even = (labels % 2 == 0).view(np.uint8)
    assert (subtract(region, even) == (region & ~even)).all()


def test_median_filter_removes_specks_and_keeps_edges():
    region = empty()
    region[10:30, 10:30] = 1
    expected = region.copy()
    region[[3, 20, 50], [40, 20, 5]] ^= 1
    smooth = median_filter(region)
    assert (smooth != expected).sum() == 4  # the square's corners
    assert median_filter(region[:1, :1]).shape == (1, 1)


@given(st.integers(0, 2**32 - 1))
def test_remove_isolated_pixels_counts_neighbors(seed):
    region = (np.random.default_rng(seed).random((9, 8)) < 0.3).astype(np.uint8)
    result = remove_isolated_pixels(region)
    for y in range(1, 8):
        for x in range(1, 7):
            around = region[y - 1 : y + 2, x - 1 : x + 2].sum() - region[y, x]
            assert result[y, x] == (region[y, x] and around >= 2)
    line = empty()
    line[5, 3:20] = 1
    assert remove_isolated_pixels(line).sum() == 15  # all but its ends


@pytest.mark.parametrize(("radius", "side"), [(0.2, 3), (1, 3), (2.4, 5), (2.6, 7)])
def test_dilated_point_is_a_square(radius, side):
    region = empty()
    region[30, 25] = 1
    grown = dilate(region, radius)
    half = side // 2
    assert grown.sum() == side**2
    assert grown[30 - half : 30 + half + 1, 25 - half : 25 + half + 1].all()


def test_half_plane_follows_the_line_and_steep_lines_give_a_level():
    sloping = half_plane((60, 50), 10 + 20j, 30 + 30j)
    rows, columns = np.mgrid[:60, :50]
    assert (sloping == (rows >= 20 + 0.5 * (columns - 10))).all()
    steep = half_plane((60, 50), 10 + 20j, 12 + 40j)
    assert (steep == (rows >= 30)).all()
    assert not half_plane((60, 50), complex(np.nan, 1), 3 + 1j).any()


@given(st.floats(5, 45), st.floats(5, 55), st.floats(1, 12))
def test_disc_and_hull_of_one_disc(x, y, radius):
    rows, columns = np.mgrid[:60, :50]
    distance = np.hypot(rows - y, columns - x)
    for fill in (lambda region: fill_hull(region, [complex(x, y)], [radius]),
                 lambda region: fill_disc(region, complex(x, y), radius)):  # fmt: skip
        region = empty()
        fill(region)
        assert region[distance < 0.95 * radius - 0.5].all()
        assert not region[distance > radius + 1].any()


def test_unknown_centers_draw_nothing_and_far_ones_do_not_raise():
    region = empty()
    fill_hull(region, [complex(np.nan, 3), 4 + 4j], [5, 5])
    fill_end(region, 4 + 4j, 4 + 4j, 3)
    fill_end(region, 4 + 4j, complex(np.nan, 4), 3)
    fill_disc(region, complex(4, np.nan), 5)
    fill_disc(region, 1e12 + 4j, 5)
    assert not region.any()
    fill_hull(region, [-1e12 + 30j, 1e12 + 30j], [1, 1])
    assert region[30].all()


def test_limb_skips_unknown_points():
    complete, gap = empty(), empty()
    points = [10 + 10j, 25 + 30j, 40 + 50j]
    fill_limbs(complete, [points], 6)
    points[1] = UNKNOWN
    fill_limbs(gap, [points], 6)
    assert complete[30, 25] == gap[30, 25] == 1
    assert (complete == gap).mean() > 0.98


@given(st.lists(st.complex_numbers(max_magnitude=60, allow_nan=False), min_size=6, max_size=6), st.integers(3, 15))
def test_limbs_have_their_width_around_the_lines(points, width):
    region = empty()
    fill_limbs(region, [points[:3], points[3:]], width)
    rows, columns = np.mgrid[:60, :50]
    pixels = columns + 1j * rows
    bones = [*pairwise(points[:3]), *pairwise(points[3:])]
    distance = np.min([distance_to(pixels, *bone) for bone in bones], axis=0)
    assert region[distance < width / 2 - 1].all()
    assert not region[distance > width / 2 + 1.5].any()


def distance_to(pixels, start, end):
    run = end - start
    fraction = np.clip(((pixels - start) * np.conj(run)).real / max(abs(run) ** 2, 1e-9), 0, 1)
    return np.abs(pixels - start - fraction * run)


def test_limbs_with_fewer_than_two_known_points_are_skipped():
    region = empty()
    fill_limbs(region, [[10 + 10j, UNKNOWN, UNKNOWN], [UNKNOWN] * 3], 6)
    assert not region.any()
    fill_limbs(region, [[-1e12 + 30j, 1e12 + 30j]], 3)
    assert region[30].all()


@given(st.integers(0, 2**32 - 1), st.sampled_from([1, 2, 4]))
def test_upsample_repeats_pixels_and_subsample_reverses_it(seed, step):
    region = np.random.default_rng(seed).integers(0, 2, (7, 9)).astype(np.uint8)
    large = upsample(region, step)
    assert large.dtype == np.uint8
    assert (large == np.kron(region, np.ones((step, step)))).all()
    assert (subsample(large, step) == region).all()


def test_subsample_takes_the_same_pixels_at_either_size():
    file = np.arange(8 * 12, dtype=np.uint8).reshape(8, 12)
    at_half = resize_labels(file, (4, 6))
    assert (subsample(file, 4) == subsample(at_half, 2)).all()
    assert subsample(file, 4).tolist() == [[13, 17, 21], [61, 65, 69]]


def test_limb_end_is_beyond_its_joint():
    region = empty()
    fill_end(region, 25 + 30j, 25 + 10j, 6)
    rows = np.flatnonzero(region.any(1))
    assert abs(rows.min() - 30) <= 1
    assert abs(rows.max() - 42) <= 1


@given(st.integers(0, 2**32 - 1))
def test_garment_overrides_protected_and_protected_overrides_coverage(seed):
    coverage, protected, garment = np.random.default_rng(seed).integers(0, 2, (3, 5, 5)).astype(np.uint8)
    mask = np.zeros((7, 8), np.uint8)
    mask[1, 1] = mask[0, 0] = 1
    expected = np.where(garment, 1, np.where(protected, 0, coverage | mask[1:6, 1:6]))
    apply_mask_rule(mask[1:6, 1:6], coverage, protected, garment)
    assert (mask[1:6, 1:6] == expected).all()
    assert mask.sum() == 1 + expected.sum()


def test_bounding_window():
    region = empty()
    region[10:20, 30:33] = 1
    slices, corner = bounding_window(region)
    assert region[slices].shape == (10, 3)
    assert region[slices].all()
    assert corner == 30 + 10j
    wider = bounding_window(region, 25)
    assert wider.corner == 5 + 0j
    assert region[wider.slices].shape == (45, 45)
    even = bounding_window(region, 3, 4)
    assert even.slices == (slice(4, 24), slice(24, 36))
    assert even.reduced(4).slices == (slice(1, 6), slice(6, 9))
    assert even.reduced(4).corner == 6 + 1j


def test_apply_mask_blackens_a_copy():
    photo = np.full((4, 4, 3), 200, np.uint8)
    mask = np.eye(4, dtype=bool)
    image = apply_mask(photo, mask)
    assert (image[mask] == 0).all()
    assert (image[~mask] == 200).all()
    assert (photo == 200).all()
