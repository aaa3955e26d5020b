from __future__ import annotations

import numpy as np
import pytest

from tryon.synthetic.figure.camera import Camera
from tryon.synthetic.figure.pose import SIDES
from tryon.synthetic.figure.surfaces import build_tube
from tryon.synthetic.paint.curves import cached_linspace
from tryon.synthetic.paint.layers import Canvas, Layer

pytestmark = pytest.mark.slow

WHOLE = Camera(900.0, 384.0, 60.0)
SIZE = (1024, 768)


def depth_in(line, half_widths):
    """Pixels (H, W) inside the discs around a line; below 0 outside all of them."""
    x, y = np.meshgrid(np.arange(SIZE[1]), np.arange(SIZE[0]))
    deepest = np.full(SIZE, -np.inf)
    for (across, down), half_width in zip(line, half_widths, strict=True):
        deepest = np.maximum(deepest, half_width - np.hypot(x - across, y - down))
    return deepest


def test_no_bend_tears_a_hole_into_an_arm_and_nothing_lies_beyond_it(bodies):
    """60 arms of wild poses, painted alone, are where the discs around their middle lines are."""
    for body in bodies("wild", 30):
        for side in SIDES:
            line = WHOLE(body.arm_line(side))[:50]
            half_widths = body.arm_half_width(cached_linspace(0, 1, 64)[:50]) * WHOLE.scale
            made = build_tube(line, half_widths)
            canvas = Canvas(np.full((*SIZE, 3), 255, np.uint8))
            canvas.paint(Layer(0, made.points, 1, np.ones(made.columns.shape), distance=made.distance))
            depth = depth_in(line, half_widths)
            painted = canvas.label_map > 0
            assert painted[depth > 3].all()
            assert not painted[depth < -3].any()


def test_a_straight_limb_is_lit_as_a_cylinder():
    made = build_tube(np.stack([np.full(20, 300.0), np.arange(20) * 5.0], axis=1), np.full(20, 20.0))
    assert made.facing is None


def test_the_light_of_a_bent_limb_changes_gradually_over_its_length():
    turn = np.deg2rad(np.concatenate([np.zeros(25), cached_linspace(0, 120, 14), np.full(25, 120.0)]))
    line = np.cumsum(5.0 * np.stack([np.sin(turn), np.cos(turn)], axis=1), axis=0) + 200
    made = build_tube(line, np.full(64, 22.0))
    assert made.facing is not None
    inside = np.hypot(*np.moveaxis(made.facing, -1, 0)) < 1
    steps = np.hypot(*np.moveaxis(np.diff(made.facing, axis=0), -1, 0))
    assert steps[inside[1:] & inside[:-1]].max() < 0.6
