"""Draw feet and shoes seen from the front."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal

import numpy as np

from tryon.dresscode.labels import DensePart, Label
from tryon.synthetic.figure.body import ANKLE, Body
from tryon.synthetic.figure.camera import Camera
from tryon.synthetic.figure.densepose_uv import foot_uv
from tryon.synthetic.figure.drawing import Color, Drawing, Frame, ellipse, mirror, scale_color, smooth
from tryon.synthetic.figure.pose import LEFT, Side
from tryon.synthetic.figure.surfaces import build_tube
from tryon.synthetic.paint.curves import Array, cached_linspace
from tryon.synthetic.paint.layers import Layer, cylinder_shade

ShoeKind = Literal["sneaker", "flat", "heel", "boot"]

_LENGTHS: dict[ShoeKind, float] = {"sneaker": 0.06, "flat": 0.056, "heel": 0.068, "boot": 0.062}
"""Ankle to toe in body heights, the unit of the drawings; x points to the inner side, y from ankle to toes."""

_FRAME = Frame(-0.55, -0.5, 0.55, 1.15, 110, 110)
_SHAFT = 0.13  # body heights from the ankle up


@dataclass(frozen=True)
class Shoe:
    """A pair of shoes: kind and RGB."""

    kind: ShoeKind
    color: Color


def foot_layers(body: Body, camera: Camera, side: Side, shoe: Shoe, skin: Color, depth: int) -> list[Layer]:
    """Return the layers of foot and shoe; the DensePose foot has the shape of the shoe.

    `depth` is that of the shoe; bare skin (labelled as leg) and shaft are painted just under it.
    """
    name = "LEFT" if side == LEFT else "RIGHT"
    ankle, toe = body.leg_point(side, ANKLE - 0.002), body.toe_point(side)
    down = (toe - ankle) / np.hypot(*(toe - ankle))
    inner = side * np.array([-down[1], down[0]])
    size = _LENGTHS[shoe.kind]

    def to_image(plane: Array) -> Array:
        return camera(ankle + size * (plane[..., :1] * inner + plane[..., 1:] * down))

    dense = int(DensePart[f"{name}_FOOT"])
    drawing_of_shoe = _draw_shoe(shoe)
    layers = []
    parts = [(drawing_of_shoe, Label[f"{name}_SHOE"], depth)]
    if shoe.kind in ("flat", "heel"):
        parts.append((_draw_bare_foot(skin), Label[f"{name}_LEG"], depth - 1))
    for drawing, label, level in parts:
        layer, plane = drawing.to_layer(level, label, to_image, (5, 5), shadow=0.25)
        ids = np.full(plane.shape[:2], dense, np.uint8)
        layers.append(replace(layer, dense=ids, uv=foot_uv(plane)))
    if shoe.kind == "boot":
        layers.append(_shaft(body, camera, side, shoe, Label[f"{name}_SHOE"], depth - 1))
    return layers


def _shaft(body: Body, camera: Camera, side: Side, shoe: Shoe, label: int, depth: int) -> Layer:
    heights = cached_linspace(ANKLE - _SHAFT, ANKLE, 16)
    tube = build_tube(camera(body.leg_point(side, heights)), (body.leg_half_width(heights) + 0.001) * camera.scale)
    cut = np.minimum(tube.distance, tube.along[:, None])  # a straight upper edge
    shade = cylinder_shade(tube.across, tube.columns, 0.4) * (1 - 0.25 * (tube.along < 0.008 * camera.scale)[:, None])
    return Layer(depth, tube.points, label, shade, shoe.color, distance=cut, shadow=0.1)


@lru_cache(maxsize=16)
def _draw_bare_foot(skin: Color) -> Drawing:
    foot = Drawing.blank(_FRAME, skin)
    foot.set_opacity(smooth([(-0.24, -0.35), (0.24, -0.35), (0.25, 0.1), (0.32, 0.5), (0.2, 0.8), (-0.2, 0.8), (-0.32, 0.5), (-0.25, 0.1)]))  # fmt: skip # noqa: E501
    foot.multiply_light(_round_light())
    y = cached_linspace(_FRAME.top, _FRAME.bottom, len(foot.opacity))[:, None]
    foot.opacity = (foot.opacity * np.clip((y + 0.4) / 0.35, 0, 1)).astype(np.uint8)  # fade into the leg
    return foot


def _round_light() -> np.ndarray:
    """Return the light (9, 9, 3) of a round surface, darker at both sides and the back."""
    x, y = np.meshgrid(cached_linspace(-1, 1, 9), cached_linspace(-1, 1, 9))
    light = 1.0 - 0.3 * x**2 - 0.03 * (1 - y)
    return np.repeat(light[..., None], 3, axis=2).astype(np.float32)


_UPPER = [(-0.27, -0.22), (0.27, -0.22), (0.3, 0.1), (0.4, 0.5), (0.34, 0.85), (0.12, 1.0), (-0.14, 0.99), (-0.36, 0.82), (-0.4, 0.5), (-0.3, 0.1)]  # fmt: skip # noqa: E501
_BOOT = [(-0.33, -0.42), (0.33, -0.42), (0.36, 0.1), *_UPPER[3:9], (-0.36, 0.1)]
_SOLE = [(-0.34, 0.2), (0.34, 0.2), (0.44, 0.5), (0.39, 0.92), (0.14, 1.1), (-0.16, 1.09), (-0.41, 0.88), (-0.44, 0.5)]
_POINTED = [(-0.24, -0.2), (0.24, -0.2), (0.27, 0.1), (0.34, 0.45), (0.26, 0.8), (0.05, 1.1), (-0.05, 1.1), (-0.26, 0.8), (-0.34, 0.45), (-0.27, 0.1)]  # fmt: skip # noqa: E501


@lru_cache(maxsize=16)
def _draw_shoe(shoe: Shoe) -> Drawing:
    drawing = Drawing.blank(_FRAME, shoe.color)
    if shoe.kind in ("flat", "heel"):
        outline = smooth(_POINTED if shoe.kind == "heel" else _UPPER)
        drawing.set_opacity(outline)
        drawing.multiply_light(_round_light())
        opening = smooth([(-0.17, -0.45), (0.17, -0.45), (0.2, 0.1), (0.22, 0.42), (0.1, 0.62), (-0.1, 0.62), (-0.22, 0.42), (-0.2, 0.1)])  # fmt: skip # noqa: E501
        drawing.stroke([*opening, opening[0]], 0.06, scale_color(shoe.color, 0.75))
        drawing.set_opacity(opening, 0)
        return drawing
    sole: Color = (240, 238, 232) if shoe.kind == "sneaker" else scale_color(shoe.color, 0.55)
    upper = smooth(_BOOT if shoe.kind == "boot" else _UPPER)
    drawing.set_opacity(smooth(_SOLE))
    drawing.set_opacity(upper)
    drawing.multiply_light(_round_light())
    light = drawing.colors.copy()
    drawing.colors[:] = sole
    inside = np.zeros_like(drawing.opacity)
    scratch = Drawing(_FRAME, light, inside)
    scratch.set_opacity(upper)
    np.copyto(drawing.colors, light, where=inside[..., None] > 127)
    if shoe.kind == "sneaker":
        drawing.fill(ellipse(0, 0.8, 0.24, 0.15), scale_color(shoe.color, 0.93))
        drawing.stroke([*upper, upper[0]], 0.025, scale_color(shoe.color, 0.72))
        lace: Color = (238, 236, 230) if sum(shoe.color) < 600 else (120, 118, 116)
        for y in (0.06, 0.2, 0.34, 0.48):
            for side in (-1, 1):
                drawing.stroke(mirror([(-0.15, y), (0.15, y + 0.07)], side), 0.035, lace)
    return drawing
