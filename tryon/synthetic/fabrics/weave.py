"""Add the grain of the cloth: faint light and dark threads."""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from tryon.dresscode.layout import HEIGHT, WIDTH
from tryon.synthetic.fabrics.fabric import FULL_IMAGE, ImageArray, Region, Weave

_SIZE = 192
_MAX_GRAIN = 16


def add_weave(image: ImageArray, weave: Weave, region: Region = FULL_IMAGE) -> ImageArray:
    """Add the grain of a weave to one region of painted cloth, at most 16 gray levels up or down."""
    if weave == "smooth":
        return image
    lighter, darker = (region.crop(grain) for grain in _grain(weave))
    return cv2.subtract(cv2.add(image, lighter), darker)  # pyright: ignore[reportReturnType]


@cache
def _grain(weave: Weave) -> tuple[ImageArray, ImageArray]:
    """Return what a weave adds to and subtracts from an image: uint8 (1024, 768, 3) each."""
    tile = np.clip(np.round(_TILES[weave]()), -_MAX_GRAIN, _MAX_GRAIN)
    planes = []
    for values in (tile, -tile):
        positive = np.clip(values, 0, None).astype(np.uint8)
        full = cv2.repeat(positive, -(-HEIGHT // _SIZE), -(-WIDTH // _SIZE))[:HEIGHT, :WIDTH]
        planes.append(cv2.merge([full] * 3))
    return planes[0], planes[1]


def _noise(sigma_x: float, sigma_y: float) -> NDArray[np.float64]:
    """Return seamless noise of variance 1, blurred along x and y."""
    white = np.random.default_rng(2).standard_normal((_SIZE, _SIZE))
    soft = cv2.GaussianBlur(np.tile(white, (3, 3)), (0, 0), sigmaX=sigma_x, sigmaY=sigma_y)[_SIZE:-_SIZE, _SIZE:-_SIZE]
    return soft / soft.std()


def _twill() -> NDArray[np.float64]:
    y, x = np.mgrid[:_SIZE, :_SIZE]
    return 5 * np.sin((x * 2 - y) * 2 * np.pi / 12) + 4.5 * _noise(0.6, 9)


def _rib() -> NDArray[np.float64]:
    return np.broadcast_to(7 * np.sin(np.arange(_SIZE) * 2 * np.pi / 12), (_SIZE, _SIZE)) + 1.5 * _noise(1, 1)


def _canvas() -> NDArray[np.float64]:
    return 3.2 * _noise(12, 0.8) + 3.2 * _noise(0.8, 12)


def _melange() -> NDArray[np.float64]:
    return 5 * _noise(2.2, 1.0)


_TILES = {"twill": _twill, "rib": _rib, "canvas": _canvas, "melange": _melange}
