from __future__ import annotations

import cv2
import numpy as np
import pytest

from tryon.synthetic.fabrics.tiles import Tile, lay_tiles

WHITE, BLACK, RED = (255, 255, 255), (0, 0, 0), (255, 0, 0)


def area(tile: Tile) -> float:
    return float((255 - tile.image[..., 0].astype(float)).sum() / 255)


@pytest.mark.parametrize("center", [(50, 40), (0, 40), (50, 0), (0, 0), (99, 79), (-30, 200)])
def test_what_leaves_a_tile_on_one_side_comes_in_on_the_other(center):
    tile = Tile(100, 80, WHITE)
    tile.disc(np.array(center), 20, BLACK)
    assert area(tile) == pytest.approx(np.pi * 20**2, rel=0.08)
    ring = Tile(100, 80, WHITE)
    ring.line(np.array([(-10.0, 0), (10.0, 0)]) + center, 8, BLACK)
    assert area(ring) == pytest.approx(20 * 8 + np.pi * 4**2, rel=0.25)


def dotted() -> Tile:
    tile = Tile(97, 97, WHITE)
    tile.disc(np.array([20, 30]), 12, RED)
    return tile


@pytest.mark.parametrize("angle", [0.0, 90.0, 180.0, -90.0, 25.0, -45.0])
def test_tiles_are_turned_about_their_origin(angle):
    """Against the definition: the dots lie where turning their places says."""
    origin = np.array([310.0, 500.0])
    image = lay_tiles(dotted().image, angle, (310, 500))
    turn = np.deg2rad(angle)
    along, down = np.array([np.cos(turn), np.sin(turn)]), np.array([-np.sin(turn), np.cos(turn)])
    for column in range(-3, 4):
        for row in range(-4, 4):
            x, y = np.round(origin + along * (20 + 97 * column) + down * (30 + 97 * row)).astype(int)
            if 0 <= x < 768 and 0 <= y < 1024:
                assert image[y, x].tolist() == [255, 0, 0]


@pytest.mark.parametrize("angle", [0.0, 17.0, 45.0, 60.0])
def test_tiles_leave_no_gap_and_no_seam(angle):
    image = lay_tiles(dotted().image, angle, (1.5, -700.3))
    share = (255 - image[..., 1].astype(float)).mean() / 255
    assert share == pytest.approx(np.pi * 12**2 / 97**2, rel=0.2)
    count = cv2.connectedComponents((image[..., 1] < 128).astype(np.uint8))[0] - 1
    assert count == pytest.approx(1024 * 768 / 97**2, rel=0.2)
    assert image[..., 0].min() == 255  # never the black of the border
