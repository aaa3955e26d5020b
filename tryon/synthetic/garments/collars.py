"""What lies around the neck: the two points of a shirt's collar, and the tube of a high neck."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from tryon.synthetic.figure.body import CHIN, SHOULDER, Body
from tryon.synthetic.garments.cloth_mesh import ClothMesh, Drape, Grid, Piece, SewnDetail
from tryon.synthetic.garments.necklines import neck_line
from tryon.synthetic.garments.trunk_cloth import drape_around_trunk
from tryon.synthetic.paint.curves import Array, cached_linspace, offset_points, smoothstep

_STAND = 0.013
"""How far a collar or a high neck reaches up the neck from the shoulder line."""


class Collar(Piece):
    """A collar with two points: it lies around the neck and down on the chest."""

    _LEAF = 0.062

    @cached_property
    def grid(self) -> Grid:
        """A fine grid: the collar is small."""
        return Grid(SHOULDER - _STAND, SHOULDER + self._LEAF + 0.05, 14, 15)

    def fit_to(self, body: Body) -> ClothMesh:
        """Columns reach to two thirds of the shoulders."""
        heights, columns = self.grid.heights, self.grid.column_positions
        widths = np.full(len(heights), float(body.half_width(SHOULDER)))
        points = drape_around_trunk(body, heights, columns * 0.66, widths)
        return ClothMesh(points, body.across(heights), columns, heights)

    def _leaf(self) -> Array:
        """One point of the collar, (N, 2) place across and height, wearer's left."""
        edge = neck_line(self.garment)
        low = float(edge[:, 1].max())
        inner = edge[edge[:, 0] >= 0] / (0.66, 1)
        top = np.array([(0.62, SHOULDER - _STAND + 0.002), (0.7, SHOULDER - _STAND + 0.006), (0.84, SHOULDER + 0.012)])
        point = np.array([(0.56, low + 0.026), (0.5, low + 0.027)])
        return np.concatenate([[(0.0, low - 0.001)], inner, top, point])

    def outlines(self) -> list[Array]:
        """See `Piece`."""
        leaf = self._leaf()
        return [self.grid.at(*leaf.T), self.grid.at(*(leaf * (-1, 1)).T)]

    def details(self) -> list[SewnDetail]:
        """Each leaf's rim, with a shadow."""
        leaf = self._leaf()
        rim = np.concatenate([leaf[-5:], leaf[:1]])
        return [SewnDetail("edge", self.grid.at(*(rim * (side, 1)).T)) for side in (-1, 1)]

    def lining(self) -> list[Array]:
        """The inside of the collar behind the neck."""
        u = cached_linspace(-1, 1, 16)
        back = np.stack([0.62 * u, SHOULDER - _STAND + 0.002 - 0.004 * (1 - u**2)], axis=1)
        front = np.stack([0.55 * u[::-1], SHOULDER + 0.006 + 0.008 * (1 - u**2)], axis=1)
        return [self.grid.at(*np.concatenate([back, front]).T)]


class HighNeck(Piece):
    """A turtle neck: a tube up the neck."""

    _FOOT = SHOULDER + 0.02

    @cached_property
    def grid(self) -> Grid:
        """From half way up the neck to a little below the neckline."""
        return Grid(SHOULDER - _STAND, self._FOOT, 10, 13, 0.4)

    def fit_to(self, body: Body) -> ClothMesh:
        """See `Piece`."""
        heights, columns = self.grid.heights, self.grid.column_positions
        spread = 0.008 * smoothstep(heights, SHOULDER - 0.008, self._FOOT)
        widths = body.build.head * 0.73 + 0.004 + spread
        points = offset_points(body.center(heights), body.across(heights), columns * widths[:, None])
        up = np.clip((SHOULDER - heights) / 0.05, 0, 1)[:, None]
        points += (body.head_point(0, 1.0) - body.center(CHIN)) * up[..., None]
        points[..., 1] += 0.006 * np.maximum(1 - columns**2, 0)
        return ClothMesh(points, body.across(heights), columns, heights)

    def outlines(self) -> list[Array]:
        """See `Piece`."""
        upper = self.grid.at(cached_linspace(-1, 1, 20), self.grid.top)
        return [np.concatenate([upper, self._foot()[::-1]])]

    def _foot(self) -> Array:
        """Its lower edge, (20, 2) grid places."""
        u = cached_linspace(-1, 1, 20)
        side = SHOULDER + 0.002
        return self.grid.at(u * 1.06, side + (self._FOOT - side) * np.sqrt(np.clip(1 - u**2, 0, 1)))

    def details(self) -> list[SewnDetail]:
        """The fold along its upper edge and the seam at its foot."""
        fold = self.grid.at(cached_linspace(-1, 1, 20), self.grid.top + 0.007)
        return [SewnDetail("stitch", fold), SewnDetail("stitch", self._foot())]

    def lining(self) -> list[Array]:
        """The inside behind the neck."""
        u = cached_linspace(-1, 1, 20)
        back = self.grid.at(u, self.grid.top - 0.004 * (1 - u**2))
        return [np.concatenate([back, self.grid.at(u[::-1], self.grid.top + 0.004)])]

    def drape(self, body: Body, sheet: ClothMesh, rng: np.random.Generator) -> Drape:
        """The chin's shadow."""
        light = 1 - 0.22 * (1 - smoothstep(self.grid.heights, SHOULDER - 0.014, SHOULDER + 0.01))
        shape = sheet.points.shape[:2]
        return Drape(sheet.points, np.zeros(shape), np.broadcast_to(light[:, None], shape))
