"""Draw hands in fixed shapes and attach them to the arms."""

from __future__ import annotations

from functools import lru_cache
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from tryon.synthetic.figure.body import Body
from tryon.synthetic.figure.camera import Camera
from tryon.synthetic.figure.drawing import Color, Drawing, Frame, Points, smooth
from tryon.synthetic.figure.pose import SIDES, ArmKind, Side
from tryon.synthetic.paint.curves import Array
from tryon.synthetic.paint.layers import Layer

Shape = Literal["relaxed", "flat", "fist"]

_LENGTH = 0.093
"""Wrist to finger tips in body heights, the unit of the drawings; x points to the thumb, y to the fingers."""

_FRAME = Frame(-0.42, -0.12, 0.42, 1.12, 130, 130)
_LIT_GRAY = 200
"""Gray value of fully lit skin."""

_PALM = ((-0.125, -0.12), (0.125, -0.12), (0.135, 0.05), (0.19, 0.24), (0.17, 0.5), (-0.18, 0.5), (-0.18, 0.22), (-0.135, 0.05))  # fmt: skip # noqa: E501

_FINGERS: dict[Shape, tuple[tuple[Points, float, float], ...]] = {
    "relaxed": (
        (((-0.125, 0.42), (-0.15, 0.62), (-0.11, 0.75)), 0.1, 0.84),
        (((-0.05, 0.42), (-0.065, 0.7), (-0.02, 0.86)), 0.11, 0.89),
        (((0.03, 0.42), (0.025, 0.74), (0.06, 0.92)), 0.115, 0.94),
        (((0.11, 0.4), (0.125, 0.66), (0.115, 0.84)), 0.115, 0.99),
        (((0.1, 0.14), (0.21, 0.32), (0.2, 0.54)), 0.115, 1.02),
    ),
    "flat": (
        (((-0.135, 0.42), (-0.2, 0.64), (-0.235, 0.77)), 0.1, 0.9),
        (((-0.045, 0.42), (-0.08, 0.74), (-0.095, 0.93)), 0.11, 0.94),
        (((0.045, 0.42), (0.05, 0.76), (0.06, 0.98)), 0.115, 0.97),
        (((0.13, 0.42), (0.17, 0.68), (0.215, 0.87)), 0.11, 1.0),
    ),
    "fist": (
        (((-0.135, 0.42), (-0.14, 0.58), (-0.12, 0.62)), 0.105, 0.86),
        (((-0.045, 0.43), (-0.045, 0.63), (-0.03, 0.66)), 0.11, 0.91),
        (((0.045, 0.43), (0.05, 0.65), (0.06, 0.67)), 0.115, 0.95),
        (((0.13, 0.42), (0.14, 0.61), (0.13, 0.64)), 0.115, 0.99),
        (((0.13, 0.14), (0.19, 0.34), (0.08, 0.5)), 0.115, 1.03),
    ),
}
"""Fingers by shape, from little finger to thumb: center line, width, light."""

HAND_SHAPES: dict[ArmKind, Shape] = {
    "side": "relaxed", "out": "relaxed", "bent": "relaxed", "hip": "flat", "crossed": "flat", "behind": "relaxed",
}  # fmt: skip
"""Shape of an empty hand by arm pose."""


def _gray(light: float) -> Color:
    value = round(_LIT_GRAY * light)
    return value, value, value


@lru_cache(maxsize=8)
def _draw_hand(shape: Shape) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Return light (h, w), `_LIT_GRAY` where fully lit, and opacity (h, w)."""
    hand = Drawing.blank(_FRAME, _gray(1))
    hand.set_opacity(smooth(_PALM, rounds=2))
    for line, width, light in _FINGERS[shape]:
        curve = smooth(line, closed=False, rounds=2)
        hand.stroke(curve, width, None)
        hand.stroke(curve, width + 0.024, _gray(0.74))
        hand.stroke(curve, width - 0.008, _gray(light))
    light = np.asarray(cv2.GaussianBlur(hand.colors[..., 0], (0, 0), 1.0), np.uint8)
    y = np.linspace(_FRAME.top, _FRAME.bottom, light.shape[0])[:, None]
    fading = np.clip((y + 0.09) / 0.14, 0, 1)  # fade into the arm
    return light, (hand.opacity * fading).astype(np.uint8)


def hand_layer(
    body: Body, camera: Camera, side: Side, skin: Color, depth: int, label: int, shape: Shape
) -> tuple[Layer, Array]:
    """Return the layer of a hand, without DensePose ids, and its mesh points (R, C, 2) in the drawing plane."""
    light, opacity = _draw_hand(shape)
    colors = cv2.merge([cv2.convertScaleAbs(light, alpha=channel / _LIT_GRAY) for channel in skin])
    drawing = Drawing(_FRAME, colors, opacity)  # pyright: ignore[reportArgumentType]
    wrist = body.arm_joints(side)["WRIST"]
    down = body.hand_direction(side)
    thumb = side * np.array([-down[1], down[0]])
    resting = body.pose.arms[SIDES.index(side)].kind == "hip"
    size = _LENGTH * (0.86 if resting else 1.0) * (0.6 + 0.4 * body.build.arm / 0.0265)

    def to_image(plane: Array) -> Array:
        return camera(wrist + size * (plane[..., :1] * thumb + plane[..., 1:] * down))

    return drawing.to_layer(depth, label, to_image, (4, 4), shadow=0.12)


def hand_shape(body: Body, side: Side, carries: bool) -> Shape:
    """Choose the shape of a hand; under a crossed arm it is a fist, so that no fingers show beyond that arm."""
    kind = body.pose.arms[SIDES.index(side)].kind
    return "fist" if carries or (kind == "crossed" and side != body.pose.front_arm) else HAND_SHAPES[kind]
