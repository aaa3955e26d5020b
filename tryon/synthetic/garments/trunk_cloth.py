"""Cut and drape cloth around the trunk: tops and dresses without sleeves, and skirts."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from tryon.synthetic.figure.body import ARMPIT, BUST, HIP, SHOULDER, WAIST, Body
from tryon.synthetic.figure.pose import SIDES
from tryon.synthetic.figure.surfaces import trunk_points
from tryon.synthetic.garments.cloth_mesh import WAISTBAND, ClothMesh, Drape, Grid, Piece, SewnDetail
from tryon.synthetic.garments.folds import Fold, bump, pleated_hem, pleated_light, ridges, waves
from tryon.synthetic.garments.necklines import TOP, neck_line, neckline_opening
from tryon.synthetic.paint.curves import Array, cached_linspace, profile, smoothstep

_PLACKET = 0.05
"""Half-width of a button placket, in units of t."""

_WAVY_FLARE = 0.1
"""Minimum flare whose hem waves need a finer mesh."""


def skirt_reach(body: Body, heights: Array) -> Array:
    """Return the half-width (R,) that a skirt needs at each height to cover both legs."""
    if heights.max() < HIP - 0.1:
        return np.zeros(len(heights))
    legs = [np.abs(body.leg_point(side, heights)[:, 0] - body.center(heights)[:, 0]) for side in SIDES]
    return (np.maximum(*legs) + body.leg_half_width(heights)) * smoothstep(heights, HIP - 0.1, HIP + 0.05)


class TrunkCloth(Piece):
    """A top, dress or skirt without sleeves, from shoulders or waist to the hem."""

    @cached_property
    def grid(self) -> Grid:
        """Return a grid with about one row per hundredth of the body height, four columns per pleat."""
        top = WAISTBAND if self.garment.kind == "skirt" else TOP
        smooth = 41 if self.garment.kind != "top" and self.garment.flare > _WAVY_FLARE else 31
        columns = 4 * self.garment.pleats + 1 if self.garment.pleats else smooth
        return Grid(top, self.garment.hem, max(round((self.garment.hem - top) * 95), 20), columns)

    def half_widths(self, body: Body, heights: Array) -> Array:
        """Return the half-width of the cloth at each height."""
        g = self.garment
        waist_factor = 0.3 if g.belt or g.waist_seam else 1.0
        ease = profile(
            heights, [(SHOULDER, 0.002), (ARMPIT, 0.004 + g.ease / 2), (WAIST, g.ease * waist_factor), (HIP, g.ease)]
        )
        skin = body.half_width(heights)
        straight = np.interp(heights, [BUST, HIP], body.half_width(np.array([BUST, HIP])))
        slack = np.where((heights > BUST) & (heights < HIP), np.maximum(straight - skin, 0), 0)
        fitted = skin + ease + g.straightness * slack
        covered = (fitted**10 + (skirt_reach(body, heights) + 0.006) ** 10) ** 0.1  # smooth maximum
        return covered + g.flare * np.maximum(heights - WAIST, 0) ** 1.15

    def fit_to(self, body: Body) -> ClothMesh:
        """See base class."""
        heights, columns = self.grid.heights, self.grid.column_positions
        widths = self.half_widths(body, heights)
        points = drape_around_trunk(body, heights, columns, widths)
        points[..., 1] += (0.1 * widths * smoothstep(heights, HIP, 0.7))[:, None] * np.maximum(1 - columns**2, 0)
        return ClothMesh(points, body.across(heights), columns, heights)

    def outlines(self) -> list[Array]:
        """See base class."""
        g, grid = self.garment, self.grid
        hem = (
            pleated_hem(g.hem, g.pleats) if g.pleats else np.stack([cached_linspace(1, -1, 24), np.full(24, g.hem)], 1)
        )
        if g.kind == "skirt":
            first, sides = grid.at(cached_linspace(-1, 1, 24), grid.top), cached_linspace(grid.top, hem[0, 1], 24)
            return [np.concatenate([first, grid.at(1, sides), grid.at(*hem.T), grid.at(-1, sides[::-1])])]
        upper = neckline_opening(g)
        left, right = (cached_linspace(upper.upper[end, 1], hem[0, 1], 24) for end in (-1, 0))
        main = [grid.at(*upper.upper.T), grid.at(1, left), grid.at(*hem.T), grid.at(-1, right[::-1])]
        return [np.concatenate(main), *(grid.at(*line.T) for line in upper.outlines)]

    def lining(self) -> list[Array]:
        """See base class."""
        return [] if self.garment.kind == "skirt" else [self.grid.at(*neckline_opening(self.garment).inside.T)]

    def details(self) -> list[SewnDetail]:
        """See base class."""
        g, grid = self.garment, self.grid
        across = cached_linspace(-1, 1, 24)
        details = [] if g.pleats else [SewnDetail("stitch", grid.at(across, g.hem - 0.009))]
        if g.kind == "skirt":
            return [*details, SewnDetail("seam", grid.at(across, grid.top + 0.02))]
        t, h = neckline_opening(g).edge.T
        details.append(SewnDetail("stitch", grid.at(t, h + 0.007)))
        if g.waist_seam:
            details.append(SewnDetail("seam", grid.at(across, WAIST)))
        return details + self._placket()

    def _placket(self) -> list[SewnDetail]:
        """Return two lines down the front with buttons between them."""
        g, grid = self.garment, self.grid
        if g.buttons is None:
            return []
        top = float(neck_line(g)[:, 1].max())
        end = top + 0.07 if g.buttons == "short" else g.hem - 0.002
        heights = cached_linspace(top, end, 12)
        lines = [SewnDetail("seam", grid.at(t, heights)) for t in (-_PLACKET, _PLACKET)]
        foot = [SewnDetail("seam", grid.at(np.array([-_PLACKET, _PLACKET]), end))] if g.buttons == "short" else []
        return [*lines, *foot, SewnDetail("buttons", grid.at(0, np.arange(top + 0.014, end - 0.006, 0.034)))]

    def light(self, mesh: ClothMesh) -> Array:
        """See base class."""
        g = self.garment
        return pleated_light(mesh.columns, self.grid.heights, WAIST, g.hem, g.pleats) if g.pleats else np.ones((1, 1))

    def drape(self, body: Body, mesh: ClothMesh, rng: np.random.Generator) -> Drape:
        """See base class."""
        points, relief = mesh.points, np.zeros(mesh.points.shape[:2])
        light = np.ones_like(relief)
        h, t = self.grid.heights[:, None], mesh.columns[None]
        phase = rng.uniform(0, 6)
        if self.garment.kind != "skirt":
            relief += self._upper_folds(mesh, rng)
            light *= 1 - 0.1 * smoothstep(h, BUST + 0.005, BUST + 0.03) * (1 - smoothstep(h, BUST + 0.03, WAIST))
        if self.garment.waist_seam or self.garment.belt:
            light *= 1 - 0.16 * np.exp(-(((h - WAIST - 0.012) / 0.014) ** 2))
        points, hanging = self._lower_folds(points, t, h, phase)
        return Drape(points, relief + hanging, light)

    def _upper_folds(self, mesh: ClothMesh, rng: np.random.Generator) -> Array:
        """Compute bust, armpit and waist folds, deeper in loose cloth."""
        g, points = self.garment, mesh.points
        depth = 0.3 + 12 * g.ease

        grid = self.grid

        def at(t: float, h: float) -> Array:
            column, row = (round(float(n)) for n in grid.at(t, h))
            return points[min(max(row, 0), grid.rows - 1), column]

        folds = []
        for side in SIDES:
            for _ in range(2):
                pit, end = at(side * 0.96, ARMPIT + rng.uniform(-0.004, 0.02)), rng.uniform(-0.02, 0.05)
                folds.append(Fold(pit, at(side * rng.uniform(0.1, 0.5), BUST + end), 0.011, depth * 1.3))
            for _ in range(2):
                start = at(side, WAIST + rng.uniform(-0.04, 0.03))
                end = at(side * rng.uniform(-0.3, 0.4), WAIST + rng.uniform(-0.03, 0.06))
                folds.append(Fold(start, end, 0.01, depth * rng.uniform(0.8, 1.5)))
        breasts = [bump(points, at(side * 0.45, BUST - 0.004), 0.036, 0.009) for side in SIDES]
        right, left = np.split(ridges(points, folds), 2)
        return np.stack([breasts[0], *right, breasts[1], *left]).sum(0)  # order fixed: it affects rounding

    def _lower_folds(self, points: Array, t: Array, h: Array, phase: float) -> tuple[Array, Array]:
        """Compute long folds from waist to hem and the waves of the hem."""
        g = self.garment
        if g.pleats:
            start, depth, count = WAIST, 0.0015, 3.0
        else:
            start = BUST if g.kind == "top" else WAIST
            depth, count = 0.0022 + 0.02 * g.flare + 0.08 * g.ease * (g.kind != "skirt"), 2.4 + 5 * g.flare
        wave = waves(t, count, phase)
        hanging = smoothstep(h, start, max(g.hem, start + 0.15))
        shifted = points.copy()
        uneven = wave * (0.7 + 0.3 * np.sin(1.9 * t + 3 * phase))
        shifted[..., 1] += (0.002 + 0.016 * g.flare) * uneven * hanging**2
        return shifted, depth * wave * hanging


def drape_around_trunk(
    body: Body, heights: Array, columns: Array, half_widths: Array, until: float | None = None
) -> Array:
    """Return points (R, C, 2) of cloth around the trunk.

    Args:
        body: body of the wearer.
        heights: (R,), heights of the rows.
        columns: (C,), positions -1..1 between the edges of the trunk.
        half_widths: (R,), half-widths of the cloth.
        until: height below which the shift of a turned trunk fades out (trousers: the waist).
    """
    points = trunk_points(body, heights, columns, half_widths)
    if until is None:
        return points
    covered = smoothstep(heights, until, until + 0.13)
    shift = body.pose.front_shift * (covered * half_widths)[:, None] * np.maximum(1 - columns**2, 0)
    return points - body.across(heights)[:, None] * shift[..., None]
