"""Layers and the canvas that takes them: the painter's algorithm for photo, label map and DensePose at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from tryon.synthetic.paint.curves import Array
from tryon.synthetic.paint.ground_truth import GroundTruthPlanes, empty_ground_truth, write_ground_truth
from tryon.synthetic.paint.raster import (
    STEP,
    WINDOW_STEP,
    Floats,
    RasterizedMesh,
    Window,
    interpolate,
    nearest_ids,
    rasterize,
    upsample,
)

_LIGHT = np.array([-0.42, -0.38, 0.82])
"""Direction towards the light: upper left, in front."""

_LIGHT_LENGTH = float(np.linalg.norm(_LIGHT))

Bytes = NDArray[np.uint8]
Pixels = NDArray
"""Bytes whose type OpenCV's stubs do not tell."""

_SHADES = 200
"""A shade of 1 in bytes; what is brighter than 1.27 is as bright as 1.27."""

_NEAR = (1.0, 4.0)
"""Pixels beyond a layer's edge, and texture pixels beyond its texture's, from which on nothing of it is seen between
two pixels of the rasteriser."""

_ROOM = (2.0 * STEP, 24.0)
"""The same for shadows, which are cut off a little further out."""

_Slices = tuple[slice, slice]

_SHADOW_STEP = WINDOW_STEP
_SHADOW_REACH = (10, 14)  # x, y in pixels


@dataclass(frozen=True)
class Layer:
    """One piece of skin, hair or cloth, laid over what is already there.

    Args:
        depth: order of painting, low first.
        points: (R, C, 2), the mesh in pixels of the image.
        label: ATR id of its pixels, or uint8 (R, C) ids.
        shade: (R, C), factor on the color.
        color: RGB 0..255, for a layer without texture.
        texture: uint8 (h, w, 4), RGB and opacity; with `coordinates`.
        coordinates: (R, C, 2), x and y of the mesh's points in the texture.
        distance: (R, C), pixels from the layer's edge, positive inside; None where the texture's opacity says it all.
        dense: uint8 (R, C), DensePose ids; None for what is not body.
        shadow: strength of the shadow it throws on what lies under it, 0..1.
        uv: (R, C, 2), DensePose surface coordinates 0..1 of the mesh's points; with `dense`.
        flat: (R, C, 2), pixels of the garment's catalogue image under the mesh's points; only on the garment that a
            pair is about.
    """

    depth: int
    points: Array
    label: int | NDArray[np.uint8]
    shade: Array
    color: tuple[float, float, float] = (0, 0, 0)
    texture: NDArray[np.uint8] | None = None
    coordinates: Array | None = None
    distance: Array | None = None
    dense: NDArray[np.uint8] | None = None
    shadow: float = 0.0
    uv: Array | None = None
    flat_coordinates: Array | None = None


class Canvas:
    """What is painted.

    Args:
        ground: uint8 (H, W, 3), RGB, what lies behind all layers; it is painted over.
        truth: keep the planes of `LossTargets`, too; the rest is the same without.
        ids: whether anybody asks for label map and DensePose; without, they stay empty.
    """

    def __init__(self, background: Bytes, truth: bool = False, ids: bool = True) -> None:
        self.photo = background
        """uint8 (H, W, 3), RGB."""
        self._ids = ids
        size = self.photo.shape[:2]
        self.label_map: Bytes = np.zeros(size, np.uint8)
        self.dense_pose: Bytes = np.zeros(size, np.uint8)
        self.truth: GroundTruthPlanes | None = empty_ground_truth(size) if truth else None

    def paint(self, *layers: Layer) -> None:
        """Lay layers over the canvas, one after the other; many at once are faster than one by one."""
        placed = rasterize([layer.points for layer in layers], self.label_map.shape)
        for layer, where in zip(layers, placed, strict=True):
            brush = _brush(layer, where) if where is not None else None
            if brush is not None:
                self._lay(layer, brush)

    def _lay(self, layer: Layer, brush: _Brush) -> None:
        window, through = brush.placed.window, ~brush.alpha
        if layer.shadow:
            area, left = _shadow(layer.shadow, brush, self.label_map.shape)
            behind = window.relative_to(area).crop(left)
            cv2.multiply(behind, through, dst=behind, scale=1 / 255)
            _shadow_dim(area.crop(self.photo), left)
        else:
            _shadow_dim(window.crop(self.photo), through)
        under = window.crop(self.photo)
        cv2.add(under, brush.front, dst=under)
        if self._ids:
            self._write_ids(layer, brush.placed, threshold(brush.alpha, 127))

    def _write_ids(self, layer: Layer, placed: RasterizedMesh, seen: Bytes) -> None:
        """Write what the layer is where it is seen; `seen` is 255 there and 0 elsewhere."""
        window = placed.window
        for plane, ids in ((self.label_map, layer.label), (self.dense_pose, layer.dense)):
            if ids is None:
                continue
            many = isinstance(ids, np.ndarray) and ids.min() < ids.max()
            written = nearest_ids(placed, np.asarray(ids)) if many else np.full_like(seen, np.ravel(ids)[0])
            cv2.copyTo(written, seen, window.crop(plane))
        if self.truth is not None:
            write_ground_truth(self.truth, placed, seen, layer.dense is not None, layer.uv, layer.flat_coordinates)


def darken(under: Bytes, cast: Pixels, strength: float) -> None:
    """Darken a part of a photo.

    Args:
        under: uint8 (h, w, 3), changed.
        cast: uint8, smaller: how much of the light is taken away, 255 = `strength`.
        strength: 0..1.
    """
    _shadow_dim(
        under, cv2.resize(_shadow_transmission(cast, strength), under.shape[1::-1], interpolation=cv2.INTER_LINEAR)
    )


def _shadow_transmission(cast: Pixels, strength: float) -> Pixels:
    """What a shadow leaves of the light: uint8, 255 = all."""
    return cv2.convertScaleAbs(cast, alpha=-strength, beta=255)


def _shadow_dim(under: Bytes, left: Pixels) -> None:
    cv2.multiply(under, cv2.cvtColor(left, cv2.COLOR_GRAY2RGB), dst=under, scale=1 / 255)


def _shadow(strength: float, brush: _Brush, size: tuple[int, ...]) -> tuple[Window, Pixels]:
    """The part of the image that a layer or its shadow changes, and what the shadow leaves of the light there."""
    window, area = brush.placed.window, _grown(brush.room, size)
    left = _shadow_transmission(_shadow_cast(brush.alpha, window, area), strength)
    changed = ~left
    Window(*(side // _SHADOW_STEP for side in window.relative_to(area))).crop(changed)[:] = 255
    part = _around(changed, 1)
    assert part
    whole = area.subwindow(*part, _SHADOW_STEP)
    return whole, upsample(left[part], whole)


def _shadow_cast(alpha: Pixels, window: Window, area: Window) -> Pixels:
    """The soft shadow over `area` of a layer in `window`, away from the light; smaller by the shadow's step."""
    small = cv2.resize(alpha, None, fx=1 / _SHADOW_STEP, fy=1 / _SHADOW_STEP, interpolation=cv2.INTER_LINEAR)
    right, down = window.left - area.left + _SHADOW_REACH[0], window.top - area.top + _SHADOW_REACH[1]
    shift = np.array([(1, 0, right / _SHADOW_STEP), (0, 1, down / _SHADOW_STEP)])
    size = (area.width // _SHADOW_STEP, area.height // _SHADOW_STEP)
    return cv2.GaussianBlur(cv2.warpAffine(small, shift, size), (0, 0), 1.3)


def threshold(values: Pixels, most: int) -> Bytes:
    """255 where values are above `most`, 0 elsewhere."""
    return cv2.threshold(values, most, 255, cv2.THRESH_BINARY)[1]  # pyright: ignore[reportReturnType]


def _grown(window: Window, size: tuple[int, ...]) -> Window:
    """The window with room for its shadow, cut at the image's edge."""
    reach = 4 * _SHADOW_STEP
    top, left = max(window.top - reach, 0), max(window.left - reach, 0)
    bottom, right = min(window.top + window.height + reach, size[0]), min(window.left + window.width + reach, size[1])
    return Window(top, left, bottom - top, right - left)


class _Brush(NamedTuple):
    """A layer in pixels.

    Args:
        placed: the part of the image that it may change.
        room: that part and some more, what its shadow is worked out for.
        alpha: uint8 (h, w), opacity.
        front: uint8 (h, w, 3), RGB, multiplied by the opacity.
    """

    placed: RasterizedMesh
    room: Window
    alpha: Pixels
    front: Pixels


def _brush(layer: Layer, placed: RasterizedMesh) -> _Brush | None:
    """Color and opacity of a layer where it is; None where it is nowhere."""
    distance = layer.shade if layer.distance is None else layer.distance
    at = [] if layer.coordinates is None else [layer.coordinates[..., 0], layer.coordinates[..., 1]]
    known = interpolate(placed, layer.shade, distance, *at)
    part = _near(layer, placed, known, _NEAR)
    if part is None:
        return None
    wide = _near(layer, placed, known, _ROOM) if layer.shadow else None
    room = placed.window.subwindow(*(wide or part), STEP)
    placed = placed.crop(*part)
    window, (shade, distance, *at) = placed.window, (values[part] for values in known)
    alpha: Pixels = threshold(upsample(placed.covered.view(np.uint8) * np.uint8(255), window), 254)
    if layer.distance is not None:
        edge = upsample(distance, window)
        alpha = cv2.min(alpha, cv2.addWeighted(edge, 255, edge, 0, 127.5, dtype=cv2.CV_8U))
    shade = cv2.convertScaleAbs(upsample(shade, window), alpha=_SHADES)
    if layer.texture is None:
        shade = cv2.multiply(shade, alpha, scale=1 / 255)
        return _Brush(placed, room, alpha, _merge([cv2.convertScaleAbs(shade, alpha=c / _SHADES) for c in layer.color]))
    sampled = _sampled(layer, layer.texture, at, window)
    alpha = cv2.min(alpha, cv2.extractChannel(sampled, 3))
    shade = cv2.cvtColor(cv2.multiply(shade, alpha, scale=1 / 255), cv2.COLOR_GRAY2RGB)
    return _Brush(
        placed, room, alpha, cv2.multiply(cv2.cvtColor(sampled, cv2.COLOR_RGBA2RGB), shade, scale=1 / _SHADES)
    )


def _near(layer: Layer, placed: RasterizedMesh, known: Sequence[Floats], reach: tuple[float, float]) -> _Slices | None:
    """Rows and columns, at a `STEP`-th, that hold a layer and so much around it; None where it is nowhere.

    Args:
        layer: the layer.
        placed: where its mesh lies.
        known: its shade, distance and coordinates there.
        reach: pixels beyond its edge, and texture pixels beyond its texture's.
    """
    near: Pixels = placed.covered.view(np.uint8)
    if layer.distance is not None:
        near = cv2.bitwise_and(near, cv2.inRange(known[1], -reach[0], np.inf))
    if layer.texture is not None:
        for at, length in zip(known[2:], layer.texture.shape[1::-1], strict=True):
            near = cv2.bitwise_and(near, cv2.inRange(at, -reach[1], length + reach[1]))
    return _around(near, WINDOW_STEP // STEP)


def _around(cells: Pixels, step: int) -> _Slices | None:
    """Rows and columns, whole steps, that hold all that is not 0 and its neighbors; None where there is nothing."""
    left, top, width, height = cv2.boundingRect(cells)
    rows, columns = (
        slice(max(start - 1, 0) // step * step, min(-(-(start + length + 1) // step) * step, limit))
        for start, length, limit in ((top, height, cells.shape[0]), (left, width, cells.shape[1]))
    )
    return (rows, columns) if width else None


def _sampled(layer: Layer, texture: Bytes, coordinates: Sequence[Floats], window: Window) -> Bytes:
    """The texture's RGB and opacity under each pixel of the window; transparent outside the texture."""
    assert layer.coordinates is not None
    shift = layer.coordinates - layer.points
    x, y = (round(float(n)) for n in shift[0, 0])
    if np.abs(shift - (x, y)).max() > 1e-6:
        columns, rows = (upsample(at, window) for at in coordinates)
        return cv2.remap(texture, columns, rows, cv2.INTER_LINEAR)  # pyright: ignore[reportReturnType]
    height, width = texture.shape[:2]  # the texture lies on the image pixel by pixel
    left, top = window.left + x, window.top + y
    right, bottom = left + window.width, top + window.height
    part = texture[max(top, 0) : max(bottom, 0), max(left, 0) : max(right, 0)]
    return cv2.copyMakeBorder(
        part, max(-top, 0), max(bottom - height, 0), max(-left, 0), max(right - width, 0), cv2.BORDER_CONSTANT
    )  # pyright: ignore[reportReturnType]


def _merge(channels: Sequence[NDArray]) -> Bytes:
    return cv2.merge(channels)  # pyright: ignore[reportReturnType]


def cylinder_shade(across: Array, columns: Array, softness: float = 0.35) -> Array:
    """Shade (R, C) of a tube or a rounded sheet under the image's light, about 1 where it faces the light.

    Args:
        across: (R, 2), unit vectors in the image towards growing columns.
        columns: (C,) or (R, C), place across the tube, -1..1 from edge to edge.
        softness: how much of the darkest shade is left out: 0 hard, 1 flat.
    """
    t = np.minimum(np.maximum(columns, -1), 1) * 0.94
    return _round_shade((across @ _LIGHT[:2])[:, None] * t, t * t, softness)


def tube_shade(facing: Array, softness: float = 0.35) -> Array:
    """As `cylinder_shade`, of vectors (R, C, 2) away from the tube's middle line, of length 1 at its edge."""
    length = np.maximum(np.hypot(facing[..., 0], facing[..., 1]), 1e-9)
    t = np.minimum(length, 1) * 0.94
    return _round_shade(facing @ _LIGHT[:2] / length * t, t * t, softness)


def _round_shade(sideways: Array, square: Array, softness: float) -> Array:
    lit = np.maximum((sideways + _LIGHT[2] * np.sqrt(1 - square)) / _LIGHT_LENGTH, 0)
    return softness + 0.12 + (1 - softness) * np.minimum(lit, 1)
