"""Cloth around the trunk: tops and dresses without their sleeves, and skirts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tryon.synthetic.figure.body import ARMPIT, BUST, HIP, SHOULDER, WAIST, Body
from tryon.synthetic.figure.pose import SIDES, Side
from tryon.synthetic.figure.trunk import trunk_points
from tryon.synthetic.garments.kinds import Garment
from tryon.synthetic.garments.sheets import WAISTBAND, Grid, Sheet
from tryon.synthetic.paint.curves import Array, profile, smoothstep


def skirt_reach(body: Body, heights: Array) -> Array:
    """Half-width (R,) that a skirt needs at each height to hold both legs."""
    legs = [np.abs(body.leg_point(side, heights)[:, 0] - body.centre(heights)[:, 0]) for side in SIDES]
    return (np.maximum(*legs) + body.leg_half_width(heights)) * smoothstep(heights, HIP - 0.1, HIP + 0.05)


@dataclass(frozen=True)
class TrunkCloth:
    """Top, dress or skirt without sleeves: one sheet from shoulders or waist to the hem."""

    garment: Garment

    @property
    def sleeve_of(self) -> Side | None:
        """See `Piece`."""
        return None

    @property
    def grid(self) -> Grid:
        """A row for about every hundredth of the body's height."""
        top = WAISTBAND if self.garment.kind == "skirt" else SHOULDER - 0.003
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
        """See `Piece`."""
        heights, columns = self.grid.heights, self.grid.places
        points = trunk_points(body, heights, columns, self.half_widths(body, heights))
        return Sheet(points, body.across(heights), columns, heights)

    def outlines(self) -> list[Array]:
        """See `Piece`."""
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
        """See `Piece`."""
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
