"""Lay garments flat, render their catalogue image and drape them over a body."""

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
from tryon.synthetic.figure.pose import SIDES, Side
from tryon.synthetic.garments.belts import BeltBand
from tryon.synthetic.garments.cloth_mesh import ClothMesh, Piece, SewnDetail
from tryon.synthetic.garments.collars import Collar, HighNeck
from tryon.synthetic.garments.folds import relief_shading, soft_folds
from tryon.synthetic.garments.garment import Garment, Kind
from tryon.synthetic.garments.sleeves import LENGTHS, SleeveCloth
from tryon.synthetic.garments.stitching import draw_details, fill_outline
from tryon.synthetic.garments.trousers import TrouserLeg
from tryon.synthetic.garments.trunk_cloth import TrunkCloth
from tryon.synthetic.paint.curves import Array
from tryon.synthetic.paint.layers import Canvas, Layer, cylinder_shade

DEPTH_INNER, DEPTH_OUTER = 50, 52
"""Depth of a tucked garment and of one worn over it."""

_TUCK = WAIST + 0.006
"""Height below which a tucked top is invisible."""

_MAX_SIZE = (0.86 * HEIGHT, 0.86 * WIDTH)
_MAX_SCALES: dict[Kind, float] = {"top": 1800, "trousers": 1650, "skirt": 1650, "dress": 1400}
"""Maximum pixels per body height; small garments are shown slightly larger than in photos."""

_MANNEQUIN = Body()

_LINING_SHADE = 0.55
"""Factor on the color of the visible lining."""


@dataclass(frozen=True)
class FlatPiece:
    """A piece of cloth with its texture.

    Args:
        piece: the piece.
        mesh: the piece on the mannequin.
        coordinates: (R, C, 2), grid points in the catalogue image.
        texture: uint8 (h, w, 4), RGB and opacity of the region that the piece covers.
        corner: x and y of that region in the catalogue image.
    """

    piece: Piece
    mesh: ClothMesh
    coordinates: Array
    texture: NDArray[np.uint8]
    corner: tuple[int, int]


@dataclass(frozen=True)
class FlatGarment:
    """A garment laid flat; pixels of its catalogue image are its texture coordinates."""

    garment: Garment
    pieces: tuple[FlatPiece, ...]


def cut_pieces(garment: Garment) -> list[Piece]:
    """Return the pieces of a garment in painting order."""
    pieces: list[Piece] = [TrouserLeg(garment, side) for side in SIDES if garment.kind == "trousers"]
    pieces = pieces or [TrunkCloth(garment)]
    if garment.sleeve in LENGTHS:
        pieces += [SleeveCloth(garment, side) for side in SIDES]
    if garment.neckline == "collar":
        pieces.append(Collar(garment))
    if garment.neckline == "high":
        pieces.append(HighNeck(garment))
    if garment.belt:
        pieces.append(BeltBand(garment))
    return pieces


def lay_flat(garment: Garment) -> FlatGarment:
    """Fit the garment to the mannequin, scale it to the frame and paint its cloth."""
    pieces = cut_pieces(garment)
    meshes = [piece.fit_to(_MANNEQUIN) for piece in pieces]
    outlines = [
        [_sample_grid(mesh.points, outline) for outline in piece.outlines()]
        for piece, mesh in zip(pieces, meshes, strict=True)
    ]
    camera = _fit_camera(np.concatenate([line for lines in outlines for line in lines]), _MAX_SCALES[garment.kind])
    outlines_px = [[camera(line) for line in lines] for lines in outlines]
    regions = [_bounding_region(lines) for lines in outlines_px]
    cloth_region = bounding_region(regions)
    cloth = paint_fabric(garment.fabric, cloth_region)
    flat = [
        _flat_piece(piece, mesh, camera, lines, region, region.relative_to(cloth_region).crop(cloth))
        for piece, mesh, lines, region in zip(pieces, meshes, outlines_px, regions, strict=True)
    ]
    return FlatGarment(garment, tuple(flat))


def _bounding_region(outlines: list[Array]) -> Region:
    """Return the region of the image that outlines cover, with a small margin."""
    edge = np.concatenate(outlines)
    left, top = (int(n) for n in np.maximum(np.floor(edge.min(0)) - 2, 0))
    right, bottom = (int(n) for n in np.minimum(np.ceil(edge.max(0)) + 3, (WIDTH, HEIGHT)))
    return Region(left, top, right, bottom)


def _sample_grid(points: Array, coordinates: Array) -> Array:
    """Interpolate mesh points at grid coordinates (N, 2)."""
    limit = points.shape[1] - 2, points.shape[0] - 2
    first = np.minimum(np.maximum(coordinates, 0).astype(int), limit)
    right, down = (coordinates - first).T[..., None]
    column, row = first.T
    upper = points[row, column] * (1 - right) + points[row, column + 1] * right
    lower = points[row + 1, column] * (1 - right) + points[row + 1, column + 1] * right
    return upper * (1 - down) + lower * down


def _fit_camera(outline: Array, max_scale: float) -> Camera:
    low, high = outline.min(0), outline.max(0)
    scale = min(_MAX_SIZE[0] / (high[1] - low[1]), _MAX_SIZE[1] / (high[0] - low[0]), max_scale)
    middle = (low + high) / 2
    return Camera(scale, WIDTH / 2 - middle[0] * scale, HEIGHT / 2 - middle[1] * scale)


def _flat_piece(
    piece: Piece, mesh: ClothMesh, camera: Camera, outlines: list[Array], region: Region, cloth: NDArray[np.uint8]
) -> FlatPiece:
    """Cut a piece out of the painted cloth, or out of its own color, and draw its details."""
    texture: NDArray[np.uint8] = cv2.cvtColor(cloth, cv2.COLOR_RGB2RGBA)  # pyright: ignore[reportAssignmentType]
    corner = region.left, region.top
    if piece.color is not None:
        texture[..., :3] = piece.color
    draw_details(
        texture,
        _to_pixels(piece.details(), mesh.points, camera, corner),
        piece.color or piece.garment.fabric.colors[0],
        piece.garment.belt,
    )
    opacity = np.zeros(texture.shape[:2], np.uint8)
    for line in outlines:
        fill_outline(opacity, line - corner, 255)
    cv2.insertChannel(opacity, texture, 3)
    return FlatPiece(piece, mesh, camera(mesh.points), texture, corner)


def _to_pixels(details: list[SewnDetail], points: Array, camera: Camera, corner: tuple[int, int]) -> list[SewnDetail]:
    """Convert details to pixels of a texture with its corner at `corner` in the image."""
    if not details:
        return []
    pixels = camera(_sample_grid(points, np.concatenate([detail.points for detail in details]))) - corner
    ends = np.cumsum([len(detail.points) for detail in details])
    return [
        SewnDetail(detail.kind, pixels[end - len(detail.points) : end])
        for detail, end in zip(details, ends, strict=True)
    ]


def garment_image(flat: FlatGarment) -> NDArray[np.uint8]:
    """Render the catalogue image of a garment on near-white: uint8 (1024, 768, 3), RGB."""
    rng = np.random.default_rng(flat.garment.seed)
    canvas = Canvas(np.full((HEIGHT, WIDTH, 3), round(rng.uniform(244, 252)), np.uint8), ids=False)
    lining_color = tuple(round(c * _LINING_SHADE) for c in flat.garment.fabric.colors[0])
    for piece in flat.pieces:
        for line in piece.piece.lining():
            fill_outline(canvas.photo, _sample_grid(piece.coordinates, line), lining_color)
    layers = []
    for piece in flat.pieces:
        mesh = piece.mesh
        folds = soft_folds(mesh.points, rng, 3, 0.2) if piece.piece.color is None else np.zeros(1)
        shade = cylinder_shade(mesh.across, mesh.columns, 0.72) * piece.piece.light(mesh)
        if folds.ndim == 2:
            shade = shade * relief_shading(folds, mesh.points)
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
    """Drape a garment over a body and return its layers.

    Args:
        flat: garment to drape.
        body: body of the wearer.
        camera: projection to the image.
        depth: depth of the pieces on trunk and legs.
        arm_depths: depth of each arm; sleeves are painted just over their arm.
        seed: seed of the folds.
        tucked: hide everything below the waist.
        keep_flow: keep catalogue coordinates in the layers, for ground-truth flow.
    """
    layers = []
    tucked_garment = replace(flat.garment, straightness=0.0, ease=0.004, flare=0.0)  # held by the waistband
    pieces = cut_pieces(tucked_garment if tucked else flat.garment)
    for number, (piece, cloth) in enumerate(zip(flat.pieces, pieces, strict=True)):
        mesh = cloth.fit_to(body)
        drape = cloth.drape(body, mesh, np.random.default_rng((seed, number)))
        shade = cylinder_shade(mesh.across, mesh.columns, 0.45) * cloth.light(mesh) * drape.light
        shade *= relief_shading(drape.relief, drape.points)
        side = cloth.arm_side
        level = depth if side is None else arm_depths[side] + 1
        layer = _layer(piece, camera(drape.points), shade, level, 0.22)
        if tucked and mesh.heights is not None:
            above = np.broadcast_to((_TUCK - mesh.heights)[:, None] * camera.scale, shade.shape)
            layer = replace(layer, distance=above)
        layers.append(replace(layer, flat_coordinates=piece.coordinates) if keep_flow else layer)
    return layers


def _layer(piece: FlatPiece, points: Array, shade: Array, depth: int, shadow: float) -> Layer:
    coordinates = piece.coordinates - piece.corner
    label = int(piece.piece.label)
    return Layer(depth, points, label, shade, texture=piece.texture, coordinates=coordinates, shadow=shadow)
