"""How garments are cut: pieces of cloth as meshes that any body can wear.

A piece is a grid of points with an outline in grid places. The same grid laid over the mannequin gives the flat
garment, over a posed body the worn one; equal grid places are equal threads, which is all the correspondence there is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np

from tryon.synthetic.body import ANKLE, ARMPIT, BUST, CROTCH, HIP, SHOULDER, SHOULDER_DROP, WAIST, Body
from tryon.synthetic.curves import Array, normals, profile, smoothstep
from tryon.synthetic.garments import Garment
from tryon.synthetic.pose import LEFT, RIGHT, SIDES, Side

MARGIN = 0.014
"""How far meshes reach beyond outlines, in body heights; above `raster.MARGIN_PX` at every scale in use."""

_WAISTBAND = WAIST - 0.004
TUCK = WAIST + 0.006
"""Height below which a tucked top is not seen."""

_PIT = 0.14
"""Place along the arm line (0..1) that lies beside the armpit: there the inner edge of a sleeve begins."""

_SLEEVE_LENGTHS = {"short": 0.34, "long": 0.79}


class Sheet(NamedTuple):
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


class Piece(Protocol):
    """A piece of cloth."""

    @property
    def sleeve_of(self) -> Side | None:
        """The arm it is worn on; None for what lies on trunk and legs."""
        ...

    def on(self, body: Body) -> Sheet:
        """Lay the piece on a body."""
        ...

    def outlines(self) -> list[Array]:
        """Closed outlines (N, 2) in grid places (column, row); their union is the cloth."""
        ...

    def seams(self) -> list[Array]:
        """Lines (N, 2) in grid places along which hems and bands are sewn."""
        ...


def cut(garment: Garment) -> list[Piece]:
    """The pieces of a garment, in the order in which they are laid over each other."""
    if garment.kind == "trousers":
        return [TrouserLeg(garment, RIGHT), TrouserLeg(garment, LEFT)]
    pieces: list[Piece] = [Trunk(garment)]
    if garment.sleeve in _SLEEVE_LENGTHS:
        pieces += [SleevePiece(garment, side) for side in SIDES]
    return pieces


@dataclass(frozen=True)
class Grid:
    """Rows at even heights and columns at even places, with margins all round."""

    top: float
    bottom: float
    rows: int
    columns: int
    side_margin: float = 0.25

    @property
    def heights(self) -> Array:
        """Height of each row, margins included."""
        return np.linspace(self.top - MARGIN, self.bottom + MARGIN, self.rows)

    @property
    def places(self) -> Array:
        """Place of each column, margins included."""
        return np.linspace(-1 - self.side_margin, 1 + self.side_margin, self.columns)

    def at(self, t: Array | float, h: Array | float) -> Array:
        """Grid places (N, 2) of cloth places t at heights h."""
        column = (np.asarray(t, np.float64) + 1 + self.side_margin) / (2 + 2 * self.side_margin) * (self.columns - 1)
        row = (np.asarray(h, np.float64) - self.top + MARGIN) / (self.bottom - self.top + 2 * MARGIN) * (self.rows - 1)
        return np.stack(np.broadcast_arrays(column, row), axis=-1)


def trunk_points(body: Body, heights: Array, columns: Array, half_widths: Array) -> Array:
    """Points (R, C, 2) of a sheet around the trunk: rows follow spine and shoulders, columns shift as the trunk turns."""
    t = columns + 0.2 * body.pose.turn * np.clip(1 - columns**2, 0, None)
    points = body.centre(heights)[:, None] + body.across(heights)[:, None] * (t * half_widths[:, None])[..., None]
    slope = SHOULDER_DROP * np.abs(columns) ** 1.3 * (1 - smoothstep(heights, SHOULDER, ARMPIT + 0.03))[:, None]
    sag = 0.008 * np.clip(1 - columns**2, 0, None) * smoothstep(heights, 0.3, 0.5)[:, None]
    points[..., 1] += slope + sag
    return points


def skirt_reach(body: Body, heights: Array) -> Array:
    """Half-width (R,) that a skirt needs at each height to hold both legs."""
    legs = [np.abs(body.leg_point(side, heights)[:, 0] - body.centre(heights)[:, 0]) for side in SIDES]
    return (np.maximum(*legs) + body.leg_half_width(heights)) * smoothstep(heights, HIP - 0.1, HIP + 0.05)


@dataclass(frozen=True)
class Trunk:
    """Top, dress or skirt without sleeves: one sheet from shoulders or waist to the hem."""

    garment: Garment

    @property
    def sleeve_of(self) -> Side | None:
        return None

    @property
    def grid(self) -> Grid:
        """A row for about every hundredth of the body's height."""
        top = _WAISTBAND if self.garment.kind == "skirt" else SHOULDER - 0.003
        return Grid(top, self.garment.hem, max(round((self.garment.hem - top) * 80), 20), 17)

    def half_widths(self, body: Body, heights: Array) -> Array:
        """Half-width of the cloth at each height."""
        g = self.garment
        ease = profile(heights, [(SHOULDER, 0.002), (ARMPIT, 0.004 + g.ease / 2), (WAIST, g.ease), (HIP, g.ease)])
        skin = body.half_width(heights)
        straight = np.interp(heights, [BUST, HIP], [body.build.bust, body.build.hip])
        slack = np.where((heights > BUST) & (heights < HIP), np.maximum(straight - skin, 0), 0)
        fitted = skin + ease + g.straightness * slack
        held = (fitted**10 + (skirt_reach(body, heights) + 0.006) ** 10) ** 0.1  # a maximum without a kink
        return held + g.flare * np.clip(heights - WAIST, 0, None) ** 1.15

    def on(self, body: Body) -> Sheet:
        heights, columns = self.grid.heights, self.grid.places
        points = trunk_points(body, heights, columns, self.half_widths(body, heights))
        return Sheet(points, body.across(heights), columns, heights)

    def outlines(self) -> list[Array]:
        g, grid = self.garment, self.grid
        sides = np.linspace(ARMPIT if g.kind != "skirt" else grid.top, g.hem, 24)
        hem = np.linspace(1, -1, 24)
        body = [grid.at(1, sides), grid.at(hem, g.hem), grid.at(-1, sides[::-1])]
        if g.kind == "skirt":
            return [np.concatenate([grid.at(np.linspace(-1, 1, 24), grid.top), *body])]
        left = self._shoulder()
        right = left[::-1] * [-1, 1]
        neck = self._neck()
        return [np.concatenate([grid.at(*neck.T), grid.at(*left.T), *body, grid.at(*right.T)])]

    def seams(self) -> list[Array]:
        grid = self.grid
        across = np.linspace(-1, 1, 24)
        hem = grid.at(across, self.garment.hem - 0.007)
        if self.garment.kind == "skirt":
            return [hem, grid.at(across, grid.top + 0.02)]
        return [hem, grid.at(*self._neck().T)]

    def _shoulder(self) -> Array:
        """From the neck's side over the shoulder to the armpit, (N, 2) t and h, wearer's left."""
        grid = self.grid
        if self.garment.sleeve != "sleeveless":
            return np.array([(1.0, grid.top), (1.0, 0.2), (1.0, ARMPIT)])
        turn = np.linspace(0, np.pi / 2, 12)
        armhole = np.stack([1 - 0.24 * np.cos(turn), 0.185 + (ARMPIT + 0.006 - 0.185) * np.sin(turn)], axis=1)
        return np.concatenate([[(0.76, grid.top)], armhole])

    def _neck(self) -> Array:
        """The neckline from the wearer's right to the left, (N, 2) t and h."""
        top = self.grid.top
        width, depth = {"round": (0.42, 0.045), "v": (0.4, 0.085), "square": (0.5, 0.062), "boat": (0.62, 0.022)}[
            self.garment.neckline or "round"
        ]
        if self.garment.neckline == "v":
            return np.array([(-width, top), (0, SHOULDER + depth), (width, top)])
        if self.garment.neckline == "square":
            return np.array(
                [(-width, top), (-width * 0.95, SHOULDER + depth), (width * 0.95, SHOULDER + depth), (width, top)]
            )
        turn = np.linspace(np.pi, 0, 24)
        return np.stack([width * np.cos(turn), top + (SHOULDER + depth - top) * np.sin(turn)], axis=1)


@dataclass(frozen=True)
class SleevePiece:
    """A sleeve: a sheet from the armhole along the arm."""

    garment: Garment
    side: Side

    @property
    def sleeve_of(self) -> Side | None:
        return self.side

    @property
    def _rows(self) -> int:
        return 12 if self.garment.sleeve == "short" else 28

    _COLUMNS = 11
    _SIDE_MARGIN = 0.45

    def on(self, body: Body) -> Sheet:
        columns = np.linspace(-1 - self._SIDE_MARGIN, 1 + self._SIDE_MARGIN, self._COLUMNS)
        steps = np.linspace(0, 1, self._rows - 2)[:, None]
        length = _SLEEVE_LENGTHS[self.garment.sleeve or "short"]
        tip, pit = self._armhole(body)
        outer = self._edge(body, tip, self.side, length * steps, 0.1)
        inner = self._edge(body, pit, -self.side, _PIT + (length - _PIT) * steps, 0.2)
        left, right = (inner, outer) if self.side == LEFT else (outer, inner)
        middle, half = (left + right) / 2, (right - left) / 2
        rows = middle[:, None] + half[:, None] * columns[:, None]
        inside = rows[0] - body.across(ARMPIT) * self.side * MARGIN
        rows = np.concatenate([inside[None], rows, _beyond(rows[-1], rows[-2])[None]])
        across = np.concatenate([half[:1], half, half[-1:]])
        return Sheet(rows, across / np.hypot(*across.T)[:, None], columns)

    def _edge(self, body: Body, start: Array, towards: int, along: Array, reach: float) -> Array:
        """One edge (N, 2) of the sleeve at places `along` (N, 1): from `start` onto the arm's outline within `reach`."""
        line = body.arm_line(self.side)
        steps = np.linspace(0, 1, len(line))
        at = along[:, 0]
        middle = np.stack([np.interp(at, steps, line[:, axis]) for axis in (0, 1)], axis=1)
        across = np.stack([np.interp(at, steps, normals(line)[:, axis]) for axis in (0, 1)], axis=1)
        width = body.arm_half_width(at) + 0.003 + 0.7 * self.garment.ease
        blend = smoothstep(along - along[0], 0, reach)
        return start * (1 - blend) + (middle + across * towards * width[:, None]) * blend

    def _armhole(self, body: Body) -> tuple[Array, Array]:
        """Upper and lower end of the armhole, (2,) each, a little inside the trunk's cloth."""
        heights = np.array([SHOULDER - 0.003, ARMPIT + 0.008])
        trunk = Trunk(self.garment)
        columns = np.array([self.side * 0.98])
        tip, pit = trunk_points(body, heights, columns, trunk.half_widths(body, heights))[:, 0]
        return tip, pit - body.across(ARMPIT) * self.side * 0.004

    def outlines(self) -> list[Array]:
        edge = self._SIDE_MARGIN / (2 + 2 * self._SIDE_MARGIN) * (self._COLUMNS - 1)
        first, last = 1.0, self._rows - 2.0
        rows = np.linspace(first, last, 30)
        ends = [np.stack([np.full(30, place), rows], axis=1) for place in (edge, self._COLUMNS - 1 - edge)]
        return [np.concatenate([ends[0], ends[1][::-1]])]

    def seams(self) -> list[Array]:
        row = self._rows - 2.4
        return [np.stack([np.linspace(1, self._COLUMNS - 2, 12), np.full(12, row)], axis=1)]


def _beyond(edge: Array, inner: Array) -> Array:
    """A margin row beyond `edge`, straight on from `inner`, at least `MARGIN` away."""
    step = edge - inner
    length = np.maximum(np.hypot(*step.T), 1e-9)[:, None]
    return edge + step / length * np.maximum(length, MARGIN)


@dataclass(frozen=True)
class TrouserLeg:
    """One half of trousers or shorts: from waist to hem, from the side seam to the middle or the inner leg."""

    garment: Garment
    side: Side

    @property
    def sleeve_of(self) -> Side | None:
        return None

    @property
    def grid(self) -> Grid:
        """A row for about every hundredth of the body's height."""
        return Grid(_WAISTBAND, self.garment.hem, max(round((self.garment.hem - _WAISTBAND) * 90), 20), 11)

    def on(self, body: Body) -> Sheet:
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
        grid = self.grid
        across = np.linspace(-1, 1, 12)
        middle = np.linspace(grid.top, CROTCH - 0.01, 12)
        bands = [grid.at(across, grid.top + 0.02), grid.at(across, self.garment.hem - 0.008)]
        return [*bands, grid.at(-self.side, middle)]

    def outlines(self) -> list[Array]:
        grid = self.grid
        h = np.linspace(grid.top, self.garment.hem, 60)
        inner = 1 + 0.12 * (1 - smoothstep(h, CROTCH - 0.03, CROTCH))  # the halves overlap where they are sewn together
        hem = np.linspace(-self.side, self.side, 16)
        return [
            np.concatenate(
                [grid.at(self.side, h[::-1]), grid.at(-self.side * inner, h), grid.at(hem, self.garment.hem)]
            )
        ]
