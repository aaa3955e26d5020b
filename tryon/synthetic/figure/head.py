"""Draw the head: face and ears."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from tryon.dresscode.labels import DensePart, Label
from tryon.synthetic.figure.appearance import Appearance
from tryon.synthetic.figure.body import Body
from tryon.synthetic.figure.camera import Camera
from tryon.synthetic.figure.densepose_uv import head_uv
from tryon.synthetic.figure.drawing import Drawing, Frame, Points, ellipse, mirror, scale_color, smooth, to_color
from tryon.synthetic.paint.curves import Array, cached_linspace, stack_xy
from tryon.synthetic.paint.layers import Layer, cylinder_shade

_FRAME = Frame(-1.25, -0.06, 1.25, 1.06, 76, 256)
"""x: -1..1 across the face, y: 0 (crown) to 1 (chin)."""

_MAX_X = 2.0
"""Maximum distance of head and hair from the center line."""

_BELOW_EYES = 0.6


def head_to_image(body: Body, camera: Camera, plane: Array) -> Array:
    """Convert points (..., 2) in head units to pixels."""
    return camera(body.head_point(plane[..., 0], plane[..., 1]))


def shade_head(layer: Layer, plane: Array, softness: float = 0.6) -> Layer:
    """Shade a layer as a round head."""
    center = layer.points[0, -1] - layer.points[0, 0]
    across = np.tile(center / np.hypot(*center), (len(plane), 1))
    return replace(layer, shade=cylinder_shade(across, plane[..., 0] * 0.85, softness))


def head_layer(body: Body, look: Appearance, camera: Camera, depth: int) -> Layer:
    """Return the layer of face and ears with DensePose ids and UV."""
    drawing = _face(look, body.face_shift, visible_from(body, camera))
    layer, plane = drawing.to_layer(depth, Label.HEAD, lambda p: head_to_image(body, camera, p), (11, 13), shadow=0.22)
    dense = np.where(plane[..., 0] < 0, DensePart.HEAD_RIGHT, DensePart.HEAD_LEFT).astype(np.uint8)
    return replace(shade_head(layer, plane), dense=dense, uv=head_uv(plane[..., 0], plane[..., 1]))


def visible_from(body: Body, camera: Camera) -> float:
    """Return the height on the head (0 crown, 1 chin) of the image's upper edge; heads are usually cropped."""
    rows = camera(body.head_point(np.array([[-_MAX_X], [_MAX_X]]), np.array([0.0, 1.0])))[..., 1]
    return float((rows[:, 0] / (rows[:, 0] - rows[:, 1])).min())


def _face(look: Appearance, shift: float, top: float) -> Drawing:
    face = Drawing.blank(_FRAME, look.skin)
    for side in (-1, 1):
        ear = side * 0.97 + 0.25 * shift
        face.set_opacity(ellipse(ear, 0.58, 0.13, 0.085))
        face.stroke([(ear, 0.53), (ear + 0.06 * side, 0.57), (ear, 0.63)], 0.025, scale_color(look.skin, 0.8))
    face.set_opacity(_outline())
    face.multiply_light(_complexion(shift))
    _nose(face, look, shift * 1.3)
    _mouth(face, look, shift * 1.1)
    for side in (-1, 1):
        if top < _BELOW_EYES:
            _eye(face, look, shift, side)
    return face


def _outline() -> Points:
    """Return the outline of the head: half an ellipse for the skull, cheeks and a narrower chin."""
    angle = cached_linspace(0, 2 * np.pi, 96)
    x, y = np.cos(angle), np.sin(angle)
    reach = np.where(y > 0, 0.58, 0.42)
    x = np.where(y > 0, np.sign(x) * np.abs(x) ** 0.86, x)
    narrow = 1 - 0.12 * np.maximum(y, 0) ** 2
    return stack_xy(0.97 * x * narrow, 0.42 + reach * y)


def _complexion(shift: float) -> NDArray[np.float32]:
    """Return light and color of the skin, float32 (28, 20, 3): rosy cheeks, light forehead and nose, shaded jaw."""
    x, y = np.meshgrid(cached_linspace(_FRAME.left, _FRAME.right, 20), cached_linspace(_FRAME.top, _FRAME.bottom, 28))

    def spot(u: float, v: float, rx: float, ry: float) -> Array:
        return np.exp(-(((x - u) / rx) ** 2) - ((y - v) / ry) ** 2)

    light = 1 + 0.04 * spot(shift, 0.36, 0.5, 0.1) + 0.05 * spot(shift * 1.3, 0.64, 0.1, 0.08)
    light -= 0.08 * np.clip((y - 0.72) / 0.3, 0, 1) * np.abs(x) + 0.06 * spot(shift * 1.1, 0.9, 0.25, 0.03)
    light -= 0.08 * (spot(shift - 0.36, 0.51, 0.26, 0.045) + spot(shift + 0.36, 0.51, 0.26, 0.045))
    blush = spot(shift * 0.8 - 0.56, 0.69, 0.24, 0.08) + spot(shift * 0.8 + 0.56, 0.69, 0.24, 0.08)
    return np.stack([light, light - 0.09 * blush, light - 0.08 * blush], axis=-1).astype(np.float32)


def _eye(face: Drawing, look: Appearance, shift: float, side: int) -> None:
    center = shift + side * 0.36

    def at(points: Points) -> Points:
        return np.add(mirror(points, side), (center, 0))

    dark = scale_color(look.hair_color, 0.45)
    face.fill(at(smooth([(-0.2, 0.548), (-0.08, 0.516), (0.08, 0.512), (0.21, 0.536), (0.08, 0.566), (-0.08, 0.568)])), (248, 245, 242))  # fmt: skip # noqa: E501
    iris = center + 0.25 * shift
    face.fill(ellipse(iris, 0.541, 0.083, 0.0285), look.eyes)
    face.fill(ellipse(iris, 0.541, 0.038, 0.013), (18, 14, 14))
    face.fill(ellipse(iris - 0.03, 0.532, 0.018, 0.006), (255, 255, 255))
    face.stroke(at(smooth([(-0.2, 0.546), (-0.08, 0.515), (0.08, 0.51), (0.24, 0.528)], False)), 0.045, dark)
    brow = at(smooth([(-0.19, 0.459), (-0.02, 0.445), (0.14, 0.446), (0.27, 0.47)], False))
    hair, skin = np.array(look.hair_color), np.array(look.skin)
    face.stroke(brow, 0.05, to_color(np.minimum(0.8 * hair, 0.55 * skin)))


def _nose(face: Drawing, look: Appearance, x: float) -> None:
    shade = scale_color(look.skin, 0.84)
    face.stroke(smooth([(x - 0.13, 0.705), (x - 0.06, 0.728), (x, 0.722), (x + 0.06, 0.728), (x + 0.13, 0.705)], False), 0.03, shade)  # fmt: skip # noqa: E501
    face.stroke(
        smooth([(x + 0.09, 0.56), (x + 0.06, 0.63), (x + 0.11, 0.69)], False), 0.025, scale_color(look.skin, 0.92)
    )


def _mouth(face: Drawing, look: Appearance, x: float) -> None:
    upper = [(-0.28, 0.816), (-0.1, 0.801), (0, 0.808), (0.1, 0.801), (0.28, 0.816), (0, 0.832)]
    lower = [(-0.26, 0.819), (0, 0.829), (0.26, 0.819), (0.12, 0.858), (-0.12, 0.858)]
    face.fill(np.add(smooth(lower), (x, 0)), scale_color(look.lips, 1.08))
    face.fill(np.add(smooth(upper, rounds=2), (x, 0)), look.lips)
    face.stroke(
        [(x - 0.24, 0.818), (x - 0.08, 0.828), (x + 0.08, 0.828), (x + 0.24, 0.818)],
        0.025,
        scale_color(look.lips, 0.68),
    )
