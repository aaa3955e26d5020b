"""Sample and draw bags, hats and sunglasses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from tryon.categories import Level
from tryon.dresscode.labels import Label
from tryon.synthetic.figure.body import BUST, SHOULDER, Body
from tryon.synthetic.figure.camera import Camera
from tryon.synthetic.figure.drawing import Color, Drawing, Frame, ellipse, scale_color, smooth
from tryon.synthetic.figure.pose import SIDES, Side
from tryon.synthetic.figure.surfaces import build_tube
from tryon.synthetic.paint.curves import Array, cached_linspace, round_corners
from tryon.synthetic.paint.layers import Layer, cylinder_shade

BagKind = Literal["crossbody", "shoulder", "handbag"]
HatKind = Literal["brim", "cap", "beanie"]

DEPTH_STRAP, DEPTH_BAG = 57, 58
"""Over the clothes, under an arm in front of the body."""

DEPTH_GLASSES, DEPTH_HAT = 71, 74


@dataclass(frozen=True)
class Bag:
    """A bag: kind, side where it hangs if the arm allows, RGB, width in body heights."""

    kind: BagKind
    side: Side
    color: Color
    width: float


@dataclass(frozen=True)
class Hat:
    """A hat: kind and RGB."""

    kind: HatKind
    color: Color


@dataclass(frozen=True)
class Accessories:
    """Accessories of a person, None where absent."""

    bag: Bag | None
    hat: Hat | None
    glasses: bool


_BAGS: dict[Level, float] = {"easy": 0.0, "catalogue": 0.08, "wild": 0.25}
_HATS: dict[Level, float] = {"easy": 0.0, "catalogue": 0.0, "wild": 0.12}
_GLASSES: dict[Level, float] = {"easy": 0.0, "catalogue": 0.0, "wild": 0.12}
_COLORS: tuple[Color, ...] = (
    (40, 36, 38), (122, 78, 46), (196, 164, 128), (226, 222, 214), (52, 66, 100), (92, 98, 70), (142, 60, 78),
)  # fmt: skip


def sample_accessories(rng: np.random.Generator, level: Level) -> Accessories:
    """Sample accessories: none at `easy`, a few bags at `catalogue`, also hats and sunglasses at `wild`."""
    with_bag, with_hat, glasses = rng.random(3) < (_BAGS[level], _HATS[level], _GLASSES[level])
    kinds: tuple[BagKind, ...] = ("crossbody", "shoulder", "handbag")
    hats: tuple[HatKind, ...] = ("brim", "cap", "beanie")
    colors = [_COLORS[n] for n in rng.integers(len(_COLORS), size=2)]
    bag = Bag(kinds[rng.integers(3)], SIDES[int(rng.integers(2))], colors[0], rng.uniform(0.1, 0.16))
    hat = Hat(hats[rng.integers(3)], colors[1])
    return Accessories(bag if with_bag else None, hat if with_hat else None, bool(glasses))


def carrying_hand(accessories: Accessories, body: Body) -> Side | None:
    """Return the hand that holds a handbag, if any arm hangs freely; otherwise it hangs from the shoulder."""
    bag = accessories.bag
    if bag is None or bag.kind != "handbag":
        return None
    free: list[Side] = [side for side, arm in zip(SIDES, body.pose.arms, strict=True) if arm.kind in ("side", "out")]
    if not free:
        return None
    return bag.side if bag.side in free else free[0]


def accessory_layers(accessories: Accessories, body: Body, camera: Camera, arm_depths: dict[Side, int]) -> list[Layer]:
    """Return the layers of bag, hat and sunglasses."""
    layers = []
    if accessories.bag is not None:
        layers += _bag_layers(accessories.bag, carrying_hand(accessories, body), body, camera, arm_depths)

    def to_image(plane: Array) -> Array:
        return camera(body.head_point(plane[..., 0], plane[..., 1]))

    if accessories.glasses:
        layers.append(_glasses(body.face_shift).to_layer(DEPTH_GLASSES, Label.SUNGLASSES, to_image, (3, 3))[0])
    if accessories.hat is not None:
        layers.append(
            _hat(accessories.hat, body.face_shift).to_layer(DEPTH_HAT, Label.HAT, to_image, (3, 3), shadow=0.25)[0]
        )
    return layers


def _bag_layers(bag: Bag, hand: Side | None, body: Body, camera: Camera, arm_depths: dict[Side, int]) -> list[Layer]:
    if hand is not None:
        top = body.arm_joints(hand)["WRIST"] + 0.055 * body.hand_direction(hand)
        return [_hang(_bag(bag, 0.42), top + np.array([0, 0.42 * bag.width]), bag.width, camera, arm_depths[hand] - 1)]
    crossing = bag.kind == "crossbody"
    height = 0.455 if crossing else 0.405
    hanging = body.center(height) + body.across(height) * bag.side * (body.half_width(height) + 0.012)
    start_side = -bag.side if crossing else bag.side
    start = body.center(SHOULDER) + body.across(SHOULDER) * start_side * 0.6 * body.half_width(SHOULDER) + (0, 0.012)
    middle = body.center(BUST) + body.across(BUST) * bag.side * (0.12 if crossing else 0.9) * body.half_width(BUST)
    line = round_corners(np.stack([start, middle, hanging + np.array([0, 0.01])]), (0.09,), 24)
    tube = build_tube(camera(line), np.full(24, (0.0045 if crossing else 0.006) * camera.scale))
    strap = Layer(
        DEPTH_STRAP, tube.points, Label.BAG, cylinder_shade(tube.across, tube.columns, 0.6),
        scale_color(bag.color, 0.9), distance=tube.distance, shadow=0.14,
    )  # fmt: skip
    return [strap, _hang(_bag(bag, 0.0), hanging, bag.width, camera, DEPTH_BAG)]


def _hang(drawing: Drawing, top: Array, width: float, camera: Camera, depth: int) -> Layer:
    """Return the layer of a bag whose upper edge is centered at `top`."""
    return drawing.to_layer(depth, Label.BAG, lambda plane: camera(top + width * plane), (3, 3), shadow=0.25)[0]


def _bag(bag: Bag, handle: float) -> Drawing:
    """Draw a bag of unit width with its upper edge at y = 0 and a handle of the given height."""
    drawing = Drawing.blank(Frame(-0.6, -0.5, 0.6, 0.95, 150, 150), bag.color)
    dark = scale_color(bag.color, 0.66)
    if handle:
        arc = smooth([(-0.25, 0.05), (-0.22, -handle), (0.22, -handle), (0.25, 0.05)], closed=False)
        drawing.stroke(arc, 0.06, None)
        drawing.stroke(arc, 0.06, scale_color(bag.color, 0.85))
    outline = smooth([(-0.42, 0.0), (0.42, 0.0), (0.5, 0.08), (0.52, 0.7), (0.44, 0.78), (-0.44, 0.78), (-0.52, 0.7), (-0.5, 0.08)], rounds=2)  # fmt: skip # noqa: E501
    drawing.set_opacity(outline)
    x, y = np.meshgrid(cached_linspace(-1, 1, 9), cached_linspace(-1, 1, 9))
    light = (1.04 - 0.14 * x - 0.12 * x**2 - 0.1 * y)[..., None]
    drawing.multiply_light(np.repeat(light, 3, axis=2).astype(np.float32))
    flap = smooth([(-0.5, 0.02), (-0.5, 0.32), (0, 0.46), (0.5, 0.32), (0.5, 0.02)], closed=False)
    drawing.stroke(flap, 0.022, dark)
    drawing.stroke([*outline, outline[0]], 0.02, dark)
    drawing.fill(ellipse(0, 0.42, 0.055, 0.055), (214, 178, 96))
    return drawing


def _glasses(gaze: float) -> Drawing:
    drawing = Drawing.blank(Frame(-1.4, 0.3, 1.4, 0.8, 76, 256), (34, 30, 32))
    for side in (-1, 1):
        lens = ellipse(gaze + side * 0.38, 0.55, 0.3, 0.068)
        drawing.set_opacity(lens)
        drawing.stroke([(gaze + side * 0.6, 0.53), (side * 0.98, 0.54)], 0.07, None)
        drawing.fill(ellipse(gaze + side * 0.38 - 0.06, 0.53, 0.16, 0.024), (84, 82, 88))
    drawing.stroke([(gaze - 0.12, 0.535), (gaze + 0.12, 0.535)], 0.06, None)
    return drawing


def _hat(hat: Hat, gaze: float) -> Drawing:
    drawing = Drawing.blank(Frame(-1.95, -0.62, 1.95, 0.5, 64, 216), hat.color)
    dark, light = scale_color(hat.color, 0.7), scale_color(hat.color, 1.15)
    bottom = {"brim": 0.2, "cap": 0.27, "beanie": 0.32}[hat.kind]
    top = {"brim": -0.24, "cap": -0.17, "beanie": -0.22}[hat.kind]
    edge = 1.02 if hat.kind == "brim" else 1.18
    crown = (0.92 if hat.kind == "brim" else 0.66) * edge
    dome = [(-edge, bottom), (-edge, 0.0), (-crown, top), (crown, top), (edge, 0.0), (edge, bottom)]
    if hat.kind == "brim":
        drawing.set_opacity(ellipse(0, 0.2, 1.8, 0.115))
    curve = smooth(dome, closed=False)
    drawing.set_opacity(curve)
    x = cached_linspace(-1.6, 1.6, 9)
    shade = np.repeat((1.08 - 0.14 * x**2)[None, :, None], 3, axis=2).astype(np.float32)
    drawing.multiply_light(np.repeat(shade, 3, axis=0))
    if hat.kind == "beanie":
        for position in cached_linspace(-1, 1, 13):
            drawing.stroke([(1.12 * position, 0.14), (1.15 * position, bottom)], 0.03, dark)
        drawing.stroke([(-1.2, 0.14), (1.2, 0.14)], 0.03, dark)
    if hat.kind == "brim":
        drawing.stroke([(-1.02, 0.1), (1.02, 0.1)], 0.22, dark)
        drawing.stroke([(-1.02, 0.17), (1.02, 0.17)], 0.03, light)
    if hat.kind == "cap":
        visor = ellipse(1.3 * gaze, 0.29, 1.0, 0.075)
        drawing.set_opacity(visor)
        drawing.fill(visor, dark)
    return drawing
