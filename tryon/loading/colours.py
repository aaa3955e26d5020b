"""Colour jitter: brightness, contrast, saturation and hue as one linear map of a pixel's colour.

One map fits two pictures: person and garment agree in colour after it as they did before, which a map that depends on
a picture's own mean would spoil.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

_LUMA = np.array([0.299, 0.587, 0.114])  # ITU-R BT.601
_GREY = np.tile(_LUMA, (3, 1))
_MIDDLE = 127.5


def colour_map(brightness: float, contrast: float, saturation: float, hue: float) -> NDArray[np.float32]:
    """The map, float32 (3, 4): a colour (r, g, b, 1) in 0..255 goes to its product with it.

    Args:
        brightness: factor on all values; 1 leaves them.
        contrast: factor on the distance from middle grey; 1 leaves it.
        saturation: factor on the distance from the pixel's own grey; 0 gives grey, 1 leaves it.
        hue: turn of the colour circle as a share of it; 0 leaves it. Greys and their brightness stay.
    """
    colour = _GREY + saturation * (_turn(2 * np.pi * hue) - _GREY)
    factors = contrast * brightness * colour
    return np.column_stack([factors, np.full(3, _MIDDLE * (1 - contrast))]).astype(np.float32)


def jitter(picture: NDArray[np.uint8], colours: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Apply a colour map to uint8 (H, W, 3) RGB; what falls outside 0..255 is cut off."""
    return cv2.transform(picture, colours).astype(np.uint8, copy=False)


def _turn(angle: float) -> NDArray[np.float64]:
    """Turn colours around the grey axis, by `angle`, in the plane of equal luma (YIQ), (3, 3)."""
    to_yiq = np.array([_LUMA, [0.595716, -0.274453, -0.321263], [0.211456, -0.522591, 0.311135]])
    cosine, sine = np.cos(angle), np.sin(angle)
    turn = np.array([[1, 0, 0], [0, cosine, -sine], [0, sine, cosine]])
    return np.linalg.solve(to_yiq, turn @ to_yiq)
