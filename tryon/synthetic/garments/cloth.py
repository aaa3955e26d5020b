"""Cloth: the flat textures of a garment, its catalogue picture, and its layers on a body."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from tryon.dresscode.layout import HEIGHT, WIDTH
from tryon.synthetic.fabrics.patterns import Colour, paint_fabric
from tryon.synthetic.figure.body import WAIST, Body
from tryon.synthetic.figure.camera import Camera
from tryon.synthetic.figure.pose import Side
from tryon.synthetic.garments.cut import cut
from tryon.synthetic.garments.kinds import Garment, Kind
from tryon.synthetic.garments.sheets import Piece, Sheet
from tryon.synthetic.paint.curves import Array
from tryon.synthetic.paint.layers import Canvas, Layer, cylinder_shade

DEPTH_INNER, DEPTH_OUTER = 50, 52
"""Depth of a garment that is tucked in, and of one that lies over it."""

_TUCK = WAIST + 0.006
"""Height below which a tucked top is not seen."""

_FILL = (0.86 * HEIGHT, 0.86 * WIDTH)
_MOST_ENLARGED: dict[Kind, float] = {"top": 1800, "trousers": 1650, "skirt": 1650, "dress": 1400}
"""Pixels per body height of the smallest garments: somewhat larger than in photos."""

_SHIFT = 4


@dataclass(frozen=True)
class FlatPiece:
    """A piece of cloth with its texture.

    Args:
        piece: the cut.
        coordinates: (R, C, 2), the grid's points in the garment's picture.
        texture: uint8 (h, w, 4), RGB and opacity of the part of the picture that the piece covers.
        corner: x and y of that part in the garment's picture.
    """

    piece: Piece
    coordinates: Array
    texture: NDArray[np.uint8]
    corner: tuple[int, int]


@dataclass(frozen=True)
class FlatGarment:
    """A garment laid flat: pixel coordinates of its catalogue picture are its texture coordinates."""

    garment: Garment
    pieces: tuple[FlatPiece, ...]


def lay_flat(garment: Garment) -> FlatGarment:
    """Lay the garment on the mannequin, fill the frame with it, and paint its cloth."""
    pieces = cut(garment)
    mannequin = Body()
    sheets = [piece.on(mannequin).points for piece in pieces]
    outlines = [
        [_through(points, outline) for outline in piece.outlines()]
        for piece, points in zip(pieces, sheets, strict=True)
    ]
    camera = _fit(np.concatenate([line for lines in outlines for line in lines]), _MOST_ENLARGED[garment.kind])
    cloth = paint_fabric(garment.fabric)
    thread = _darker(garment.fabric.colours[0])
    flat = []
    for piece, points, lines in zip(pieces, sheets, outlines, strict=True):
        made = _flat_piece(piece, camera(points), [camera(line) for line in lines], cloth)
        _sew(made, [camera(_through(points, seam)) for seam in piece.seams()], thread)
        flat.append(made)
    return FlatGarment(garment, tuple(flat))


def _through(points: Array, places: Array) -> Array:
    """Points (N, 2) of grid places (N, 2), interpolated between the mesh's points."""
    limit = np.array([points.shape[1], points.shape[0]]) - 2
    first = np.clip(np.floor(places).astype(int), 0, limit)
    right, down = (places - first).T[..., None]
    column, row = first.T
    upper = points[row, column] * (1 - right) + points[row, column + 1] * right
    lower = points[row + 1, column] * (1 - right) + points[row + 1, column + 1] * right
    return upper * (1 - down) + lower * down


def _fit(outline: Array, most: float) -> Camera:
    low, high = outline.min(0), outline.max(0)
    scale = min(_FILL[0] / (high[1] - low[1]), _FILL[1] / (high[0] - low[0]), most)
    middle = (low + high) / 2
    return Camera(scale, WIDTH / 2 - middle[0] * scale, HEIGHT / 2 - middle[1] * scale)


def _flat_piece(piece: Piece, coordinates: Array, outlines: list[Array], cloth: NDArray[np.uint8]) -> FlatPiece:
    edge = np.concatenate(outlines)
    left, top = (int(n) for n in np.clip(np.floor(edge.min(0)) - 2, 0, None))
    right, bottom = (int(n) for n in np.minimum(np.ceil(edge.max(0)) + 3, (WIDTH, HEIGHT)))
    texture = np.zeros((bottom - top, right - left, 4), np.uint8)
    texture[..., :3] = cloth[top:bottom, left:right]
    opacity = np.zeros(texture.shape[:2], np.uint8)
    for line in outlines:
        cv2.fillPoly(opacity, [_fixed(line - (left, top))], 255, cv2.LINE_AA, _SHIFT)
    texture[..., 3] = opacity
    return FlatPiece(piece, coordinates, texture, (left, top))


def _sew(flat: FlatPiece, seams: list[Array], thread: Colour) -> None:
    """Draw hems and bands as thin lines on a piece's texture."""
    colours = np.ascontiguousarray(flat.texture[..., :3])
    for line in seams:
        cv2.polylines(colours, [_fixed(line - flat.corner)], False, thread, 5, cv2.LINE_AA, _SHIFT)
    flat.texture[..., :3] = colours


def _darker(colour: Colour) -> Colour:
    red, green, blue = (round(c * 0.6) for c in colour)
    return red, green, blue


def _fixed(line: Array) -> NDArray[np.int32]:
    return np.round(line * 2**_SHIFT).astype(np.int32)


def garment_picture(flat: FlatGarment) -> NDArray[np.uint8]:
    """The catalogue picture of a garment on near-white.

    Returns:
        uint8 (1024, 768, 3), RGB.
    """
    rng = np.random.default_rng(flat.garment.seed)
    canvas = Canvas(np.full((HEIGHT, WIDTH, 3), rng.uniform(244, 252), np.float32))
    sheets = [piece.piece.on(Body()) for piece in flat.pieces]
    for piece, sheet in zip(flat.pieces, sheets, strict=True):
        shade = cylinder_shade(sheet.across, sheet.columns, 0.72) * _folds(sheet, rng, 0.05)
        canvas.paint(_layer(piece, piece.coordinates, shade, DEPTH_OUTER, flat.garment.label, shadow=0.16))
    return to_bytes(canvas.photo)


def to_bytes(photo: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Round a photo (no value below 0) to uint8, 255 at most."""
    return cv2.convertScaleAbs(photo)  # pyright: ignore[reportReturnType]


def worn_layers(
    flat: FlatGarment, body: Body, camera: Camera, depth: int, arm_depths: dict[Side, int], seed: int, tucked: bool
) -> list[Layer]:
    """The garment on a body.

    Args:
        flat: the garment.
        body: who wears it.
        camera: where the body stands in the picture.
        depth: depth of what lies on trunk and legs.
        arm_depths: depth of each arm; a sleeve lies just over its arm.
        seed: fixes the folds.
        tucked: leave out what is below the waist.
    """
    layers = []
    drawn_in = replace(flat.garment, straightness=0.0, ease=0.004, flare=0.0)  # held by the waistband
    pieces = cut(drawn_in if tucked else flat.garment)
    for number, (piece, cloth) in enumerate(zip(flat.pieces, pieces, strict=True)):
        rng = np.random.default_rng((seed, number))
        sheet = cloth.on(body)
        shade = cylinder_shade(sheet.across, sheet.columns, 0.45) * _folds(sheet, rng, 0.075)
        side = cloth.sleeve_of
        level = depth if side is None else arm_depths[side] + 1
        layer = _layer(piece, camera(sheet.points), shade, level, flat.garment.label, shadow=0.22)
        if tucked and sheet.heights is not None:
            above = np.broadcast_to((_TUCK - sheet.heights)[:, None] * camera.scale, shade.shape)
            layer = replace(layer, distance=above)
        layers.append(layer)
    return layers


def _layer(piece: FlatPiece, points: Array, shade: Array, depth: int, label: int, shadow: float) -> Layer:
    coordinates = piece.coordinates - piece.corner
    return Layer(depth, points, label, shade, texture=piece.texture, coordinates=coordinates, shadow=shadow)


def _folds(sheet: Sheet, rng: np.random.Generator, strength: float) -> Array:
    """Soft folds that run down the cloth: factors (R, C) around 1."""
    rows, columns = sheet.points.shape[:2]
    waves = rng.normal(size=(max(rows // 7, 3), max(columns // 2, 4))).astype(np.float32)
    smooth = cv2.resize(waves, (columns, rows), interpolation=cv2.INTER_CUBIC)
    return 1 + strength * np.clip(smooth, -1.6, 1.6).astype(np.float64)
