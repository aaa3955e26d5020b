"""Cut and drape sleeves."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from tryon.synthetic.figure.body import ARMPIT, Body
from tryon.synthetic.figure.pose import LEFT, Side
from tryon.synthetic.garments.cloth_mesh import MARGIN, ClothMesh, Drape, Piece, SewnDetail
from tryon.synthetic.garments.cloth_outline import (
    clip_margins,
    extrapolate_row,
    remove_self_crossing,
    row_spacing,
    smooth_edge,
)
from tryon.synthetic.garments.folds import Fold, ridges
from tryon.synthetic.garments.garment import Garment
from tryon.synthetic.garments.necklines import BARE_TOP, TOP
from tryon.synthetic.garments.trunk_cloth import TrunkCloth, drape_around_trunk
from tryon.synthetic.paint.curves import Array, cached_linspace, offset_points, smoothstep, stack_xy

LENGTHS = {"short": (0.3, 0.38), "long": (0.73, 0.79)}
"""Range of sleeve ends along the arm line, 0 shoulder to 1 finger tips; short and long are clearly apart."""

_PIT = 0.14
"""Position along the arm line (0..1) next to the armpit, where the inner edge of a sleeve begins."""

_BARE_START = (0.1, 0.07)
"""Start of the outer and inner edge of a sleeve below a bare shoulder."""

_MIN_SPACING = 0.3
"""Relative row spacing below which rows are inside a sharp bend."""


@dataclass(frozen=True)
class SleeveCloth(Piece):
    """A sleeve from the armhole along the arm."""

    side: Side

    _COLUMNS = 13
    _SIDE_MARGIN = 0.45

    @property
    def arm_side(self) -> Side | None:
        """See base class."""
        return self.side

    @property
    def length(self) -> float:
        """Return the end of the sleeve along the arm line, 0 shoulder to 1 finger tips."""
        shortest, longest = LENGTHS[self.garment.sleeve or "short"]
        return shortest + (longest - shortest) * self.garment.sleeve_reach

    @property
    def _rows(self) -> int:
        return 14 if self.garment.sleeve == "short" else 36

    @property
    def _bare(self) -> bool:
        return self.garment.neckline == "off_shoulder"

    def fit_to(self, body: Body) -> ClothMesh:
        """See base class."""
        columns = cached_linspace(-1 - self._SIDE_MARGIN, 1 + self._SIDE_MARGIN, self._COLUMNS)
        steps = cached_linspace(0, 1, self._rows - 2)[:, None]
        length = self.length
        tip, pit = self._armhole(body)
        first, second = _BARE_START if self._bare else (0.0, _PIT)
        outer = self._edge(body, tip, self.side, first + (length - first) * steps, 0.1)
        inner = self._edge(body, pit, -self.side, second + (length - second) * steps, 0.2)
        left, right = (inner, outer) if self.side == LEFT else (outer, inner)
        middle, half = (left + right) / 2, (right - left) / 2
        rows = offset_points(middle, half, clip_margins(middle, half, columns))
        inside = rows[0] - body.across(ARMPIT) * self.side * MARGIN
        if self._bare:
            inside = extrapolate_row(rows[0], rows[1])
        rows = np.concatenate([inside[None], rows, extrapolate_row(rows[-1], rows[-2])[None]])
        across = np.concatenate([half[:1], half, half[-1:]])
        return ClothMesh(rows, across / np.maximum(np.hypot(*across.T), 1e-9)[:, None], columns)

    def _edge(self, body: Body, start: Array, direction: int, along: Array, reach: float) -> Array:
        """Return one edge (N, 2) of the sleeve at positions `along` (N, 1), from `start` onto the arm's outline."""
        line = body.arm_line(self.side)
        at = along[:, 0]
        middle = _interpolate_line(line, at)
        across = _interpolate_line(body.arm_normals(self.side), at) * direction
        arm = body.arm_half_width(at)
        width = arm + 0.003 + 0.7 * self.garment.ease
        blend = smoothstep(along - along[0], 0, reach)
        edge = start * (1 - blend) + (middle + across * width[:, None]) * blend
        spacing = row_spacing(middle, across * width[:, None])
        first = 0.0 if direction == self.side else _PIT
        gap = np.maximum(arm + 0.004 - ((edge - middle) * across).sum(1), 0)
        gap *= (spacing > _MIN_SPACING) * smoothstep(at, first - 0.01, first + 0.05)
        return smooth_edge(remove_self_crossing(edge + across * gap[:, None]))  # cover the skin

    def _armhole(self, body: Body) -> tuple[Array, Array]:
        """Return upper and lower end (2,) of the armhole, slightly inside the trunk's cloth."""
        upper, lower = self._on_trunk(body)
        if self._bare:
            line = body.arm_line(self.side)
            at = round(_BARE_START[0] * (len(line) - 1))
            width = body.arm_half_width(np.array(_BARE_START))[0] + 0.004
            return line[at] + body.arm_normals(self.side)[at] * self.side * width, upper
        inwards = -self.side * body.across(ARMPIT)
        edge_point = self._edge(body, lower, -self.side, np.array([[_PIT - 0.2], [_PIT]]), 0.2)[1]
        return upper, lower + inwards * max(float((edge_point - lower) @ inwards), 0.004)

    def _on_trunk(self, body: Body) -> Array:
        """Return points (2, 2) just inside the trunk's cloth: at its upper edge and at the armpit."""
        return _trunk_sides(self.garment, body, BARE_TOP + 0.001 if self._bare else TOP)[:, int(self.side == LEFT)]

    def outlines(self) -> list[Array]:
        """See base class."""
        edge = self._SIDE_MARGIN / (2 + 2 * self._SIDE_MARGIN) * (self._COLUMNS - 1)
        first, last = 1.0, self._rows - 2.0
        rows = cached_linspace(first, last, 30)
        ends = [np.stack([np.full(30, place), rows], axis=1) for place in (edge, self._COLUMNS - 1 - edge)]
        return [np.concatenate([ends[0], ends[1][::-1]])]

    def details(self) -> list[SewnDetail]:
        """Return the hem, the cuff of a shirt and the edge of a bare shoulder."""
        cuffed = self.garment.neckline == "collar" and self.garment.sleeve == "long"
        hem = self._across(self._rows - (3.6 if cuffed else 2.5))
        armhole = SewnDetail("stitch", self._across(1.5)) if self._bare else SewnDetail("seam", self._across(1.1))
        return [SewnDetail("seam" if cuffed else "stitch", hem), armhole]

    def _across(self, row: float) -> Array:
        """Return a line (12, 2) across the sleeve."""
        return stack_xy(cached_linspace(1, self._COLUMNS - 2, 12), row)

    def drape(self, body: Body, mesh: ClothMesh, rng: np.random.Generator) -> Drape:
        """Add armpit folds, elbow creases and the shadow of the trunk."""
        g, points = self.garment, mesh.points
        depth = 0.35 + 14 * g.ease
        inner, outer = (2, -3) if self.side == LEFT else (-3, 2)
        folds = []
        for _ in range(2):
            row = int(rng.integers(4, 8))
            end = points[row, outer] * 0.7 + points[row, inner] * 0.3
            folds.append(Fold(points[1, inner], end, 0.009, depth * 1.2))
        relief = ridges(points, folds).sum(0)
        if g.sleeve == "long":
            relief += self._elbow(body, points, rng, depth)
        light = np.ones(points.shape[:2])
        across = np.clip((1 - mesh.columns * self.side) / 2, 0, 1)[None]
        shadow = 1 - smoothstep(np.arange(len(points), dtype=np.float64), 1, 9)[:, None]
        return Drape(points, relief, light - 0.16 * across**2 * shadow)

    def _elbow(self, body: Body, points: Array, rng: np.random.Generator, depth: float) -> Array:
        """Compute creases on the inner side of the elbow, deeper the more it is bent."""
        place, _ = body.elbow_and_wrist(self.side)
        row = int(np.clip(place / self.length * (len(points) - 2), 4, len(points) - 6))
        middle = points[:, points.shape[1] // 2]
        before, after = middle[row] - middle[row - 4], middle[row + 4] - middle[row]
        turn = before[0] * after[1] - before[1] * after[0]
        bend = abs(turn) / max(float(np.hypot(*before) * np.hypot(*after)), 1e-9)
        hollow, outer = (-3, 2) if turn < 0 else (2, -3)
        folds = []
        for shift in (-2, 0, 2):
            end = points[row + shift, outer] * 0.75 + points[row + shift, hollow] * 0.25
            start = points[row + shift // 2, hollow]
            folds.append(Fold(start, end + rng.normal(0, 0.003, 2), 0.008, depth * (0.5 + 1.2 * min(bend, 1))))
        return ridges(points, folds).sum(0)


@lru_cache(maxsize=2)
def _trunk_sides(garment: Garment, body: Body, top: float) -> Array:
    """Return points (2, 2, 2) just inside the trunk's cloth at `top` and armpit; cached for the other arm."""
    heights = np.array([top, ARMPIT + 0.008])
    widths = TrunkCloth(garment).half_widths(body, heights)
    return drape_around_trunk(body, heights, np.array([-0.98, 0.98]), widths)


def _interpolate_line(line: Array, at: Array) -> Array:
    """Interpolate an evenly sampled line (M, 2) at positions 0..1: (N, 2)."""
    steps = cached_linspace(0, 1, len(line))
    return stack_xy(np.interp(at, steps, line[:, 0]), np.interp(at, steps, line[:, 1]))
