"""Define pieces of cloth as meshes.

A piece is a grid of points with an outline in grid coordinates. The grid on the mannequin gives the flat garment, on a
posed body the worn garment; equal grid coordinates correspond to each other.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal, NamedTuple

import numpy as np

from tryon.dresscode.labels import Label
from tryon.synthetic.fabrics.fabric import Color
from tryon.synthetic.figure.body import WAIST, Body
from tryon.synthetic.figure.pose import Side
from tryon.synthetic.garments.garment import Garment
from tryon.synthetic.paint.curves import Array, cached_linspace, stack_xy

MARGIN = 0.014
"""Margin of meshes beyond outlines in body heights; exceeds `raster.MARGIN_PX` at every scale in use."""

WAISTBAND = WAIST - 0.004
"""Height of the upper edge of trousers and skirts."""


class ClothMesh(NamedTuple):
    """A mesh in body heights.

    Args:
        points: (R, C, 2).
        across: (R, 2), unit vectors towards growing columns.
        columns: (C,), -1..1 between the edges of the cloth, outside that range in the margin.
        heights: (R,), height of each row on the upright body; None for sleeves.
    """

    points: Array
    across: Array
    columns: Array
    heights: Array | None = None


class Drape(NamedTuple):
    """A worn piece with its folds.

    Args:
        points: (R, C, 2), the mesh with the waves of its hem.
        relief: (R, C), elevation towards the viewer in body heights.
        light: (R, C), factor on the shading.
    """

    points: Array
    relief: Array
    light: Array


DetailKind = Literal["seam", "stitch", "edge", "buttons", "buckle"]


class SewnDetail(NamedTuple):
    """A detail sewn on a piece.

    Args:
        kind: seam and stitch are lines, edge a line with a soft shadow; buttons are points, a buckle an outline.
        points: (N, 2), grid coordinates.
    """

    kind: DetailKind
    points: Array


@dataclass(frozen=True)
class Piece:
    """A piece of a garment."""

    garment: Garment

    @property
    def arm_side(self) -> Side | None:
        """Return the arm that it covers; None for pieces on trunk and legs."""
        return None

    @property
    def label(self) -> Label:
        """Return its label in the label map."""
        return self.garment.label

    @property
    def color(self) -> Color | None:
        """Return its own color; None if it is cut from the garment's fabric."""
        return None

    def fit_to(self, body: Body) -> ClothMesh:
        """Fit the piece to a body."""
        raise NotImplementedError

    def outlines(self) -> list[Array]:
        """Return closed outlines (N, 2) in grid coordinates (column, row); their union is the cloth."""
        raise NotImplementedError

    def details(self) -> list[SewnDetail]:
        """Return seams, buttons and other details."""
        return []

    def lining(self) -> list[Array]:
        """Return closed outlines (N, 2), in grid coordinates, of the lining visible behind the flat piece."""
        return []

    def drape(self, body: Body, mesh: ClothMesh, rng: np.random.Generator) -> Drape:
        """Add random folds to the piece on a body."""
        shape = mesh.points.shape[:2]
        return Drape(mesh.points, np.zeros(shape), np.ones(shape))

    def light(self, mesh: ClothMesh) -> Array:
        """Return the shading (R, C) or (1, 1) of the cut itself, worn or flat, such as pleats."""
        return np.ones((1, 1))


@dataclass(frozen=True)
class Grid:
    """Evenly spaced rows and columns with margins on all sides."""

    top: float
    bottom: float
    rows: int
    columns: int
    side_margin: float = 0.25

    @cached_property
    def heights(self) -> Array:
        """Return the height of each row, margins included."""
        return cached_linspace(self.top - MARGIN, self.bottom + MARGIN, self.rows)

    @cached_property
    def column_positions(self) -> Array:
        """Return the position of each column, -1..1 between the edges, margins included."""
        return cached_linspace(-1 - self.side_margin, 1 + self.side_margin, self.columns)

    def at(self, t: Array | float, h: Array | float) -> Array:
        """Convert cloth positions t at heights h to grid coordinates (N, 2)."""
        column = (np.asarray(t, np.float64) + 1 + self.side_margin) / (2 + 2 * self.side_margin) * (self.columns - 1)
        row = (np.asarray(h, np.float64) - self.top + MARGIN) / (self.bottom - self.top + 2 * MARGIN) * (self.rows - 1)
        return stack_xy(column, row)
