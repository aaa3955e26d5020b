"""Draw seams, stitches, buttons and buckles on the texture of a piece."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from tryon.synthetic.fabrics.fabric import Color
from tryon.synthetic.garments.cloth_mesh import SewnDetail
from tryon.synthetic.garments.garment import Belt
from tryon.synthetic.paint.curves import Array

_SHIFT = 4  # fractional bits in OpenCV's drawing coordinates
_BUTTON = 7.0  # radius in pixels
_PEARL = (238, 234, 226)


def fill_outline(image: NDArray[np.uint8], outline: Array, color: float | Sequence[float]) -> None:
    """Fill a closed outline (N, 2) in pixels."""
    cv2.fillPoly(image, [_fixed(outline)], color, cv2.LINE_AA, _SHIFT)  # pyright: ignore


def draw_details(texture: NDArray[np.uint8], details: list[SewnDetail], cloth: Color, belt: Belt | None) -> None:
    """Draw the details of a piece, in pixels of its texture (h, w, 4), in place.

    Thread is a darker shade of `cloth`; a buckle is drawn only with its `belt`.
    """
    dark, darker = _shade(cloth, 0.62), _shade(cloth, 0.42)
    for kind, line in details:
        if kind == "buttons":
            _sew_buttons(texture, line, _PEARL if sum(cloth) < 480 else _shade(cloth, 0.35))
        elif kind == "buckle" and belt is not None:
            _line(texture, line, _shade(belt.buckle, 0.5), 9)
            _line(texture, line, belt.buckle, 5)
        elif kind == "edge":
            _line(texture, line, dark, 5)
            _line(texture, line, darker, 2)
        else:
            _line(texture, line, dark, 4 if kind == "seam" else 2)


def _sew_buttons(texture: NDArray[np.uint8], centers: Array, color: Color) -> None:
    for center in centers:
        x, y = (int(n) for n in _fixed(center))
        for radius, tone in ((_BUTTON + 1.5, _shade(color, 0.4)), (_BUTTON, color), (2.0, _shade(color, 0.5))):
            cv2.circle(texture, (x, y), round(radius * 2**_SHIFT), (*tone, 255), cv2.FILLED, cv2.LINE_AA, _SHIFT)


def _line(texture: NDArray[np.uint8], line: Array, color: Color, width: int) -> None:
    cv2.polylines(texture, [_fixed(line)], False, (*color, 255), width, cv2.LINE_AA, _SHIFT)


def _shade(color: Color, factor: float) -> Color:
    red, green, blue = (round(c * factor) for c in color)
    return red, green, blue


def _fixed(line: Array) -> NDArray[np.int32]:
    return np.round(line * 2**_SHIFT).astype(np.int32)
