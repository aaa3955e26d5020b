"""Draw hair behind the head and around the face."""

from __future__ import annotations

import numpy as np

from tryon.dresscode.labels import Label
from tryon.synthetic.figure.appearance import Appearance, Hair
from tryon.synthetic.figure.body import Body
from tryon.synthetic.figure.camera import Camera
from tryon.synthetic.figure.drawing import Drawing, Frame, Points, ellipse, mirror, scale_color, smooth
from tryon.synthetic.figure.head import head_to_image, shade_head, visible_from
from tryon.synthetic.paint.curves import cached_linspace, stack_xy
from tryon.synthetic.paint.layers import Layer

_ACROSS, _DOWN = 60, 202
_TOP = -0.42
_MARGIN = 0.1
"""Margin above the image in which hair is drawn, in head units; hair outside casts no shadow into the image."""

_OUTLINES: dict[Hair, Points] = {
    "long": ((0, -0.1), (0.8, -0.04), (1.2, 0.16), (1.16, 0.7), (1.28, 1.3), (1.2, 1.85), (0.85, 2.05), (0, 2.0)),
    "wavy": ((0, -0.12), (0.85, -0.05), (1.26, 0.16), (1.14, 0.5), (1.38, 0.8), (1.26, 1.05), (1.5, 1.35), (1.3, 1.7), (0.7, 1.85), (0, 1.75)),  # noqa: E501
    "bob": ((0, -0.1), (0.85, -0.03), (1.22, 0.16), (1.2, 0.7), (1.28, 1.08), (0.95, 1.18), (0, 1.1)),
    "short": ((0, -0.11), (0.8, -0.04), (1.2, 0.16), (1.06, 0.5), (0.9, 0.66), (0, 0.66)),
    "curls": ((0, -0.2), (0.8, -0.14), (1.3, 0.2), (1.42, 0.6), (1.3, 0.95), (0.8, 1.05), (0, 1.0)),
    "bun": ((0, -0.09), (0.8, -0.03), (1.18, 0.16), (1.02, 0.5), (0.85, 0.66), (0, 0.66)),
    "ponytail": ((0, -0.09), (0.8, -0.03), (1.18, 0.16), (1.02, 0.5), (0.85, 0.66), (0, 0.66)),
}  # fmt: skip
"""Left half of the hair behind the head, from crown to ends, in head units."""

_TAIL = ((0.3, 0.2), (1.0, 0.45), (1.2, 0.9), (1.3, 1.4), (1.1, 1.85), (0.95, 1.4), (0.8, 0.95), (0.4, 0.7))
_LOCK = ((0.9, 0.4), (1.12, 0.4), (1.3, 1.0), (1.34, 1.6), (1.15, 1.95), (0.98, 1.7), (0.92, 1.2), (1.0, 0.8))


def hair_layers(body: Body, look: Appearance, camera: Camera, depths: tuple[int, int]) -> list[Layer]:
    """Return the layers of hair behind and in front of the head, as far as they are in the image."""
    layers = []
    top = visible_from(body, camera) - _MARGIN
    for drawing, depth in zip((_draw_back(look, top), _draw_front(look, top)), depths, strict=True):
        if not drawing.opacity.any():
            continue  # short hair, only the chin is in the image
        layer, plane = drawing.to_layer(
            depth, Label.HAIR, lambda p: head_to_image(body, camera, p), (6, 9), shadow=0.16
        )
        layers.append(shade_head(layer, plane / 1.25, 0.5))
    return layers


def _draw_back(look: Appearance, top: float) -> Drawing:
    outline = _OUTLINES[look.hair]
    end = max(y for _, y in outline) + 0.15
    hair = _sketch(look, top, 1.8, max(end, 2.0 if look.hair == "ponytail" else end))
    hair.set_opacity(smooth([*outline, *mirror(outline[::-1], -1)]))
    if look.hair == "curls":
        for angle in cached_linspace(0, 2 * np.pi, 19):
            curl = ellipse(1.25 * np.cos(angle), 0.42 + 0.5 * np.sin(angle), 0.3, 0.1)
            hair.set_opacity(curl)
            hair.stroke(curl, 0.05, scale_color(look.hair_color, 0.72 + 0.5 * (np.sin(angle * 5) > 0)))
    if look.hair == "bun":
        hair.set_opacity(ellipse(0, -0.14, 0.45, 0.14))
        hair.stroke(ellipse(0, -0.15, 0.26, 0.08), 0.05, scale_color(look.hair_color, 0.75))
    if look.hair == "ponytail":
        hair.set_opacity(mirror(smooth(_TAIL), -1 if (look.parting or 0) > 0 else 1))
    _strands(hair, look, end)
    return hair


def _draw_front(look: Appearance, top: float) -> Drawing:
    """Draw parted hair or a fringe over the forehead, and locks in front of the shoulders."""
    hair = _sketch(look, top, 1.6, 2.1 if look.locks else 0.75)
    parting = look.parting or 0.0
    sides = 0.8 if look.hair in ("long", "wavy", "bob", "curls") else 0.52
    for side in (-1, 1):
        spread = [(0.95, 0.36), (0.97, sides), (1.06, sides - 0.04), (1.1, 0.3), (1.06, 0.12), (0.8, -0.04)]
        temple = (parting + 0.5 * (side - parting), 0.27)
        hair.set_opacity(smooth([(parting, -0.1), (parting - side * 0.06, 0.15), temple, *mirror(spread, side)]))
        if side in look.locks:
            hair.set_opacity(mirror(smooth(_LOCK), side))
    angle = cached_linspace(np.pi, 2 * np.pi, 32)
    hair.set_opacity(stack_xy(1.04 * np.cos(angle), 0.18 + 0.28 * np.sin(angle)))
    if look.parting is None:
        hair.set_opacity(smooth([(-1.0, 0.15), (1.0, 0.15), (0.95, 0.38), (0.4, 0.43), (0, 0.415), (-0.4, 0.43), (-0.95, 0.38)]))  # fmt: skip # noqa: E501
    if look.hair == "curls":
        for position in cached_linspace(-1, 1, 9):
            hair.set_opacity(ellipse(1.05 * position, 0.3 - 0.2 * np.cos(position * 1.5), 0.22, 0.08))
    _strands(hair, look, hair.frame.bottom)
    if look.parting is not None:
        hair.stroke([(parting, -0.08), (parting, 0.13)], 0.03, scale_color(look.hair_color, 0.6))
    return hair


def _sketch(look: Appearance, top: float, outline: float, bottom: float) -> Drawing:
    """Return an empty drawing down to `bottom` without rows above `top`; at least one row remains."""
    rows = max(int((min(top, bottom) - _TOP) * _DOWN) - 1, 0)
    return Drawing.blank(Frame(-outline, _TOP + rows / _DOWN, outline, bottom, _ACROSS, _DOWN), look.hair_color)


def _strands(hair: Drawing, look: Appearance, end: float) -> None:
    """Draw lighter and darker strands from the parting down the sides."""
    parting = look.parting or 0.0
    wave = 0.12 if look.hair in ("wavy", "curls") else 0.03
    down = cached_linspace(0, 1, 12)
    fan = np.sin(np.minimum(down * 2.2, 1) * np.pi / 2)
    spread = cached_linspace(-1.3, 1.3, 20)[:, None]
    x = parting + (spread - parting) * fan + wave * np.sin(down * 14 + np.arange(20)[:, None] * 0.6)
    y = -0.06 + 0.25 * (spread / 1.3) ** 2 * down + (end + 0.1) * down**1.3
    lines = stack_xy(x, y)
    for start, (factor, width) in enumerate(((0.8, 0.05), (1.1, 0.03), (0.9, 0.05), (1.2, 0.03))):
        hair.strokes(lines[start::4], width, scale_color(look.hair_color, factor))
