"""The layers of the body itself: trunk, neck, limbs, and with them feet, hands, head and what is carried."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from tryon.dresscode.labels import DensePart, Label
from tryon.dresscode.layout import HEIGHT
from tryon.synthetic.figure.accessories import accessory_layers, carrying_hand
from tryon.synthetic.figure.appearance import Appearance
from tryon.synthetic.figure.body import ANKLE, ARMPIT, CROTCH, HIP_JOINT, KNEE, SHOULDER, Body
from tryon.synthetic.figure.camera import Camera
from tryon.synthetic.figure.densepose_uv import arm_uv, hand_uv, leg_uv, neck_uv, trunk_uv
from tryon.synthetic.figure.drawing import Color
from tryon.synthetic.figure.feet import foot_layers
from tryon.synthetic.figure.hair import hair_layers
from tryon.synthetic.figure.hands import hand_layer, hand_shape
from tryon.synthetic.figure.head import head_layer
from tryon.synthetic.figure.pose import LEFT, SIDES, Side
from tryon.synthetic.figure.surfaces import Tube, build_tube, trunk_points
from tryon.synthetic.paint.curves import Array, cached_linspace, round_corners, smoothstep
from tryon.synthetic.paint.layers import Layer, cylinder_shade, tube_shade

DEPTH_BACK_HAIR, DEPTH_ARM_BEHIND, DEPTH_LEG, DEPTH_SHOE, DEPTH_TRUNK, DEPTH_NECK = 10, 20, 30, 34, 40, 42
DEPTH_SHOULDER = 44
"""The top of the arm: over the trunk, under what is worn on it."""

DEPTH_ARM, DEPTH_ARM_OVER, DEPTH_HEAD, DEPTH_FRONT_HAIR = 60, 64, 70, 72


_LOWEST_HAIR, _HIGHEST_SHOE = 2.2, 0.78
"""Bounds of what need not be drawn out of the frame: in units of the head, and a height on the body."""


def arm_depths(body: Body) -> dict[Side, int]:
    """Depth of each arm: behind the trunk, in front of everything but the head, or over the other arm."""
    return {side: _arm_depth(body, side) for side in SIDES}


def _arm_depth(body: Body, side: Side) -> int:
    pose = body.pose
    kind = pose.arms[SIDES.index(side)].kind
    if kind == "behind" or (side == pose.occluded_side and kind in ("side", "out")):
        return DEPTH_ARM_BEHIND
    return DEPTH_ARM_OVER if kind == "crossed" and side == pose.front_arm else DEPTH_ARM


def skin_layers(body: Body, look: Appearance, camera: Camera, sleeved: bool) -> list[Layer]:
    """All layers of a figure but its clothes, in no particular order.

    Args:
        body: the geometry.
        look: the colors, and what is carried.
        camera: where the body stands in the image.
        sleeved: sleeves hide the upper part of the arms, so that it is not drawn over the clothes.
    """
    depths = arm_depths(body)
    layers = [_trunk(body, look, camera), _neck(body, look, camera)]
    if camera(body.head_point(0, _LOWEST_HAIR))[1] > 0:
        layers.append(head_layer(body, look, camera, DEPTH_HEAD))
        layers += hair_layers(body, look, camera, (DEPTH_BACK_HAIR, DEPTH_FRONT_HAIR))
    layers += accessory_layers(look.accessories, body, camera, depths)
    for side in SIDES:
        layers += [
            *_arm(body, look, camera, side, sleeved, depths[side]),
            _hand(body, look, camera, side, depths[side]),
            _leg(body, look, camera, side),
        ]
        if camera(body.leg_point(side, _HIGHEST_SHOE))[1] < HEIGHT:
            layers += foot_layers(body, camera, side, look.shoe, look.skin, DEPTH_SHOE + _front(side))
    return layers


def _front(side: Side) -> int:
    """Added to depths of the left leg: it is in front where legs cross, as one half of trousers is."""
    return 2 if side == LEFT else 0


_NECK_PART = 0.7
"""Part of the trunk's half-width whose skin counts as head; necklines are narrower, armholes lie outside."""

_SHOULDER_PARTS = {False: 0.075, True: 0.26}
"""Part of the arm line that lies under a garment, without and with sleeves. Not where an arm lies
over the other: there it must cover the other's hand whatever is worn."""

_ARMPIT_PART = 0.06
"""How much earlier a bare arm begins over the garment on its inner side: a garment's corner lies under the armpit."""

_CORNER = 0.006
"""Radius of the corners of the shoulders, in body heights."""

_FADE = 20.0
"""Pixels over which the rest of the arm begins over it: no edge of skin on skin."""


def _ids(side: Side, part: str) -> int:
    return DensePart[f"{'LEFT' if side == LEFT else 'RIGHT'}_{part}"]


def _label(side: Side, part: str) -> int:
    return Label[f"{'LEFT' if side == LEFT else 'RIGHT'}_{part}"]


def _trunk(body: Body, look: Appearance, camera: Camera) -> Layer:
    """Shoulders to crotch. In the label map its skin is head around the neck and arm towards the shoulders."""
    heights = np.concatenate([cached_linspace(SHOULDER - 0.016, 0.21, 18), cached_linspace(0.222, CROTCH + 0.016, 22)])
    columns = cached_linspace(-1.25, 1.25, 15)
    widths = body.half_width(heights)
    points = trunk_points(body, heights, columns, widths)
    rim = (1 - np.abs(columns)) * widths[:, None]
    bottom = CROTCH - 0.036 * np.maximum(np.abs(columns) - 0.12, 0)
    ends = np.minimum(heights[:, None] - SHOULDER, bottom - heights[:, None])
    flat = smoothstep(heights, SHOULDER, 0.26)[:, None]
    shade = cylinder_shade(body.across(heights), columns, 0.55) * flat + 0.97 * (1 - flat)
    dense = np.full(points.shape[:2], DensePart.TORSO_FRONT, np.uint8)
    arms = np.where(columns < 0, Label.RIGHT_ARM, Label.LEFT_ARM)
    labels = np.where(np.abs(columns) < _NECK_PART, Label.HEAD, arms).astype(np.uint8)
    return Layer(
        DEPTH_TRUNK, camera(points), np.tile(labels, (len(heights), 1)), shade * _collar_bones(heights, columns),
        look.skin, distance=_rounded(rim, ends) * camera.scale, dense=dense, uv=trunk_uv(heights, columns),
    )  # fmt: skip


def _rounded(rim: Array, ends: Array) -> Array:
    """Distance from the edge of a sheet with round corners, of the distances from its sides and its ends."""
    inwards = np.hypot(*(np.maximum(_CORNER - distance, 0) for distance in (rim, ends)))
    return np.where(inwards > 0, _CORNER - inwards, np.minimum(rim, ends))


def _collar_bones(heights: Array, columns: Array) -> Array:
    """Faint light on the collar bones, shade under them and between the breasts: factors (R, C)."""
    h, t = heights[:, None], np.abs(columns)
    bone = SHOULDER + 0.028 - 0.014 * t
    along = smoothstep(t, 0.04, 0.14) * (1 - smoothstep(t, 0.35, 0.65))
    light = 0.04 * np.exp(-(((h - bone) / 0.005) ** 2)) - 0.06 * np.exp(-(((h - bone - 0.009) / 0.006) ** 2))
    hollow = 0.07 * np.exp(-((t / 0.1) ** 2) - ((h - SHOULDER - 0.026) / 0.007) ** 2)
    cleft = 0.1 * np.exp(-((t / 0.12) ** 2)) * smoothstep(h, ARMPIT - 0.02, ARMPIT + 0.02)
    return 1 + along * light - hollow - cleft


def _tube_layer(
    made: Tube,
    depth: int,
    label: int,
    color: Color,
    dense: NDArray[np.uint8],
    uv: Array,
    shadow: float,
    softness: float = 0.5,
) -> Layer:
    if made.facing is None:
        shade = cylinder_shade(made.across, made.columns, softness)
    else:
        shade = tube_shade(made.facing, softness)
    return Layer(depth, made.points, label, shade, color, distance=made.distance, dense=dense, uv=uv, shadow=shadow)


_NECK_END = 0.94
"""Part of the neck's line that is neck; below lies the trunk."""


def _neck(body: Body, look: Appearance, camera: Camera) -> Layer:
    width = body.build.head * 0.62
    foot = body.center(SHOULDER + 0.017)
    line = camera(round_corners(np.stack([body.head_point(0, 0.8), body.head_point(0, 1.02), foot]), (0.01,), 12))
    flare = 0.5 * smoothstep(cached_linspace(0, 1, 12), 0.6, 1)  # into the shoulders
    made = build_tube(line, width * (cached_linspace(1, 1.1, 12) + flare) * camera.scale)
    length = np.hypot(*np.diff(line, axis=0).T).sum()
    run = made.along / length
    uv = neck_uv(made.columns, run / _NECK_END)
    layer = _tube_layer(made, DEPTH_NECK, Label.HEAD, look.skin, _head_ids(made.columns), uv, 0.0)
    shaded = smoothstep(run, 0.4, 0.8)[:, None]  # the chin's shadow ends where neck and shoulders are one
    chin = 1 - 0.16 * (1 - smoothstep(run, 0.2, 0.6))[:, None]
    cut = np.minimum(made.distance, ((_NECK_END - run) * length)[:, None])
    return replace(layer, shade=0.94 * chin * layer.shade * (1 - shaded) + 0.97 * shaded, distance=cut)


def _head_ids(columns: Array) -> NDArray[np.uint8]:
    return np.where(columns < 0, DensePart.HEAD_RIGHT, DensePart.HEAD_LEFT).astype(np.uint8)


def _arm(body: Body, look: Appearance, camera: Camera, side: Side, sleeved: bool, depth: int) -> list[Layer]:
    """The arm in two layers: a shirt lies over the shoulder but behind the rest of the arm."""
    whole_line = camera(body.arm_line(side))
    elbow, wrist = body.elbow_and_wrist(side)
    length = (len(whole_line) - 1) * float(np.hypot(*(whole_line[1] - whole_line[0])))
    line = whole_line[: round(wrist * (len(whole_line) - 1)) + 1]
    inner = _towards_neck(body, camera, side, line)
    line = np.concatenate([inner, line[_DELTOID:]])
    shoulder = len(inner) - _DELTOID
    steps = np.maximum(np.arange(len(line)) - shoulder, 0) / (len(whole_line) - 1)
    made = build_tube(line, body.arm_half_width(steps) * camera.scale)
    run = (made.along / float(np.hypot(*(line[1] - line[0]))) - shoulder) / (len(whole_line) - 1)
    along = run[:, None]
    outer = made.columns * side >= 0
    upper = np.where(outer, _ids(side, "UPPER_ARM_OUTER"), _ids(side, "UPPER_ARM_INNER"))
    lower = np.where(outer, _ids(side, "LOWER_ARM_OUTER"), _ids(side, "LOWER_ARM_INNER"))
    dense = np.where(along < elbow, upper, lower).astype(np.uint8)
    uv = arm_uv(run, made.columns, elbow, wrist)
    whole = _tube_layer(made, depth, _label(side, "ARM"), look.skin, dense, uv, 0.14)
    softened = smoothstep(along, -0.02, 0.16)  # no edge where shoulder and arm are one
    whole = replace(whole, shade=whole.shade * softened + 0.97 * (1 - softened))
    if depth < DEPTH_SHOULDER:
        return [whole]
    covered = sleeved and depth < DEPTH_ARM_OVER
    armpit = 0.0 if covered else _ARMPIT_PART * np.clip(-made.columns * side, 0, 1)
    run_on = (along - _SHOULDER_PARTS[covered] + armpit) * length
    below = np.minimum(made.distance, np.where(run_on < _FADE, run_on / _FADE, np.inf))
    upper_rows = int(np.searchsorted(run, 0.42))
    return [
        replace(_first_rows(whole, upper_rows), depth=DEPTH_SHOULDER, shadow=0.0),
        replace(whole, distance=below),
    ]


_DELTOID = 7
"""Points of the arm's line replaced by the rounding between shoulder line and arm."""

_SLOPE = (0.68, 0.016)
"""Where on the shoulder line, in half-widths of the trunk, an arm begins, and the radius of its turn downwards."""


def _towards_neck(body: Body, camera: Camera, side: Side, line: Array) -> Array:
    """The arm's middle line (N, 2) from under the slope of the shoulder to `line[_DELTOID]`, which is left out.

    So the outline from neck to arm is one line, whatever the arm does.
    """
    step = float(np.hypot(*(line[1] - line[0])))
    start = camera(body.shoulder_line_point(side, _SLOPE[0]))
    corners = np.stack([start, line[0], line[_DELTOID]])
    count = max(round(float(np.hypot(*np.diff(corners, axis=0).T).sum()) / step), 6)
    return round_corners(corners, (_SLOPE[1] * camera.scale,), count + 1)[:-1]


def _first_rows(layer: Layer, rows: int) -> Layer:
    """The part of a tube's layer whose lower end is hidden."""
    assert layer.distance is not None
    assert layer.dense is not None
    assert layer.uv is not None
    return replace(
        layer, points=layer.points[:rows], shade=layer.shade[:rows], distance=layer.distance[:rows],
        dense=layer.dense[:rows], uv=layer.uv[:rows],
    )  # fmt: skip


def _hand(body: Body, look: Appearance, camera: Camera, side: Side, depth: int) -> Layer:
    shape = hand_shape(body, side, carrying_hand(look.accessories, body) == side)
    layer, plane = hand_layer(body, camera, side, look.skin, depth, _label(side, "ARM"), shape)
    dense = np.full(plane.shape[:2], _ids(side, "HAND"), np.uint8)
    return replace(layer, dense=dense, uv=hand_uv(plane))


_LEG_ROWS = 40
_LEG_END = ANKLE - 0.008
"""The leg's round end lies inside the shoe."""


def _leg(body: Body, look: Appearance, camera: Camera, side: Side) -> Layer:
    heights = cached_linspace(HIP_JOINT, _LEG_END, _LEG_ROWS)
    made = build_tube(camera(body.leg_point(side, heights)), body.leg_half_width(heights) * camera.scale)
    step = (_LEG_END - HIP_JOINT) / (_LEG_ROWS - 1)
    first = np.flatnonzero(made.along >= 0)[0]
    at = HIP_JOINT + (np.arange(len(made.along)) - first) * step
    ids = np.where(at < KNEE, _ids(side, "UPPER_LEG_FRONT"), _ids(side, "LOWER_LEG_FRONT"))
    dense = np.repeat(ids[:, None], made.columns.shape[1], axis=1).astype(np.uint8)
    uv = leg_uv(at, made.columns, side)
    layer = _tube_layer(made, DEPTH_LEG + _front(side), _label(side, "LEG"), look.skin, dense, uv, 0.12)
    knee = 0.06 * np.exp(-(((at[:, None] - KNEE - 0.012) / 0.008) ** 2) - (made.columns / 0.6) ** 2)
    return replace(layer, shade=layer.shade * (1 - knee))
