"""Cloth: the flat textures of a garment, its catalogue image, and its layers on a body."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from tryon.dresscode.layout import HEIGHT, WIDTH
from tryon.synthetic.fabrics.fabric import Region, bounding_region
from tryon.synthetic.fabrics.patterns import paint_fabric
from tryon.synthetic.figure.body import WAIST, Body
from tryon.synthetic.figure.camera import Camera
from tryon.synthetic.figure.pose import Side
from tryon.synthetic.garments.cloth_mesh import ClothMesh, Piece, SewnDetail
from tryon.synthetic.garments.folds import relief_shading, soft_folds
from tryon.synthetic.garments.garment import Garment, Kind
from tryon.synthetic.garments.pieces import cut_pieces
from tryon.synthetic.garments.stitching import draw_details, fill_outline
from tryon.synthetic.paint.curves import Array
from tryon.synthetic.paint.layers import Canvas, Layer, cylinder_shade

DEPTH_INNER, DEPTH_OUTER = 50, 52
"""Depth of a garment that is tucked in, and of one that lies over it."""

_TUCK = WAIST + 0.006
"""Height below which a tucked top is not seen."""

_FILL = (0.86 * HEIGHT, 0.86 * WIDTH)
_MOST_ENLARGED: dict[Kind, float] = {"top": 1800, "trousers": 1650, "skirt": 1650, "dress": 1400}
"""Pixels per body height of the smallest garments: somewhat larger than in photos."""

_MANNEQUIN = Body()

_INSIDE = 0.55
"""How dark the inside of a garment is that lies flat."""


@dataclass(frozen=True)
class FlatPiece:
    """A piece of cloth with its texture.

    Args:
        piece: the cut.
        sheet: the piece on the mannequin.
        coordinates: (R, C, 2), the grid's points in the garment's image.
        texture: uint8 (h, w, 4), RGB and opacity of the part of the image that the piece covers.
        corner: x and y of that part in the garment's image.
    """

    piece: Piece
    mesh: ClothMesh
    coordinates: Array
    texture: NDArray[np.uint8]
    corner: tuple[int, int]


@dataclass(frozen=True)
class FlatGarment:
    """A garment laid flat: pixel coordinates of its catalogue image are its texture coordinates."""

    garment: Garment
    pieces: tuple[FlatPiece, ...]


def lay_flat(garment: Garment) -> FlatGarment:
    """Lay the garment on the mannequin, fill the frame with it, and paint its cloth."""
    pieces = cut_pieces(garment)
    sheets = [piece.fit_to(_MANNEQUIN) for piece in pieces]
    outlines = [
        [_through(sheet.points, outline) for outline in piece.outlines()]
        for piece, sheet in zip(pieces, sheets, strict=True)
    ]
    camera = _fit(np.concatenate([line for lines in outlines for line in lines]), _MOST_ENLARGED[garment.kind])
    placed = [[camera(line) for line in lines] for lines in outlines]
    parts = [_part(lines) for lines in placed]
    whole = bounding_region(parts)
    cloth = paint_fabric(garment.fabric, whole)
    flat = [
        _flat_piece(piece, sheet, camera, lines, part, part.relative_to(whole).crop(cloth))
        for piece, sheet, lines, part in zip(pieces, sheets, placed, parts, strict=True)
    ]
    return FlatGarment(garment, tuple(flat))


def _part(outlines: list[Array]) -> Region:
    """The part of the image that outlines cover, with a little room around."""
    edge = np.concatenate(outlines)
    left, top = (int(n) for n in np.maximum(np.floor(edge.min(0)) - 2, 0))
    right, bottom = (int(n) for n in np.minimum(np.ceil(edge.max(0)) + 3, (WIDTH, HEIGHT)))
    return Region(left, top, right, bottom)


def _through(points: Array, places: Array) -> Array:
    """Points (N, 2) of grid places (N, 2), interpolated between the mesh's points."""
    limit = points.shape[1] - 2, points.shape[0] - 2
    first = np.minimum(np.maximum(places, 0).astype(int), limit)
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


def _flat_piece(
    piece: Piece, sheet: ClothMesh, camera: Camera, outlines: list[Array], part: Region, cloth: NDArray[np.uint8]
) -> FlatPiece:
    """Cut a piece out of its part of the painted cloth, or of a color of its own, and sew its seams."""
    texture: NDArray[np.uint8] = cv2.cvtColor(cloth, cv2.COLOR_RGB2RGBA)  # pyright: ignore[reportAssignmentType]
    corner = part.left, part.top
    if piece.color is not None:
        texture[..., :3] = piece.color
    draw_details(
        texture,
        _placed(piece.details(), sheet.points, camera, corner),
        piece.color or piece.garment.fabric.colors[0],
        piece.garment.belt,
    )
    opacity = np.zeros(texture.shape[:2], np.uint8)
    for line in outlines:
        fill_outline(opacity, line - corner, 255)
    cv2.insertChannel(opacity, texture, 3)
    return FlatPiece(piece, sheet, camera(sheet.points), texture, corner)


def _placed(marks: list[SewnDetail], points: Array, camera: Camera, corner: tuple[int, int]) -> list[SewnDetail]:
    """Marks in pixels of a texture whose corner lies there in the image."""
    if not marks:
        return []
    pixels = camera(_through(points, np.concatenate([mark.points for mark in marks]))) - corner
    ends = np.cumsum([len(mark.points) for mark in marks])
    return [SewnDetail(mark.kind, pixels[end - len(mark.points) : end]) for mark, end in zip(marks, ends, strict=True)]


def garment_image(flat: FlatGarment) -> NDArray[np.uint8]:
    """The catalogue image of a garment on near-white.

    Returns:
        uint8 (1024, 768, 3), RGB.
    """
    rng = np.random.default_rng(flat.garment.seed)
    canvas = Canvas(np.full((HEIGHT, WIDTH, 3), round(rng.uniform(244, 252)), np.uint8), ids=False)
    inside = tuple(round(c * _INSIDE) for c in flat.garment.fabric.colors[0])
    for piece in flat.pieces:
        for line in piece.piece.lining():
            fill_outline(canvas.photo, _through(piece.coordinates, line), inside)
    layers = []
    for piece in flat.pieces:
        sheet = piece.mesh
        folds = soft_folds(sheet.points, rng, 3, 0.2) if piece.piece.color is None else np.zeros(1)
        shade = cylinder_shade(sheet.across, sheet.columns, 0.72) * piece.piece.light(sheet)
        if folds.ndim == 2:
            shade = shade * relief_shading(folds, sheet.points)
        layers.append(_layer(piece, piece.coordinates, shade, DEPTH_OUTER, 0.16))
    canvas.paint(*layers)
    return canvas.photo


def garment_layers(
    flat: FlatGarment,
    body: Body,
    camera: Camera,
    depth: int,
    arm_depths: dict[Side, int],
    seed: int,
    tucked: bool,
    keep_flow: bool = False,
) -> list[Layer]:
    """The garment on a body.

    Args:
        flat: the garment.
        body: who wears it.
        camera: where the body stands in the image.
        depth: depth of what lies on trunk and legs.
        arm_depths: depth of each arm; a sleeve lies just over its arm.
        seed: fixes the folds.
        tucked: leave out what is below the waist.
        pair: it is the garment that the pair is about: its layers know where they lie in the catalogue image.
    """
    layers = []
    drawn_in = replace(flat.garment, straightness=0.0, ease=0.004, flare=0.0)  # held by the waistband
    pieces = cut_pieces(drawn_in if tucked else flat.garment)
    for number, (piece, cloth) in enumerate(zip(flat.pieces, pieces, strict=True)):
        sheet = cloth.fit_to(body)
        drape = cloth.drape(body, sheet, np.random.default_rng((seed, number)))
        shade = cylinder_shade(sheet.across, sheet.columns, 0.45) * cloth.light(sheet) * drape.light
        shade *= relief_shading(drape.relief, drape.points)
        side = cloth.arm_side
        level = depth if side is None else arm_depths[side] + 1
        layer = _layer(piece, camera(drape.points), shade, level, 0.22)
        if tucked and sheet.heights is not None:
            above = np.broadcast_to((_TUCK - sheet.heights)[:, None] * camera.scale, shade.shape)
            layer = replace(layer, distance=above)
        layers.append(replace(layer, flat_coordinates=piece.coordinates) if keep_flow else layer)
    return layers


def _layer(piece: FlatPiece, points: Array, shade: Array, depth: int, shadow: float) -> Layer:
    coordinates = piece.coordinates - piece.corner
    label = int(piece.piece.label)
    return Layer(depth, points, label, shade, texture=piece.texture, coordinates=coordinates, shadow=shadow)
