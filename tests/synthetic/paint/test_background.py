from __future__ import annotations

import numpy as np
import pytest

from tryon.categories import LEVELS, Level
from tryon.synthetic.paint.background import paint_background
from tryon.synthetic.paint.background_scenes import SCENES

COUNT = 24


def backgrounds(level: Level, floor: float | None = 900.0, count: int = COUNT) -> list[np.ndarray]:
    return [paint_background(np.random.default_rng((3, number)), floor, level) for number in range(count)]


@pytest.mark.parametrize("level", LEVELS)
def test_backgrounds_fill_the_image_and_are_never_flat(level: Level):
    for image in backgrounds(level):
        assert image.shape == (1024, 768, 3)
        assert image.dtype == np.uint8
        gray = image.astype(float).mean(-1)
        assert gray.std() > 1
        assert np.array([block.std() for block in gray.reshape(16, 64, 768)]).min() > 0.4


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("floor", [None, 0.0, 10.0, 870.3, 1016.0, 1020.0, 1023.9, 1024.0, 1400.0])
def test_accepts_any_floor_row(level: Level, floor: float | None):
    for image in backgrounds(level, floor, 10):
        assert image.std() > 0.5


@pytest.mark.parametrize("level", LEVELS)
def test_backgrounds_repeat_with_the_seed(level: Level):
    for first, second in zip(backgrounds(level, count=6), backgrounds(level, count=6), strict=True):
        assert np.array_equal(first, second)


def test_catalogue_studios_are_light_and_nearly_gray():
    for image in backgrounds("catalogue"):
        color = image.astype(float).mean((0, 1))
        assert 180 < color.mean() <= 252
        assert np.ptp(color) < 20
        assert image.min() > 150


def test_studios_have_no_seam_between_wall_and_floor():
    for image in backgrounds("catalogue", 800.0):
        rows = image.astype(float).mean((1, 2))
        assert np.abs(np.diff(rows)).max() < 1.5


def test_wild_scenes_vary_more_than_studios():
    def spread(level: Level) -> tuple[float, float]:
        images = np.stack([image[::8, ::8].astype(float) for image in backgrounds(level)])
        return float(images.mean((1, 2)).std(0).mean()), float(images.std((1, 2)).mean())

    (between, within), (between_studios, within_studios) = spread("wild"), spread("catalogue")
    assert between > 2 * between_studios
    assert within > 2 * within_studios


@pytest.mark.parametrize("scene", [scene for scene, _ in SCENES] + [floor for _, floors in SCENES for floor in floors])
def test_scenes_have_the_requested_size_and_valid_colors(scene):
    for number in range(6):
        for size in ((256, 192), (3, 192), (1, 192)):
            painted = scene(np.random.default_rng(number), size)
            assert painted.shape == (*size, 3)
            assert painted.dtype == np.float32
            assert painted.min() > -60
            assert painted.max() < 420
            assert 20 < painted.mean() < 262
