"""Paint layers onto a canvas: the painter's algorithm for photo, label map and DensePose at once."""

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

Bytes = NDArray[np.uint8]
Pixels = NDArray
"""uint8, a type that OpenCV's stubs lose."""

_SHADE_SCALE = 200
"""Byte value of a shade of 1; shades above 255 / 200 are clipped."""

_LAYER_MARGIN = (1.0, 4.0)
"""Image pixels beyond a layer's edge, and texture pixels beyond its texture's, after which interpolation between two
pixels of the rasterizer leaves nothing of the layer."""

_SHADOW_MARGIN = (2.0 * STEP, 24.0)
"""The same for shadows, which extend further."""

_SHADOW_STEP = WINDOW_STEP
_SHADOW_OFFSET = (10, 14)  # x, y in pixels

_Slices = tuple[slice, slice]


@dataclass(frozen=True)
class Layer:
    """A piece of skin, hair or cloth.

    Args:
        depth: painting order, lowest first.
        points: (R, C, 2), the mesh in pixels of the image.
        label: ATR id, or uint8 (R, C) ids.
        shade: (R, C), factor on the color.
        color: RGB 0..255 of a layer without texture.
        texture: uint8 (h, w, 4), RGB and opacity; requires `coordinates`.
        coordinates: (R, C, 2), x and y of the mesh's points in the texture.
        distance: (R, C), pixels from the layer's edge, positive inside; None if the texture's opacity gives the shape.
        dense: uint8 (R, C), DensePose ids; None for what is not body.
        shadow: strength of the shadow that the layer casts, 0..1.
        uv: (R, C, 2), DensePose surface coordinates 0..1 of the mesh's points; requires `dense`.
        flat_coordinates: (R, C, 2), x and y of the mesh's points in the catalogue image; only for the pair's garment.
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
    """Photo, label map and DensePose of the layers painted so far.

    Args:
        background: uint8 (H, W, 3), RGB; becomes the photo and is changed.
        truth: also compose `GroundTruthPlanes`, which changes nothing else.
        ids: write label map and DensePose; otherwise they stay empty.
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
        """Paint layers in the given order; one call for many layers is faster than one call each."""
        meshes = rasterize([layer.points for layer in layers], self.label_map.shape)
        for layer, mesh in zip(layers, meshes, strict=True):
            brush = _brush(layer, mesh) if mesh is not None else None
            if brush is not None:
                self._apply(layer, brush)

    def _apply(self, layer: Layer, brush: _Brush) -> None:
        window, transmission = brush.mesh.window, ~brush.alpha
        if layer.shadow:
            area, light = _shadow(layer.shadow, brush, self.label_map.shape)
            below = window.relative_to(area).crop(light)
            cv2.multiply(below, transmission, dst=below, scale=1 / 255)
            _dim(area.crop(self.photo), light)
        else:
            _dim(window.crop(self.photo), transmission)
        target = window.crop(self.photo)
        cv2.add(target, brush.front, dst=target)
        if self._ids:
            self._write_ids(layer, brush.mesh, threshold(brush.alpha, 127))

    def _write_ids(self, layer: Layer, mesh: RasterizedMesh, visible: Bytes) -> None:
        """Write labels, DensePose and ground truth where `visible` is 255; it is 0 elsewhere."""
        for plane, ids in ((self.label_map, layer.label), (self.dense_pose, layer.dense)):
            if ids is None:
                continue
            varies = isinstance(ids, np.ndarray) and ids.min() < ids.max()
            values = nearest_ids(mesh, np.asarray(ids)) if varies else np.full_like(visible, np.ravel(ids)[0])
            cv2.copyTo(values, visible, mesh.window.crop(plane))
        if self.truth is not None:
            write_ground_truth(self.truth, mesh, visible, layer.dense is not None, layer.uv, layer.flat_coordinates)


def darken(photo: Bytes, shadow: Pixels, strength: float) -> None:
    """Darken a photo in place; 255 in the smaller `shadow` (uint8) removes `strength` of the light."""
    light = cv2.resize(_transmission(shadow, strength), photo.shape[1::-1], interpolation=cv2.INTER_LINEAR)
    _dim(photo, light)


def _transmission(shadow: Pixels, strength: float) -> Pixels:
    return cv2.convertScaleAbs(shadow, alpha=-strength, beta=255)


def _dim(photo: Bytes, light: Pixels) -> None:
    cv2.multiply(photo, cv2.cvtColor(light, cv2.COLOR_GRAY2RGB), dst=photo, scale=1 / 255)


def _shadow(strength: float, brush: _Brush, size: tuple[int, ...]) -> tuple[Window, Pixels]:
    """Return the window that a layer or its shadow changes, and how much light the shadow leaves there."""
    window, caster, margin = brush.mesh.window, brush.shadow_window, 4 * _SHADOW_STEP
    top, left = max(caster.top - margin, 0), max(caster.left - margin, 0)
    bottom, right = min(caster.top + caster.height + margin, size[0]), min(caster.left + caster.width + margin, size[1])
    area = Window(top, left, bottom - top, right - left)
    light = _transmission(_shadow_shape(brush.alpha, window, area), strength)
    changed = ~light
    Window(*(side // _SHADOW_STEP for side in window.relative_to(area))).crop(changed)[:] = 255
    part = _bounding_slices(changed, 1)
    assert part
    result = area.subwindow(*part, _SHADOW_STEP)
    return result, upsample(light[part], result)


def _shadow_shape(alpha: Pixels, window: Window, area: Window) -> Pixels:
    """Return the soft shadow over `area` of a layer in `window`, offset away from the light, at 1/`_SHADOW_STEP`."""
    small = cv2.resize(alpha, None, fx=1 / _SHADOW_STEP, fy=1 / _SHADOW_STEP, interpolation=cv2.INTER_LINEAR)
    right, down = window.left - area.left + _SHADOW_OFFSET[0], window.top - area.top + _SHADOW_OFFSET[1]
    shift = np.array([(1, 0, right / _SHADOW_STEP), (0, 1, down / _SHADOW_STEP)])
    size = (area.width // _SHADOW_STEP, area.height // _SHADOW_STEP)
    return cv2.GaussianBlur(cv2.warpAffine(small, shift, size), (0, 0), 1.3)


def threshold(values: Pixels, limit: int) -> Bytes:
    """Return 255 where values exceed `limit`, 0 elsewhere."""
    return cv2.threshold(values, limit, 255, cv2.THRESH_BINARY)[1]  # pyright: ignore[reportReturnType]


class _Brush(NamedTuple):
    """A layer in pixels.

    Args:
        mesh: rasterized mesh, cropped to the pixels that the layer can change.
        shadow_window: window of the pixels that can cast a shadow.
        alpha: uint8 (h, w), opacity.
        front: uint8 (h, w, 3), RGB premultiplied by the opacity.
    """

    mesh: RasterizedMesh
    shadow_window: Window
    alpha: Pixels
    front: Pixels


def _brush(layer: Layer, mesh: RasterizedMesh) -> _Brush | None:
    """Compute color and opacity of a layer; None if it has no pixels."""
    distance = layer.shade if layer.distance is None else layer.distance
    at = [] if layer.coordinates is None else [layer.coordinates[..., 0], layer.coordinates[..., 1]]
    values = interpolate(mesh, layer.shade, distance, *at)
    part = _layer_slices(layer, mesh, values, _LAYER_MARGIN)
    if part is None:
        return None
    shadow_part = _layer_slices(layer, mesh, values, _SHADOW_MARGIN) if layer.shadow else None
    shadow_window = mesh.window.subwindow(*(shadow_part or part), STEP)
    mesh = mesh.crop(*part)
    window, (shade, distance, *at) = mesh.window, (plane[part] for plane in values)
    alpha: Pixels = threshold(upsample(mesh.covered.view(np.uint8) * np.uint8(255), window), 254)
    if layer.distance is not None:
        edge = upsample(distance, window)
        alpha = cv2.min(alpha, cv2.addWeighted(edge, 255, edge, 0, 127.5, dtype=cv2.CV_8U))
    shade = cv2.convertScaleAbs(upsample(shade, window), alpha=_SHADE_SCALE)
    if layer.texture is None:
        shade = cv2.multiply(shade, alpha, scale=1 / 255)
        front = cv2.merge([cv2.convertScaleAbs(shade, alpha=channel / _SHADE_SCALE) for channel in layer.color])
        return _Brush(mesh, shadow_window, alpha, front)
    texture = _sample_texture(layer, layer.texture, at, window)
    alpha = cv2.min(alpha, cv2.extractChannel(texture, 3))
    shade = cv2.cvtColor(cv2.multiply(shade, alpha, scale=1 / 255), cv2.COLOR_GRAY2RGB)
    front = cv2.multiply(cv2.cvtColor(texture, cv2.COLOR_RGBA2RGB), shade, scale=1 / _SHADE_SCALE)
    return _Brush(mesh, shadow_window, alpha, front)


def _layer_slices(
    layer: Layer, mesh: RasterizedMesh, values: Sequence[Floats], margin: tuple[float, float]
) -> _Slices | None:
    """Return rows and columns, at 1/`STEP`, that contain a layer and a margin; None if it has no pixels.

    `values` are the interpolated shade, distance and coordinates.
    """
    mask: Pixels = mesh.covered.view(np.uint8)
    if layer.distance is not None:
        mask = cv2.bitwise_and(mask, cv2.inRange(values[1], -margin[0], np.inf))
    if layer.texture is not None:
        for at, length in zip(values[2:], layer.texture.shape[1::-1], strict=True):
            mask = cv2.bitwise_and(mask, cv2.inRange(at, -margin[1], length + margin[1]))
    return _bounding_slices(mask, WINDOW_STEP // STEP)


def _bounding_slices(mask: Pixels, step: int) -> _Slices | None:
    """Return rows and columns, in multiples of `step`, of all nonzero pixels and their neighbors; None without any."""
    left, top, width, height = cv2.boundingRect(mask)
    rows, columns = (
        slice(max(start - 1, 0) // step * step, min(-(-(start + length + 1) // step) * step, limit))
        for start, length, limit in ((top, height, mask.shape[0]), (left, width, mask.shape[1]))
    )
    return (rows, columns) if width else None


def _sample_texture(layer: Layer, texture: Bytes, coordinates: Sequence[Floats], window: Window) -> Bytes:
    """Return the texture's RGB and opacity at each pixel of the window; transparent outside the texture."""
    assert layer.coordinates is not None
    shift = layer.coordinates - layer.points
    x, y = (round(float(n)) for n in shift[0, 0])
    if np.abs(shift - (x, y)).max() > 1e-6:
        columns, rows = (upsample(at, window) for at in coordinates)
        return cv2.remap(texture, columns, rows, cv2.INTER_LINEAR)  # pyright: ignore[reportReturnType]
    height, width = texture.shape[:2]  # the texture is only shifted by whole pixels
    left, top = window.left + x, window.top + y
    right, bottom = left + window.width, top + window.height
    part = texture[max(top, 0) : max(bottom, 0), max(left, 0) : max(right, 0)]
    return cv2.copyMakeBorder(
        part, max(-top, 0), max(bottom - height, 0), max(-left, 0), max(right - width, 0), cv2.BORDER_CONSTANT
    )  # pyright: ignore[reportReturnType]


def cylinder_shade(direction: Array, columns: Array, softness: float = 0.35) -> Array:
    """Shade (R, C) a tube or a rounded sheet under the light of the image; about 1 where it faces the light.

    Args:
        direction: (R, 2), unit vectors in the image towards increasing columns.
        columns: (C,) or (R, C), position across the tube, -1..1 from edge to edge.
        softness: 0 for full contrast, 1 for flat.
    """
    t = np.minimum(np.maximum(columns, -1), 1) * 0.94
    return _round_shade((direction @ _LIGHT[:2])[:, None] * t, t * t, softness)


def tube_shade(facing: Array, softness: float = 0.35) -> Array:
    """Shade like `cylinder_shade`, from vectors (R, C, 2) off the tube's center line, of length 1 at its edge."""
    length = np.maximum(np.hypot(facing[..., 0], facing[..., 1]), 1e-9)
    t = np.minimum(length, 1) * 0.94
    return _round_shade(facing @ _LIGHT[:2] / length * t, t * t, softness)


def _round_shade(sideways: Array, square: Array, softness: float) -> Array:
    light = np.maximum((sideways + _LIGHT[2] * np.sqrt(1 - square)) / np.linalg.norm(_LIGHT), 0)
    return softness + 0.12 + (1 - softness) * np.minimum(light, 1)
