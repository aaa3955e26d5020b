"""Cut shirt collars and turtlenecks."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from tryon.synthetic.figure.body import CHIN, SHOULDER, Body
from tryon.synthetic.garments.cloth_mesh import ClothMesh, Drape, Grid, Piece, SewnDetail
from tryon.synthetic.garments.necklines import neck_line
from tryon.synthetic.garments.trunk_cloth import drape_around_trunk
from tryon.synthetic.paint.curves import Array, cached_linspace, offset_points, smoothstep

_STAND = 0.013
"""Height of a collar or turtleneck above the shoulder line."""


class Collar(Piece):
    """A collar with two points around the neck and on the chest."""

    _LEAF = 0.062

    @cached_property
    def grid(self) -> Grid:
        """Return a fine grid for the small collar."""
        return Grid(SHOULDER - _STAND, SHOULDER + self._LEAF + 0.05, 14, 15)

    def fit_to(self, body: Body) -> ClothMesh:
        """Fit columns to two thirds of the shoulder width."""
        heights, columns = self.grid.heights, self.grid.column_positions
        widths = np.full(len(heights), float(body.half_width(SHOULDER)))
        points = drape_around_trunk(body, heights, columns * 0.66, widths)
        return ClothMesh(points, body.across(heights), columns, heights)

    def _leaf(self) -> Array:
        """Return the outline (N, 2) of one collar point, position and height, on the wearer's left."""
        edge = neck_line(self.garment)
        low = float(edge[:, 1].max())
        inner = edge[edge[:, 0] >= 0] / (0.66, 1)
        top = np.array([(0.62, SHOULDER - _STAND + 0.002), (0.7, SHOULDER - _STAND + 0.006), (0.84, SHOULDER + 0.012)])
        point = np.array([(0.56, low + 0.026), (0.5, low + 0.027)])
        return np.concatenate([[(0.0, low - 0.001)], inner, top, point])

    def outlines(self) -> list[Array]:
        """See base class."""
        leaf = self._leaf()
        return [self.grid.at(*leaf.T), self.grid.at(*(leaf * (-1, 1)).T)]

    def details(self) -> list[SewnDetail]:
        """Return the rim of each collar point, with a shadow."""
        leaf = self._leaf()
        rim = np.concatenate([leaf[-5:], leaf[:1]])
        return [SewnDetail("edge", self.grid.at(*(rim * (side, 1)).T)) for side in (-1, 1)]

    def lining(self) -> list[Array]:
        """Return the inside of the collar behind the neck."""
        u = cached_linspace(-1, 1, 16)
        back = np.stack([0.62 * u, SHOULDER - _STAND + 0.002 - 0.004 * (1 - u**2)], axis=1)
        front = np.stack([0.55 * u[::-1], SHOULDER + 0.006 + 0.008 * (1 - u**2)], axis=1)
        return [self.grid.at(*np.concatenate([back, front]).T)]


class HighNeck(Piece):
    """A turtleneck."""

    _FOOT = SHOULDER + 0.02

    @cached_property
    def grid(self) -> Grid:
        """Return the grid from half-way up the neck to just below the neckline."""
        return Grid(SHOULDER - _STAND, self._FOOT, 10, 13, 0.4)

    def fit_to(self, body: Body) -> ClothMesh:
        """See base class."""
        heights, columns = self.grid.heights, self.grid.column_positions
        spread = 0.008 * smoothstep(heights, SHOULDER - 0.008, self._FOOT)
        widths = body.build.head * 0.73 + 0.004 + spread
        points = offset_points(body.center(heights), body.across(heights), columns * widths[:, None])
        up = np.clip((SHOULDER - heights) / 0.05, 0, 1)[:, None]
        points += (body.head_point(0, 1.0) - body.center(CHIN)) * up[..., None]
        points[..., 1] += 0.006 * np.maximum(1 - columns**2, 0)
        return ClothMesh(points, body.across(heights), columns, heights)

    def outlines(self) -> list[Array]:
        """See base class."""
        upper = self.grid.at(cached_linspace(-1, 1, 20), self.grid.top)
        return [np.concatenate([upper, self._foot()[::-1]])]

    def _foot(self) -> Array:
        """Return the lower edge, (20, 2) grid coordinates."""
        u = cached_linspace(-1, 1, 20)
        side = SHOULDER + 0.002
        return self.grid.at(u * 1.06, side + (self._FOOT - side) * np.sqrt(np.clip(1 - u**2, 0, 1)))

    def details(self) -> list[SewnDetail]:
        """Return the fold along the upper edge and the lower seam."""
        fold = self.grid.at(cached_linspace(-1, 1, 20), self.grid.top + 0.007)
        return [SewnDetail("stitch", fold), SewnDetail("stitch", self._foot())]

    def lining(self) -> list[Array]:
        """Return the inside behind the neck."""
        u = cached_linspace(-1, 1, 20)
        back = self.grid.at(u, self.grid.top - 0.004 * (1 - u**2))
        return [np.concatenate([back, self.grid.at(u[::-1], self.grid.top + 0.004)])]

    def drape(self, body: Body, mesh: ClothMesh, rng: np.random.Generator) -> Drape:
        """Add the shadow of the chin."""
        light = 1 - 0.22 * (1 - smoothstep(self.grid.heights, SHOULDER - 0.014, SHOULDER + 0.01))
        shape = mesh.points.shape[:2]
        return Drape(mesh.points, np.zeros(shape), np.broadcast_to(light[:, None], shape))
