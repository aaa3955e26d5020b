"""Cut and drape trousers and shorts as two halves."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from tryon.synthetic.figure.body import ANKLE, CROTCH, HIP, KNEE, WAIST, Body
from tryon.synthetic.figure.pose import LEFT, Side
from tryon.synthetic.garments.cloth_mesh import WAISTBAND, ClothMesh, Drape, Grid, Piece, SewnDetail
from tryon.synthetic.garments.folds import Fold, ridges, waves
from tryon.synthetic.garments.trunk_cloth import drape_around_trunk
from tryon.synthetic.paint.curves import Array, cached_linspace, smoothstep

_TAPERS = {"skinny": 0.62, "straight": 0.3, "wide": 0.0}
"""Fraction by which a leg narrows from thigh to ankle."""


@dataclass(frozen=True)
class TrouserLeg(Piece):
    """One half of trousers or shorts, from waist to hem and from side seam to inner leg."""

    side: Side

    @cached_property
    def grid(self) -> Grid:
        """Return a grid with a row for about every hundredth of the body height."""
        return Grid(WAISTBAND, self.garment.hem, max(round((self.garment.hem - WAISTBAND) * 90), 20), 13)

    def fit_to(self, body: Body) -> ClothMesh:
        """See base class."""
        h, columns = self.grid.heights, self.grid.column_positions
        upper = drape_around_trunk(body, h, (columns + self.side) / 2, body.half_width(h) + self.garment.ease, WAIST)
        leg, width = body.leg_point(self.side, h), self._half_widths(body, h)
        lower = np.repeat(leg[:, None], len(columns), axis=1)
        outward = 0.35 * self.side * self.garment.flare * np.maximum(h - CROTCH, 0)
        lower[..., 0] += columns * width[:, None] + outward[:, None]
        lower[..., 1] += 0.1 * width[:, None] * np.maximum(1 - columns**2, 0)
        leg_weight = smoothstep(h, CROTCH - 0.012, CROTCH + 0.035)[:, None]
        hip_weight = smoothstep(h, HIP, 0.6)[:, None]
        inner = (1 - columns * self.side) / 2  # the inner edge leaves the trunk at the crotch
        weight = (hip_weight + (leg_weight - hip_weight) * np.clip(inner, 0, 1))[..., None]
        points = upper * (1 - weight) + lower * weight
        points[..., 0] += self._missing_width(body, h, points)[:, None] * (1 + columns * self.side) / 2
        return ClothMesh(points, np.tile([1.0, 0.0], (len(h), 1)), columns, h)

    def _missing_width(self, body: Body, h: Array, points: Array) -> Array:
        """Return how far (R,) the outer edge must move along x to cover hip and thigh."""
        outer = points[:, np.argmin(np.abs(self.grid.column_positions - self.side)), 0] * self.side
        thigh = body.leg_point(self.side, h)[:, 0] * self.side + body.leg_half_width(h)
        hip = body.center(h)[:, 0] * self.side + body.half_width(h)
        skin = np.maximum(np.where(h > HIP, thigh, 0), np.where(h < CROTCH - 0.01, hip, 0))
        missing = np.maximum(skin + 0.003 - outer, 0)
        neighbors = np.minimum(np.maximum(np.arange(len(h)) + np.arange(-3, 4)[:, None], 0), len(h) - 1)
        return self.side * missing[neighbors].max(0)

    def _half_widths(self, body: Body, h: Array) -> Array:
        """Return the half-width of the trouser leg, never tighter than the leg."""
        g = self.garment
        taper = 1 - _TAPERS[g.shape or "straight"] * np.clip((h - CROTCH) / (ANKLE - CROTCH), 0, 1)
        cut = np.maximum(body.build.thigh * taper, body.leg_half_width(h))
        return cut + g.ease + 0.65 * g.flare * np.maximum(h - CROTCH, 0)

    def outlines(self) -> list[Array]:
        """See base class."""
        grid = self.grid
        h = cached_linspace(grid.top, self.garment.hem, 60)
        inner = 1 + 0.12 * (1 - smoothstep(h, CROTCH - 0.03, CROTCH))  # the halves overlap where they are sewn together
        hem = cached_linspace(-self.side, self.side, 16)
        edges = [grid.at(self.side, h[::-1]), grid.at(-self.side * inner, h), grid.at(hem, self.garment.hem)]
        return [np.concatenate(edges)]

    def details(self) -> list[SewnDetail]:
        """Return waistband, hem, pocket and, on the left half, which overlaps the right, middle seam and fly."""
        grid, side = self.grid, self.side
        across = cached_linspace(-1, 1, 12)
        details = [
            SewnDetail("seam", grid.at(across, grid.top + 0.02)),
            SewnDetail("stitch", grid.at(across, self.garment.hem - 0.01)),
        ]
        u = cached_linspace(0, 1, 10)
        details.append(SewnDetail("edge", grid.at(side * (0.35 + 0.62 * u**1.6), grid.top + 0.022 + 0.05 * u)))
        if side == LEFT:
            details.append(SewnDetail("seam", grid.at(-side, cached_linspace(grid.top, CROTCH - 0.01, 12))))
            details.append(
                SewnDetail("stitch", grid.at(-0.72 - 0.28 * smoothstep(u, 0.6, 1), grid.top + 0.02 + 0.075 * u))
            )
        return details

    def drape(self, body: Body, mesh: ClothMesh, rng: np.random.Generator) -> Drape:
        """See base class."""
        g, points, h = self.garment, mesh.points, self.grid.heights
        depth = {"skinny": 0.5, "straight": 0.6, "wide": 0.7}[g.shape or "straight"]
        light = np.ones(points.shape[:2])
        inner = np.clip((-mesh.columns * self.side + 0.2) / 1.2, 0, 1)[None]
        light -= 0.2 * inner**2 * (np.exp(-(((h - CROTCH - 0.03) / 0.05) ** 2)))[:, None]
        relief = self._radiating(points, mesh, rng, depth)
        if g.shape == "wide":
            relief += 0.004 * waves(mesh.columns[None], 2.2, rng.uniform(0, 6)) * smoothstep(h, HIP, 0.8)[:, None]
        elif g.hem > KNEE + 0.05:
            relief += self._knee(body, points, rng, depth)
        return Drape(points, relief, light)

    def _radiating(self, points: Array, mesh: ClothMesh, rng: np.random.Generator, depth: float) -> Array:
        """Compute folds from the crotch to the hip."""
        row = int(np.searchsorted(self.grid.heights, CROTCH + 0.004))
        column = int(np.argmin(np.abs(mesh.columns + 0.9 * self.side)))
        folds = []
        for _ in range(3):
            end = points[row, column] + (self.side * rng.uniform(0.04, 0.085), rng.uniform(-0.05, 0.035))
            folds.append(Fold(points[row, column], end, 0.008, depth * rng.uniform(0.9, 1.5)))
        return ridges(points, folds).sum(0)

    def _knee(self, body: Body, points: Array, rng: np.random.Generator, depth: float) -> Array:
        """Compute creases across the knee and above the shoe."""
        folds = []
        heights = [(KNEE, 0.03), (KNEE + 0.02, 0.03), *((h, 0.02) for h in (0.87, 0.905) if self.garment.hem > h)]
        for number, (h, spread) in enumerate(heights):
            point = body.leg_point(self.side, h + rng.uniform(-0.008, 0.008))
            offset = (-1) ** number * spread
            start = point + np.array([offset, rng.uniform(-0.004, 0.004)])
            end = point - np.array([offset * 0.8, rng.uniform(-0.014, 0.014)])
            folds.append(Fold(start, end, 0.007, 1.4 * depth))
        return ridges(points, folds).sum(0)
