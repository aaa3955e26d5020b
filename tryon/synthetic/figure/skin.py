"""The layers of the body itself: trunk, neck, limbs, feet, head and hair."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from tryon.dresscode.labels import DensePart, Label
from tryon.synthetic.figure.body import ANKLE, CROTCH, HIP_JOINT, KNEE, SHOULDER, Body
from tryon.synthetic.figure.camera import Camera
from tryon.synthetic.figure.limbs import Tube, tube
from tryon.synthetic.figure.look import FACE, Colour, Look, front_hair_texture, head_texture
from tryon.synthetic.figure.pose import LEFT, SIDES, Side
from tryon.synthetic.figure.trunk import trunk_points
from tryon.synthetic.paint.curves import Array, profile, rounded_line, smoothstep
from tryon.synthetic.paint.layers import Layer, cylinder_shade

DEPTH_BACK_HAIR, DEPTH_ARM_BEHIND, DEPTH_LEG, DEPTH_SHOE, DEPTH_TRUNK, DEPTH_NECK = 10, 20, 30, 34, 40, 42
DEPTH_SHOULDER = 44
"""The top of the arm: over the trunk, under what is worn on it."""

DEPTH_ARM, DEPTH_HEAD, DEPTH_FRONT_HAIR = 60, 70, 72


def arm_depths(body: Body) -> dict[Side, int]:
    """Depth of each arm: behind the trunk or in front of everything but the head."""
    return {
        side: DEPTH_ARM_BEHIND if arm.kind == "behind" else DEPTH_ARM
        for side, arm in zip(SIDES, body.pose.arms, strict=True)
    }


def skin_layers(body: Body, look: Look, camera: Camera, sleeved: bool) -> list[Layer]:
    """All layers of a body, in no particular order.

    Args:
        body: the geometry.
        look: the colours.
        camera: where the body stands in the picture.
        sleeved: sleeves hide the upper part of the arms, so that it is not drawn over the clothes.
    """
    layers = [_trunk(body, look, camera), _neck(body, look, camera), *_head(body, look, camera)]
    for side in SIDES:
        layers += [
            *_arm(body, look, camera, side, sleeved),
            _leg(body, look, camera, side),
            _foot(body, look, camera, side),
        ]
    return layers


_NECK_PART = 0.7
"""Part of the trunk's half-width whose skin counts as head; necklines are narrower, armholes lie outside."""

_SHOULDER_PARTS = {False: 0.075, True: 0.26}
"""Part of the arm line that lies under a garment, without and with sleeves."""


def _ids(side: Side, part: str) -> int:
    return DensePart[f"{'LEFT' if side == LEFT else 'RIGHT'}_{part}"]


def _label(side: Side, part: str) -> int:
    return Label[f"{'LEFT' if side == LEFT else 'RIGHT'}_{part}"]


def _trunk(body: Body, look: Look, camera: Camera) -> Layer:
    """Shoulders to crotch. In the label map its skin is head around the neck and arm towards the shoulders."""
    heights = np.linspace(SHOULDER - 0.016, CROTCH + 0.016, 44)
    columns = np.linspace(-1.25, 1.25, 13)
    widths = body.half_width(heights)
    points = trunk_points(body, heights, columns, widths)
    rim = (1 - np.abs(columns)) * widths[:, None]
    bottom = CROTCH - 0.036 * np.clip(np.abs(columns) - 0.12, 0, None)
    ends = np.minimum(heights[:, None] - SHOULDER, bottom - heights[:, None])
    across = body.across(heights)
    flat = smoothstep(heights, SHOULDER, 0.26)[:, None]
    shade = cylinder_shade(across, columns, 0.55) * flat + 0.97 * (1 - flat)
    dense = np.full(points.shape[:2], DensePart.TORSO_FRONT, np.uint8)
    arms = np.where(columns < 0, Label.RIGHT_ARM, Label.LEFT_ARM)
    labels = np.where(np.abs(columns) < _NECK_PART, Label.HEAD, arms).astype(np.uint8)
    return Layer(
        DEPTH_TRUNK, camera(points), np.tile(labels, (len(heights), 1)), shade, look.skin,
        distance=np.minimum(rim, ends) * camera.scale, dense=dense,
    )  # fmt: skip


def _tube_layer(
    made: Tube,
    depth: int,
    label: int,
    colour: Colour,
    dense: NDArray[np.uint8] | None,
    shadow: float,
    softness: float = 0.5,
) -> Layer:
    shade = cylinder_shade(made.across, made.columns, softness)
    return Layer(depth, made.points, label, shade, colour, distance=made.distance, dense=dense, shadow=shadow)


def _neck(body: Body, look: Look, camera: Camera) -> Layer:
    width = body.build.head * 0.62
    foot = body.centre(SHOULDER - 0.002)
    line = camera(rounded_line(np.stack([body.on_head(0, 0.8), body.on_head(0, 1.02), foot]), (0.01,), 12))
    made = tube(line, np.linspace(width, width * 1.12, 12) * camera.scale)
    run = made.along[:, None] / np.hypot(*np.diff(line, axis=0).T).sum()
    dense = np.where(run < 0.8, _head_ids(made.columns), DensePart.TORSO_FRONT).astype(np.uint8)
    layer = _tube_layer(made, DEPTH_NECK, Label.HEAD, look.skin, dense, 0.0)
    shaded = smoothstep(run, 0.5, 1.2)  # the chin's shadow ends where neck and shoulders are one
    return replace(layer, shade=0.9 * layer.shade * (1 - shaded) + 0.97 * shaded)


def _head_ids(columns: Array) -> NDArray[np.uint8]:
    return np.where(columns < 0, DensePart.HEAD_RIGHT, DensePart.HEAD_LEFT).astype(np.uint8)


def _arm(body: Body, look: Look, camera: Camera, side: Side, sleeved: bool) -> list[Layer]:
    """The arm in two layers: a shirt lies over the shoulder but behind the rest of the arm."""
    line = body.arm_line(side)
    steps = np.linspace(0, 1, len(line))
    made = tube(camera(line), body.arm_half_width(steps) * camera.scale)
    length = len(line) * float(np.hypot(*(camera(line)[1] - camera(line)[0])))
    along = (made.along / length)[:, None]
    elbow, wrist = body.arm_places(side)
    outer = made.columns * side > -0.25
    upper = np.where(outer, _ids(side, "UPPER_ARM_OUTER"), _ids(side, "UPPER_ARM_INNER"))
    lower = np.where(outer, _ids(side, "LOWER_ARM_OUTER"), _ids(side, "LOWER_ARM_INNER"))
    dense = np.where(along < elbow, upper, np.where(along < wrist + 0.015, lower, _ids(side, "HAND")))
    depth = arm_depths(body)[side]
    whole = _tube_layer(made, depth, _label(side, "ARM"), look.skin, dense.astype(np.uint8), 0.14)
    softened = smoothstep(along, -0.02, 0.16)  # no edge where shoulder and arm are one
    whole = replace(whole, shade=whole.shade * softened + 0.97 * (1 - softened))
    if depth < DEPTH_SHOULDER:
        return [whole]
    below = np.minimum(made.distance, (along - _SHOULDER_PARTS[sleeved]) * length)
    return [replace(whole, depth=DEPTH_SHOULDER, shadow=0.0), replace(whole, distance=below)]


_LEG_END = ANKLE - 0.008
"""The leg's round end lies inside the shoe."""


def _leg(body: Body, look: Look, camera: Camera, side: Side) -> Layer:
    heights = np.linspace(HIP_JOINT, _LEG_END, 56)
    made = tube(camera(body.leg_point(side, heights)), body.leg_half_width(heights) * camera.scale)
    step = (_LEG_END - HIP_JOINT) / 55
    first = np.flatnonzero(made.along >= 0)[0]
    at = HIP_JOINT + (np.arange(len(made.along)) - first) * step
    ids = np.where(at < KNEE, _ids(side, "UPPER_LEG_FRONT"), _ids(side, "LOWER_LEG_FRONT"))
    dense = np.repeat(ids[:, None], made.columns.shape[1], axis=1).astype(np.uint8)
    return _tube_layer(made, DEPTH_LEG, _label(side, "LEG"), look.skin, dense, 0.12)


def _foot(body: Body, look: Look, camera: Camera, side: Side) -> Layer:
    """A shoe; the foot of DensePose has its shape."""
    ankle, toe = body.leg_point(side, ANKLE - 0.002), body.toe(side)
    line = np.linspace(ankle, toe, 12)
    widths = profile(np.linspace(0, 1, 12), [(0, 0.021), (0.3, 0.02), (0.75, 0.0245), (1, 0.019)])
    made = tube(camera(line), widths * camera.scale)
    dense = np.full(made.distance.shape, _ids(side, "FOOT"), np.uint8)
    return _tube_layer(made, DEPTH_SHOE, _label(side, "SHOE"), look.shoe, dense, 0.3, 0.4)


def _head(body: Body, look: Look, camera: Camera) -> list[Layer]:
    columns, rows = np.linspace(0, FACE.width, 9), np.linspace(0, FACE.height, 11)
    x = (columns - FACE.middle) / FACE.half_width
    y = (rows - FACE.crown) / (FACE.chin - FACE.crown)
    points = camera(np.array([[body.on_head(u, v) for u in x] for v in y]))
    coordinates = np.stack(np.meshgrid(columns, rows), axis=-1)
    across = np.tile((points[0, -1] - points[0, 0]) / np.hypot(*(points[0, -1] - points[0, 0])), (len(y), 1))
    shade = cylinder_shade(across, x * 0.9, 0.55)
    face = head_texture(look, 0.22 * body.pose.turn)
    dense = np.repeat(_head_ids(x)[None], len(y), axis=0)
    head = Layer(DEPTH_HEAD, points, Label.HEAD, shade, texture=face, coordinates=coordinates, dense=dense, shadow=0.2)
    front = Layer(
        DEPTH_FRONT_HAIR, points, Label.HAIR, shade, texture=front_hair_texture(look), coordinates=coordinates
    )
    return [head, front, _back_hair(body, look, camera)]


_HAIR_ENDS = {"long": 1.95, "bob": 1.12, "short": 0.62, "bun": 0.6}


def _back_hair(body: Body, look: Look, camera: Camera) -> Layer:
    end = _HAIR_ENDS[look.hair]
    line = rounded_line(np.stack([body.on_head(0, 0.22), body.on_head(0, 0.75), body.on_head(0, end)]), (0.02,), 24)
    run = np.linspace(0.22, end, 24)
    width = body.build.head * (1.06 + 0.3 * smoothstep(run, 0.6, 1.4) - 0.25 * smoothstep(run, 1.5, 2.0))
    made = tube(camera(line), width * camera.scale)
    layer = _tube_layer(made, DEPTH_BACK_HAIR, Label.HAIR, look.hair_colour, None, 0.15)
    return replace(layer, shade=layer.shade * (1 + 0.1 * np.sin(made.columns * 9)))  # strands
