"""Layers and the canvas that takes them: the painter's algorithm for photo, label map and DensePose at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from tryon.dresscode.layout import HEIGHT, WIDTH
from tryon.synthetic.paint.curves import Array
from tryon.synthetic.paint.raster import Floats, Placed, Window, enlarge, lookup, place

_LIGHT = np.array([-0.42, -0.38, 0.82])
"""Direction towards the light: upper left, in front."""

_SHADOW_STEP = 8
_SHADOW_REACH = (10, 14)  # x, y in pixels


@dataclass(frozen=True)
class Layer:
    """One piece of skin, hair or cloth, laid over what is already there.

    Args:
        depth: order of painting, low first.
        points: (R, C, 2), the mesh in pixels of the picture.
        label: ATR id of its pixels, or uint8 (R, C) ids.
        shade: (R, C), factor on the colour.
        colour: RGB 0..255, for a layer without texture.
        texture: uint8 (h, w, 4), RGB and opacity; with `coordinates`.
        coordinates: (R, C, 2), x and y of the mesh's points in the texture.
        distance: (R, C), pixels from the layer's edge, positive inside; None where the texture's opacity says it all.
        dense: uint8 (R, C), DensePose ids; None for what is not body.
        shadow: strength of the shadow it throws on what lies under it, 0..1.
        uv: (R, C, 2), DensePose surface coordinates 0..1 of the mesh's points; with `dense`.
        flat: (R, C, 2), pixels of the garment's catalogue picture under the mesh's points; only on the garment that a
            pair is about.
    """

    depth: int
    points: Array
    label: int | NDArray[np.uint8]
    shade: Array
    colour: tuple[float, float, float] = (0, 0, 0)
    texture: NDArray[np.uint8] | None = None
    coordinates: Array | None = None
    distance: Array | None = None
    dense: NDArray[np.uint8] | None = None
    shadow: float = 0.0
    uv: Array | None = None
    flat: Array | None = None


@dataclass
class Canvas:
    """What is painted.

    Args:
        photo: float32 (H, W, 3), RGB 0..255.
        label_map: uint8 (H, W).
        dense_pose: uint8 (H, W).
    """

    photo: Floats
    label_map: NDArray[np.uint8] = field(default_factory=lambda: np.zeros((HEIGHT, WIDTH), np.uint8))
    dense_pose: NDArray[np.uint8] = field(default_factory=lambda: np.zeros((HEIGHT, WIDTH), np.uint8))

    def paint(self, layer: Layer) -> None:
        """Lay one layer over the canvas."""
        placed = place(layer.points, self.label_map.shape)
        if placed is None or not placed.covered.any():
            return
        window = placed.window
        colour, opacity = _colour_and_opacity(layer, placed)
        if layer.shadow:
            self._throw_shadow(opacity, window, layer.shadow)
        under = window.of(self.photo)
        under += (colour - under) * _thrice(opacity)
        seen = opacity >= 0.5
        _write_ids(self.label_map, layer.label, placed, seen)
        if layer.dense is not None:
            _write_ids(self.dense_pose, layer.dense, placed, seen)

    def _throw_shadow(self, opacity: Floats, window: Window, strength: float) -> None:
        """Darken the picture around a layer, softly and away from the light, before the layer covers it."""
        area = _grown(window, self.label_map.shape)
        small = cv2.resize(opacity, None, fx=1 / _SHADOW_STEP, fy=1 / _SHADOW_STEP, interpolation=cv2.INTER_AREA)
        shift = np.eye(2, 3)
        shift[:, 2] = window.left - area.left + _SHADOW_REACH[0], window.top - area.top + _SHADOW_REACH[1]
        shift[:, 2] /= _SHADOW_STEP
        size = (area.width // _SHADOW_STEP, area.height // _SHADOW_STEP)
        cast = cv2.GaussianBlur(cv2.warpAffine(small, shift, size), (0, 0), 1.3)
        under = area.of(self.photo)
        under *= _thrice(1 - np.float32(strength) * enlarge(cast, area))


def _write_ids(
    ids: NDArray[np.uint8], written: int | NDArray[np.uint8], placed: Placed, seen: NDArray[np.bool_]
) -> None:
    """Write one id, or the nearest grid point's, where the layer is seen."""
    window = placed.window
    if isinstance(written, np.ndarray):
        coarse = lookup(placed, written.astype(np.float32), nearest=True).astype(np.uint8)
        whole = cv2.resize(coarse, (window.width, window.height), interpolation=cv2.INTER_NEAREST)
        np.copyto(window.of(ids), whole, where=seen)
    else:
        window.of(ids)[seen] = written


def _grown(window: Window, size: tuple[int, ...]) -> Window:
    """The window with room for its shadow, cut at the picture's edge; sides are multiples of the shadow's step."""
    reach, step = 4 * _SHADOW_STEP, _SHADOW_STEP
    top, left = (max(start - reach, 0) // step * step for start in (window.top, window.left))
    bottom, right = (
        min(-(-(start + length + reach) // step) * step, limit)
        for start, length, limit in (
            (window.top, window.height, size[0]),
            (window.left, window.width, size[1]),
        )
    )
    return Window(top, left, bottom - top, right - left)


def _colour_and_opacity(layer: Layer, placed: Placed) -> tuple[Floats, Floats]:
    """Colour float32 (h, w, 3), 0..255, and opacity float32 (h, w), 0..1, of the window's pixels."""

    def known(values: Array) -> Floats:
        return enlarge(lookup(placed, values.astype(np.float32)), placed.window)

    shade = known(layer.shade)
    opacity = (enlarge(placed.covered.astype(np.float32), placed.window) > 0.999).astype(np.float32)
    if layer.distance is not None:
        opacity *= np.clip(known(layer.distance) + np.float32(0.5), 0, 1)
    if layer.texture is None or layer.coordinates is None:
        return _merge([np.minimum(shade * np.float32(channel), 255) for channel in layer.colour]), opacity
    sampled = cv2.remap(layer.texture, known(layer.coordinates), None, cv2.INTER_LINEAR)  # pyright: ignore
    red, green, blue, alpha = cv2.split(sampled)
    opacity *= alpha * np.float32(1 / 255)
    return _merge([np.minimum(channel * shade, 255) for channel in (red, green, blue)]), opacity


def _merge(channels: Sequence[NDArray]) -> Floats:
    return cv2.merge(channels)  # pyright: ignore[reportReturnType]


def _thrice(values: Floats) -> Floats:
    """The same values in three channels; products of equal shapes are much faster than broadcast ones."""
    return _merge([values, values, values])


def cylinder_shade(across: Array, columns: Array, softness: float = 0.35) -> Array:
    """Shade (R, C) of a tube or a rounded sheet under the picture's light, about 1 where it faces the light.

    Args:
        across: (R, 2), unit vectors in the picture towards growing columns.
        columns: (C,) or (R, C), place across the tube, -1..1 from edge to edge.
        softness: how much of the darkest shade is left out: 0 hard, 1 flat.
    """
    t = np.clip(columns, -1, 1) * 0.94
    sideways = (across @ _LIGHT[:2])[:, None]
    lit = np.clip((sideways * t + _LIGHT[2] * np.sqrt(1 - t * t)) / np.linalg.norm(_LIGHT), 0, 1)
    return softness + 0.12 + (1 - softness) * lit
