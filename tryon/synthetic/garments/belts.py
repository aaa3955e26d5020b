"""Cut belts: a leather band around the waist with a buckle."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from tryon.dresscode.labels import Label
from tryon.synthetic.fabrics.fabric import Color
from tryon.synthetic.figure.body import WAIST, Body
from tryon.synthetic.garments.cloth_mesh import WAISTBAND, ClothMesh, Drape, Grid, Piece, SewnDetail
from tryon.synthetic.garments.trunk_cloth import TrunkCloth, drape_around_trunk
from tryon.synthetic.paint.curves import Array, cached_linspace

_BUCKLE = 0.13
"""Half-width of the buckle, in units of the half-width of the cloth."""


class BeltBand(Piece):
    """The band of a garment's belt."""

    @property
    def label(self) -> Label:
        """See base class."""
        return Label.BELT

    @property
    def color(self) -> Color | None:
        """See base class."""
        return self.garment.belt.color if self.garment.belt else None

    @cached_property
    def grid(self) -> Grid:
        """Return the grid on the waistband, or around the waist of a dress."""
        width = self.garment.belt.width if self.garment.belt else 0.0
        top = WAIST - width / 2 if self.garment.kind == "dress" else WAISTBAND + 0.002
        return Grid(top, top + width, 8, 17)

    def fit_to(self, body: Body) -> ClothMesh:
        """See base class."""
        heights, columns = self.grid.heights, self.grid.column_positions
        trousers = self.garment.kind == "trousers"
        widths = body.half_width(heights) + self.garment.ease
        if not trousers:
            widths = TrunkCloth(self.garment).half_widths(body, heights)
        points = drape_around_trunk(body, heights, columns, widths + 0.002, WAIST if trousers else None)
        return ClothMesh(points, body.across(heights), columns, heights)

    def outlines(self) -> list[Array]:
        """See base class."""
        u = cached_linspace(-1, 1, 24)
        return [np.concatenate([self.grid.at(u, self.grid.top), self.grid.at(u[::-1], self.grid.bottom)])]

    def details(self) -> list[SewnDetail]:
        """Return rims, holes and the buckle."""
        grid, u = self.grid, cached_linspace(-1, 1, 24)
        middle = (grid.top + grid.bottom) / 2
        inset = (grid.bottom - grid.top) * 0.16
        box = np.array([(-_BUCKLE, -1.0), (_BUCKLE, -1.0), (_BUCKLE, 1.0), (-_BUCKLE, 1.0), (-_BUCKLE, -1.0)])
        buckle = box * (1, (grid.bottom - grid.top) * 0.4) + (0, middle)
        return [
            SewnDetail("stitch", grid.at(u, grid.top + inset)),
            SewnDetail("stitch", grid.at(u, grid.bottom - inset)),
            SewnDetail("buckle", grid.at(*buckle.T)),
            SewnDetail("buckle", grid.at(np.array([-_BUCKLE, 0.03]), middle)),
        ]

    def drape(self, body: Body, mesh: ClothMesh, rng: np.random.Generator) -> Drape:
        """Shade the leather as a convex band, lighter above."""
        shape = mesh.points.shape[:2]
        fraction = (self.grid.heights - self.grid.top) / max(self.grid.bottom - self.grid.top, 1e-9)
        light = 1.1 - 0.22 * np.clip(fraction, 0, 1)
        return Drape(mesh.points, np.zeros(shape), np.broadcast_to(light[:, None], shape))
