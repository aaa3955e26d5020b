"""The grain of cloth: a faint pattern of light and dark that every print lies on."""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from tryon.dresscode.layout import HEIGHT, WIDTH
from tryon.synthetic.fabrics.fabric import WHOLE, ImageArray, Part, Weave

_SIDE = 192
_MIDDLE = 16


def add_weave(image: ImageArray, weave: Weave, part: Part = WHOLE) -> ImageArray:
    """A part of a painted cloth with its grain, at most 16 gray levels up or down."""
    if weave == "smooth":
        return image
    lighter, darker = (part.of(change) for change in _grain(weave))
    return cv2.subtract(cv2.add(image, lighter), darker)  # pyright: ignore[reportReturnType]


@cache
def _grain(weave: Weave) -> tuple[ImageArray, ImageArray]:
    """What a grain adds to a image and what it takes away: uint8 (1024, 768, 3) each, kept for the next cloth."""
    tile = np.clip(np.round(_TILES[weave]()), -_MIDDLE, _MIDDLE)
    both = []
    for part in (tile, -tile):
        one = np.clip(part, 0, None).astype(np.uint8)
        whole = cv2.repeat(one, -(-HEIGHT // _SIDE), -(-WIDTH // _SIDE))[:HEIGHT, :WIDTH]
        both.append(cv2.merge([whole] * 3))
    return both[0], both[1]


def _noise(sigma_x: float, sigma_y: float) -> NDArray[np.float64]:
    """Noise without seams, of variance 1, blurred along x and y."""
    white = np.random.default_rng(2).standard_normal((_SIDE, _SIDE))
    soft = cv2.GaussianBlur(np.tile(white, (3, 3)), (0, 0), sigmaX=sigma_x, sigmaY=sigma_y)[_SIDE:-_SIDE, _SIDE:-_SIDE]
    return soft / soft.std()


def _twill() -> NDArray[np.float64]:
    """Denim: steep fine diagonals and uneven threads."""
    y, x = np.mgrid[:_SIDE, :_SIDE]
    return 5 * np.sin((x * 2 - y) * 2 * np.pi / 12) + 4.5 * _noise(0.6, 9)


def _rib() -> NDArray[np.float64]:
    """Knitted ribs that run down."""
    return np.broadcast_to(7 * np.sin(np.arange(_SIDE) * 2 * np.pi / 12), (_SIDE, _SIDE)) + 1.5 * _noise(1, 1)


def _canvas() -> NDArray[np.float64]:
    """Linen: threads of uneven thickness both ways."""
    return 3.2 * _noise(12, 0.8) + 3.2 * _noise(0.8, 12)


def _melange() -> NDArray[np.float64]:
    """Flecked yarn."""
    return 5 * _noise(2.2, 1.0)


_TILES = {"twill": _twill, "rib": _rib, "canvas": _canvas, "melange": _melange}
