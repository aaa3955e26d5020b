"""Build the layers of a person without clothes."""

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
"""Depth of the upper arm's start: over the trunk, under the clothes."""

DEPTH_ARM, DEPTH_ARM_OVER, DEPTH_HEAD, DEPTH_FRONT_HAIR = 60, 64, 70, 72


_HAIR_BOTTOM, _SHOE_TOP = 2.2, 0.78
"""Bounds of hair (in head units) and shoes (in body heights), to skip them outside the frame."""


def arm_depths(body: Body) -> dict[Side, int]:
    """Return the depth of each arm: behind the trunk, in front of it, or over the other arm."""
    return {side: _arm_depth(body, side) for side in SIDES}


def _arm_depth(body: Body, side: Side) -> int:
    pose = body.pose
    kind = pose.arms[SIDES.index(side)].kind
    if kind == "behind" or (side == pose.occluded_side and kind in ("side", "out")):
        return DEPTH_ARM_BEHIND
    return DEPTH_ARM_OVER if kind == "crossed" and side == pose.front_arm else DEPTH_ARM


def skin_layers(body: Body, appearance: Appearance, camera: Camera, sleeved: bool) -> list[Layer]:
    """Return all layers of a person but the clothes, unordered.

    `sleeved` means that sleeves cover the upper arms, which are then not painted over the clothes.
    """
    depths = arm_depths(body)
    layers = [_trunk(body, appearance, camera), _neck(body, appearance, camera)]
    if camera(body.head_point(0, _HAIR_BOTTOM))[1] > 0:
        layers.append(head_layer(body, appearance, camera, DEPTH_HEAD))
        layers += hair_layers(body, appearance, camera, (DEPTH_BACK_HAIR, DEPTH_FRONT_HAIR))
    layers += accessory_layers(appearance.accessories, body, camera, depths)
    for side in SIDES:
        layers += [
            *_arm(body, appearance, camera, side, sleeved, depths[side]),
            _hand(body, appearance, camera, side, depths[side]),
            _leg(body, appearance, camera, side),
        ]
        if camera(body.leg_point(side, _SHOE_TOP))[1] < HEIGHT:
            depth = DEPTH_SHOE + _depth_offset(side)
            layers += foot_layers(body, camera, side, appearance.shoe, appearance.skin, depth)
    return layers


def _depth_offset(side: Side) -> int:
    """Return the depth offset of a leg; the left leg is in front where legs cross, as is its half of trousers."""
    return 2 if side == LEFT else 0


_NECK_FRACTION = 0.7
"""Fraction of the trunk's half-width whose skin is labelled head; necklines are narrower, armholes wider."""

_COVERED_ARM_FRACTIONS = {False: 0.075, True: 0.26}
"""Fraction of the arm line under a garment, without and with sleeves. Does not apply to the upper one of two crossed
arms, which must cover the other hand in any garment."""

_ARMPIT_FRACTION = 0.06
"""Fraction by which a bare arm starts earlier on its inner side, over the garment's corner at the armpit."""

_CORNER = 0.006
"""Radius of the corners of the shoulders, in body heights."""

_FADE = 20.0
"""Pixels over which the arm fades in, to avoid an edge between skin and skin."""


def _ids(side: Side, part: str) -> int:
    return DensePart[f"{'LEFT' if side == LEFT else 'RIGHT'}_{part}"]


def _label(side: Side, part: str) -> int:
    return Label[f"{'LEFT' if side == LEFT else 'RIGHT'}_{part}"]


def _trunk(body: Body, appearance: Appearance, camera: Camera) -> Layer:
    """Return the trunk from shoulders to crotch; its skin is labelled head near the neck and arm near the shoulders."""
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
    labels = np.where(np.abs(columns) < _NECK_FRACTION, Label.HEAD, arms).astype(np.uint8)
    return Layer(
        DEPTH_TRUNK, camera(points), np.tile(labels, (len(heights), 1)), shade * _collar_bones(heights, columns),
        appearance.skin, distance=_rounded(rim, ends) * camera.scale, dense=dense, uv=trunk_uv(heights, columns),
    )  # fmt: skip


def _rounded(rim: Array, ends: Array) -> Array:
    """Compute the distance to the edge of a sheet with round corners from the distances to its sides and ends."""
    inwards = np.hypot(*(np.maximum(_CORNER - distance, 0) for distance in (rim, ends)))
    return np.where(inwards > 0, _CORNER - inwards, np.minimum(rim, ends))


def _collar_bones(heights: Array, columns: Array) -> Array:
    """Compute shading factors (R, C) of collar bones and chest."""
    h, t = heights[:, None], np.abs(columns)
    bone = SHOULDER + 0.028 - 0.014 * t
    along = smoothstep(t, 0.04, 0.14) * (1 - smoothstep(t, 0.35, 0.65))
    light = 0.04 * np.exp(-(((h - bone) / 0.005) ** 2)) - 0.06 * np.exp(-(((h - bone - 0.009) / 0.006) ** 2))
    hollow = 0.07 * np.exp(-((t / 0.1) ** 2) - ((h - SHOULDER - 0.026) / 0.007) ** 2)
    cleft = 0.1 * np.exp(-((t / 0.12) ** 2)) * smoothstep(h, ARMPIT - 0.02, ARMPIT + 0.02)
    return 1 + along * light - hollow - cleft


def _tube_layer(
    tube: Tube,
    depth: int,
    label: int,
    color: Color,
    dense: NDArray[np.uint8],
    uv: Array,
    shadow: float,
    softness: float = 0.5,
) -> Layer:
    if tube.facing is None:
        shade = cylinder_shade(tube.across, tube.columns, softness)
    else:
        shade = tube_shade(tube.facing, softness)
    return Layer(depth, tube.points, label, shade, color, distance=tube.distance, dense=dense, uv=uv, shadow=shadow)


_NECK_END = 0.94
"""Fraction of the neck's line that belongs to the neck."""


def _neck(body: Body, appearance: Appearance, camera: Camera) -> Layer:
    width = body.build.head * 0.62
    foot = body.center(SHOULDER + 0.017)
    line = camera(round_corners(np.stack([body.head_point(0, 0.8), body.head_point(0, 1.02), foot]), (0.01,), 12))
    flare = 0.5 * smoothstep(cached_linspace(0, 1, 12), 0.6, 1)  # into the shoulders
    tube = build_tube(line, width * (cached_linspace(1, 1.1, 12) + flare) * camera.scale)
    length = np.hypot(*np.diff(line, axis=0).T).sum()
    fraction = tube.along / length
    uv = neck_uv(tube.columns, fraction / _NECK_END)
    layer = _tube_layer(tube, DEPTH_NECK, Label.HEAD, appearance.skin, _head_ids(tube.columns), uv, 0.0)
    shaded = smoothstep(fraction, 0.4, 0.8)[:, None]  # fade the chin's shadow at the shoulders
    chin = 1 - 0.16 * (1 - smoothstep(fraction, 0.2, 0.6))[:, None]
    cut = np.minimum(tube.distance, ((_NECK_END - fraction) * length)[:, None])
    return replace(layer, shade=0.94 * chin * layer.shade * (1 - shaded) + 0.97 * shaded, distance=cut)


def _head_ids(columns: Array) -> NDArray[np.uint8]:
    return np.where(columns < 0, DensePart.HEAD_RIGHT, DensePart.HEAD_LEFT).astype(np.uint8)


def _arm(body: Body, appearance: Appearance, camera: Camera, side: Side, sleeved: bool, depth: int) -> list[Layer]:
    """Return the arm in two layers, because a shirt covers the shoulder but not the rest of the arm."""
    full_line = camera(body.arm_line(side))
    elbow, wrist = body.elbow_and_wrist(side)
    length = (len(full_line) - 1) * float(np.hypot(*(full_line[1] - full_line[0])))
    line = full_line[: round(wrist * (len(full_line) - 1)) + 1]
    inner = _shoulder_line(body, camera, side, line)
    line = np.concatenate([inner, line[_SHOULDER_SAMPLES:]])
    shoulder = len(inner) - _SHOULDER_SAMPLES
    steps = np.maximum(np.arange(len(line)) - shoulder, 0) / (len(full_line) - 1)
    tube = build_tube(line, body.arm_half_width(steps) * camera.scale)
    fraction = (tube.along / float(np.hypot(*(line[1] - line[0]))) - shoulder) / (len(full_line) - 1)
    along = fraction[:, None]
    outer = tube.columns * side >= 0
    upper = np.where(outer, _ids(side, "UPPER_ARM_OUTER"), _ids(side, "UPPER_ARM_INNER"))
    lower = np.where(outer, _ids(side, "LOWER_ARM_OUTER"), _ids(side, "LOWER_ARM_INNER"))
    dense = np.where(along < elbow, upper, lower).astype(np.uint8)
    uv = arm_uv(fraction, tube.columns, elbow, wrist)
    layer = _tube_layer(tube, depth, _label(side, "ARM"), appearance.skin, dense, uv, 0.14)
    softened = smoothstep(along, -0.02, 0.16)  # fade into the shoulder
    layer = replace(layer, shade=layer.shade * softened + 0.97 * (1 - softened))
    if depth < DEPTH_SHOULDER:
        return [layer]
    covered = sleeved and depth < DEPTH_ARM_OVER
    armpit = 0.0 if covered else _ARMPIT_FRACTION * np.clip(-tube.columns * side, 0, 1)
    visible_distance = (along - _COVERED_ARM_FRACTIONS[covered] + armpit) * length
    distance = np.minimum(tube.distance, np.where(visible_distance < _FADE, visible_distance / _FADE, np.inf))
    upper_rows = int(np.searchsorted(fraction, 0.42))
    return [
        replace(_first_rows(layer, upper_rows), depth=DEPTH_SHOULDER, shadow=0.0),
        replace(layer, distance=distance),
    ]


_SHOULDER_SAMPLES = 7
"""Number of points of the arm's line replaced by the curve from the shoulder line."""

_SLOPE = (0.68, 0.016)
"""Start of an arm on the shoulder line, in half-widths of the trunk, and the radius of its bend."""


def _shoulder_line(body: Body, camera: Camera, side: Side, line: Array) -> Array:
    """Return the arm's center line (N, 2) from the shoulder line up to, excluding, `line[_SHOULDER_SAMPLES]`.

    It makes the outline from neck to arm continuous in every pose.
    """
    step = float(np.hypot(*(line[1] - line[0])))
    start = camera(body.shoulder_line_point(side, _SLOPE[0]))
    corners = np.stack([start, line[0], line[_SHOULDER_SAMPLES]])
    count = max(round(float(np.hypot(*np.diff(corners, axis=0).T).sum()) / step), 6)
    return round_corners(corners, (_SLOPE[1] * camera.scale,), count + 1)[:-1]


def _first_rows(layer: Layer, rows: int) -> Layer:
    """Cut a tube's layer after some rows."""
    assert layer.distance is not None
    assert layer.dense is not None
    assert layer.uv is not None
    return replace(
        layer, points=layer.points[:rows], shade=layer.shade[:rows], distance=layer.distance[:rows],
        dense=layer.dense[:rows], uv=layer.uv[:rows],
    )  # fmt: skip


def _hand(body: Body, appearance: Appearance, camera: Camera, side: Side, depth: int) -> Layer:
    shape = hand_shape(body, side, carrying_hand(appearance.accessories, body) == side)
    layer, plane = hand_layer(body, camera, side, appearance.skin, depth, _label(side, "ARM"), shape)
    dense = np.full(plane.shape[:2], _ids(side, "HAND"), np.uint8)
    return replace(layer, dense=dense, uv=hand_uv(plane))


_LEG_ROWS = 40
_LEG_END = ANKLE - 0.008
"""End of the leg, inside the shoe."""


def _leg(body: Body, appearance: Appearance, camera: Camera, side: Side) -> Layer:
    heights = cached_linspace(HIP_JOINT, _LEG_END, _LEG_ROWS)
    tube = build_tube(camera(body.leg_point(side, heights)), body.leg_half_width(heights) * camera.scale)
    step = (_LEG_END - HIP_JOINT) / (_LEG_ROWS - 1)
    first = np.flatnonzero(tube.along >= 0)[0]
    heights_of_rows = HIP_JOINT + (np.arange(len(tube.along)) - first) * step
    ids = np.where(heights_of_rows < KNEE, _ids(side, "UPPER_LEG_FRONT"), _ids(side, "LOWER_LEG_FRONT"))
    dense = np.repeat(ids[:, None], tube.columns.shape[1], axis=1).astype(np.uint8)
    uv = leg_uv(heights_of_rows, tube.columns, side)
    layer = _tube_layer(tube, DEPTH_LEG + _depth_offset(side), _label(side, "LEG"), appearance.skin, dense, uv, 0.12)
    knee = 0.06 * np.exp(-(((heights_of_rows[:, None] - KNEE - 0.012) / 0.008) ** 2) - (tube.columns / 0.6) ** 2)
    return replace(layer, shade=layer.shade * (1 - knee))
