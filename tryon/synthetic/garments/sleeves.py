"""Sleeves: cloth from the armhole along the arm."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tryon.synthetic.figure.body import ARMPIT, SHOULDER, Body
from tryon.synthetic.figure.pose import LEFT, Side
from tryon.synthetic.figure.trunk import trunk_points
from tryon.synthetic.garments.kinds import Garment
from tryon.synthetic.garments.sheets import MARGIN, Sheet
from tryon.synthetic.garments.trunk_cloth import TrunkCloth
from tryon.synthetic.paint.curves import Array, normals, smoothstep

LENGTHS = {"short": 0.34, "long": 0.79}
"""Where sleeves end along the arm line, 0 shoulder to 1 finger tips."""

_PIT = 0.14
"""Place along the arm line (0..1) that lies beside the armpit: there the inner edge of a sleeve begins."""


@dataclass(frozen=True)
class SleeveCloth:
    """A sleeve: a sheet from the armhole along the arm."""

    garment: Garment
    side: Side

    @property
    def sleeve_of(self) -> Side | None:
        """See `Piece`."""
        return self.side

    @property
    def _rows(self) -> int:
        return 12 if self.garment.sleeve == "short" else 28

    _COLUMNS = 11
    _SIDE_MARGIN = 0.45

    def on(self, body: Body) -> Sheet:
        """See `Piece`."""
        columns = np.linspace(-1 - self._SIDE_MARGIN, 1 + self._SIDE_MARGIN, self._COLUMNS)
        steps = np.linspace(0, 1, self._rows - 2)[:, None]
        length = LENGTHS[self.garment.sleeve or "short"]
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
        """One edge (N, 2) of the sleeve at places `along` (N, 1), from `start` onto the arm's outline."""
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
        trunk = TrunkCloth(self.garment)
        columns = np.array([self.side * 0.98])
        tip, pit = trunk_points(body, heights, columns, trunk.half_widths(body, heights))[:, 0]
        return tip, pit - body.across(ARMPIT) * self.side * 0.004

    def outlines(self) -> list[Array]:
        """See `Piece`."""
        edge = self._SIDE_MARGIN / (2 + 2 * self._SIDE_MARGIN) * (self._COLUMNS - 1)
        first, last = 1.0, self._rows - 2.0
        rows = np.linspace(first, last, 30)
        ends = [np.stack([np.full(30, place), rows], axis=1) for place in (edge, self._COLUMNS - 1 - edge)]
        return [np.concatenate([ends[0], ends[1][::-1]])]

    def seams(self) -> list[Array]:
        """See `Piece`."""
        row = self._rows - 2.4
        return [np.stack([np.linspace(1, self._COLUMNS - 2, 12), np.full(12, row)], axis=1)]


def _beyond(edge: Array, inner: Array) -> Array:
    """A margin row beyond `edge`, straight on from `inner`, at least `MARGIN` away."""
    step = edge - inner
    length = np.maximum(np.hypot(*step.T), 1e-9)[:, None]
    return edge + step / length * np.maximum(length, MARGIN)
