"""Trousers and shorts: two halves, each from the waist down one leg."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tryon.synthetic.figure.body import ANKLE, CROTCH, HIP, Body
from tryon.synthetic.figure.pose import LEFT, Side
from tryon.synthetic.garments.kinds import Garment
from tryon.synthetic.garments.sheets import WAISTBAND, Grid, Sheet
from tryon.synthetic.paint.curves import Array, smoothstep


@dataclass(frozen=True)
class TrouserLeg:
    """One half of trousers or shorts: from waist to hem, from the side seam to the middle or the inner leg."""

    garment: Garment
    side: Side

    @property
    def sleeve_of(self) -> Side | None:
        """See `Piece`."""
        return None

    @property
    def grid(self) -> Grid:
        """A row for about every hundredth of the body's height."""
        return Grid(WAISTBAND, self.garment.hem, max(round((self.garment.hem - WAISTBAND) * 90), 20), 11)

    def on(self, body: Body) -> Sheet:
        """See `Piece`."""
        h, columns = self.grid.heights, self.grid.places
        g = self.garment
        leg, width = body.leg_point(self.side, h), self._half_widths(body, h)
        across = np.tile([1.0, 0.0], (len(h), 1))
        outer_trunk = body.centre(h) + body.across(h) * self.side * (body.half_width(h) + g.ease)[:, None]
        outer_leg, inner_leg = (leg + across * side * width[:, None] for side in (self.side, -self.side))
        below = smoothstep(h, HIP, 0.6)[:, None]
        outer = outer_trunk * (1 - below) + outer_leg * below
        apart = smoothstep(h, CROTCH - 0.012, CROTCH + 0.035)[:, None]
        inner = body.centre(h) * (1 - apart) + inner_leg * apart
        left, right = (inner, outer) if self.side == LEFT else (outer, inner)
        middle, half = (left + right) / 2, (right - left) / 2
        points = middle[:, None] + half[:, None] * columns[:, None]
        points[..., 1] += 0.006 * (np.clip(1 - columns**2, 0, None) * smoothstep(h, 0.8, 0.95)[:, None])
        return Sheet(points, across, columns, h)

    def _half_widths(self, body: Body, h: Array) -> Array:
        """Half-width of the leg of cloth: straight from thigh to ankle, never tighter than the leg."""
        g = self.garment
        taper = 1 - (0.38 - 8 * g.flare) * np.clip((h - CROTCH) / (ANKLE - CROTCH), 0, 1)
        return np.maximum(body.build.thigh * taper, body.leg_half_width(h)) + g.ease

    def seams(self) -> list[Array]:
        """See `Piece`."""
        grid = self.grid
        across = np.linspace(-1, 1, 12)
        middle = np.linspace(grid.top, CROTCH - 0.01, 12)
        bands = [grid.at(across, grid.top + 0.02), grid.at(across, self.garment.hem - 0.008)]
        return [*bands, grid.at(-self.side, middle)]

    def outlines(self) -> list[Array]:
        """See `Piece`."""
        grid = self.grid
        h = np.linspace(grid.top, self.garment.hem, 60)
        inner = 1 + 0.12 * (1 - smoothstep(h, CROTCH - 0.03, CROTCH))  # the halves overlap where they are sewn together
        hem = np.linspace(-self.side, self.side, 16)
        return [
            np.concatenate(
                [grid.at(self.side, h[::-1]), grid.at(-self.side * inner, h), grid.at(hem, self.garment.hem)]
            )
        ]
