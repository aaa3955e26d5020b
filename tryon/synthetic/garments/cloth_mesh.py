"""Cloth as meshes: what a piece of a garment is, and the grids that pieces are made of.

A piece is a grid of points with an outline in grid places. The same grid laid over the mannequin gives the flat
garment, over a posed body the worn one; equal grid places are equal threads, which is all the correspondence there is.
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
"""How far meshes reach beyond outlines, in body heights; above `raster.MARGIN_PX` at every scale in use."""

WAISTBAND = WAIST - 0.004
"""Height of the upper edge of trousers and skirts."""


class ClothMesh(NamedTuple):
    """A mesh in body heights.

    Args:
        points: (R, C, 2).
        across: (R, 2), unit vectors towards growing columns.
        columns: (C,), -1..1 between the edges of the cloth, beyond in the margin.
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
        relief: (R, C), towards the viewer, in body heights.
        light: (R, C), factor on the light that reaches the cloth.
    """

    points: Array
    relief: Array
    light: Array


DetailKind = Literal["seam", "stitch", "edge", "buttons", "buckle"]


class SewnDetail(NamedTuple):
    """Something small that is sewn on a piece.

    Args:
        kind: seam and stitch are lines, edge a line with a soft shadow; buttons are points, a buckle an outline.
        places: (N, 2) grid places.
    """

    kind: DetailKind
    points: Array


@dataclass(frozen=True)
class Piece:
    """A piece of cloth.

    Args:
        garment: what it is a piece of.
    """

    garment: Garment

    @property
    def arm_side(self) -> Side | None:
        """The arm it is worn on; None for what lies on trunk and legs."""
        return None

    @property
    def label(self) -> Label:
        """Its label in the label map."""
        return self.garment.label

    @property
    def color(self) -> Color | None:
        """Its own color; None for what is cut from the garment's fabric."""
        return None

    def fit_to(self, body: Body) -> ClothMesh:
        """Lay the piece on a body."""
        raise NotImplementedError

    def outlines(self) -> list[Array]:
        """Closed outlines (N, 2) in grid places (column, row); their union is the cloth."""
        raise NotImplementedError

    def details(self) -> list[SewnDetail]:
        """Seams, buttons and the like."""
        return []

    def lining(self) -> list[Array]:
        """Closed outlines (N, 2), in grid places, of the inside that is seen behind the piece where it lies flat."""
        return []

    def drape(self, body: Body, sheet: ClothMesh, rng: np.random.Generator) -> Drape:
        """How the worn piece hangs.

        Args:
            body: who wears it.
            sheet: the piece on that body.
            rng: draws where the folds lie.
        """
        shape = sheet.points.shape[:2]
        return Drape(sheet.points, np.zeros(shape), np.ones(shape))

    def light(self, sheet: ClothMesh) -> Array:
        """Factor (R, C) or (1, 1) on light that is the cut's own, worn or flat: pleats."""
        return np.ones((1, 1))


@dataclass(frozen=True)
class Grid:
    """Rows at even heights and columns at even places, with margins all round."""

    top: float
    bottom: float
    rows: int
    columns: int
    side_margin: float = 0.25

    @cached_property
    def heights(self) -> Array:
        """Height of each row, margins included."""
        return cached_linspace(self.top - MARGIN, self.bottom + MARGIN, self.rows)

    @cached_property
    def column_positions(self) -> Array:
        """Place of each column, margins included."""
        return cached_linspace(-1 - self.side_margin, 1 + self.side_margin, self.columns)

    def at(self, t: Array | float, h: Array | float) -> Array:
        """Grid places (N, 2) of cloth places t at heights h."""
        column = (np.asarray(t, np.float64) + 1 + self.side_margin) / (2 + 2 * self.side_margin) * (self.columns - 1)
        row = (np.asarray(h, np.float64) - self.top + MARGIN) / (self.bottom - self.top + 2 * MARGIN) * (self.rows - 1)
        return stack_xy(column, row)
