from __future__ import annotations

import numpy as np
import pytest

from tryon.synthetic.garments.cloth_mesh import SewnDetail
from tryon.synthetic.garments.garment import Belt
from tryon.synthetic.garments.stitching import draw_details, fill_outline

CLOTH = (200, 120, 80)
LINE = np.array([[10.0, 40], [90, 40]])


@pytest.fixture
def texture() -> np.ndarray:
    return np.full((80, 100, 4), (*CLOTH, 255), np.uint8)


@pytest.mark.parametrize("kind", ["seam", "stitch", "edge"])
def test_thread_is_darker_than_the_cloth_and_stays_on_its_line(texture, kind):
    draw_details(texture, [SewnDetail(kind, LINE)], CLOTH, None)
    assert (texture[40, 50, :3] < np.array(CLOTH) * 0.8).all()
    assert (texture[[30, 50], 50, :3] == CLOTH).all()


def test_buttons_stand_out_from_light_and_dark_cloth():
    for cloth in ((240, 235, 230), (30, 30, 40)):
        texture = np.full((80, 100, 4), (*cloth, 255), np.uint8)
        draw_details(texture, [SewnDetail("buttons", np.array([[30.0, 40], [70, 40]]))], cloth, None)
        for x in (26, 66):
            assert np.abs(texture[40, x, :3].astype(int) - cloth).max() > 80


def test_a_buckle_has_the_color_of_its_metal(texture):
    draw_details(texture, [SewnDetail("buckle", LINE)], CLOTH, Belt(0.02, CLOTH, (10, 220, 230)))
    assert (texture[40, 50, :3] == (10, 220, 230)).all()


def test_an_outline_is_filled_and_nothing_else():
    image = np.zeros((40, 40), np.uint8)
    fill_outline(image, np.array([[10.0, 10], [30, 10], [30, 30], [10, 30]]), 255)
    assert image[12:28, 12:28].min() == 255
    assert image[:8].max() == image[33:].max() == 0
