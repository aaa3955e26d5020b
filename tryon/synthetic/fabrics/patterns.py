"""Fabrics: strong, coarse patterns in clearly different colours, painted flat.

Features are tens of pixels wide at full size, so that they survive training at an eighth of it.
"""

from __future__ import annotations

import colorsys
from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from tryon.dresscode.layout import HEIGHT, WIDTH
from tryon.synthetic.levels import Level

Colour = tuple[int, int, int]
Picture = NDArray[np.uint8]

_SHIFT = 4  # fractional bits in OpenCV's drawing coordinates
_LEAST_CONTRAST = 200.0  # distance of two RGB colours of one fabric
_NEUTRALS: tuple[Colour, ...] = ((242, 238, 228), (28, 30, 38), (24, 34, 72))


@dataclass(frozen=True)
class Fabric:
    """A painted cloth.

    Args:
        pattern: a name in `PATTERNS`.
        colours: RGB; the first is the ground.
        angle: direction of the pattern in degrees.
        period: its repeat in pixels at full size.
        phase: its offsets in x and y, in repeats.
    """

    pattern: str
    colours: tuple[Colour, Colour, Colour]
    angle: float
    period: float
    phase: tuple[float, float]


def sample_fabric(rng: np.random.Generator, level: Level) -> Fabric:
    """Draw a fabric; plain ones are rare."""
    pattern = str(rng.choice(list(_WEIGHTS), p=list(_WEIGHTS.values())))
    angle = float(rng.choice([0, 90, 45, -45, rng.uniform(-90, 90)]))
    period = rng.uniform(*_PERIODS.get(pattern, (180, 260)))
    return Fabric(pattern, sample_colours(rng), angle, period, (rng.uniform(), rng.uniform()))


def sample_colours(rng: np.random.Generator) -> tuple[Colour, Colour, Colour]:
    """Draw three colours, each far from the ones before it in RGB."""
    chosen: list[Colour] = []
    contrast = _LEAST_CONTRAST
    while len(chosen) < 3:
        colour = _any_colour(rng)
        if all(np.linalg.norm(np.subtract(colour, other)) > contrast for other in chosen):
            chosen.append(colour)
        contrast *= 0.98  # three colours as far apart as asked for do not always exist
    return chosen[0], chosen[1], chosen[2]


def _any_colour(rng: np.random.Generator) -> Colour:
    if rng.random() < 0.2:
        return _NEUTRALS[rng.choice(len(_NEUTRALS), p=[0.7, 0.15, 0.15])]
    red, green, blue = colorsys.hsv_to_rgb(rng.uniform(), rng.uniform(0.5, 0.92), rng.uniform(0.65, 1.0))
    return round(red * 255), round(green * 255), round(blue * 255)


def paint_fabric(fabric: Fabric) -> Picture:
    """Paint a fabric over a whole picture: uint8 (1024, 768, 3), RGB."""
    picture = np.empty((HEIGHT, WIDTH, 3), np.uint8)
    picture[:] = fabric.colours[0]
    PATTERNS[fabric.pattern](picture, fabric)
    return picture


def _frame(fabric: Fabric) -> tuple[NDArray, NDArray, NDArray]:
    """Origin, direction along and direction across the pattern, each (2,)."""
    angle = np.deg2rad(fabric.angle)
    along = np.array([np.cos(angle), np.sin(angle)])
    origin = np.array([WIDTH / 2, HEIGHT / 2]) + (np.array(fabric.phase) - 0.5) * fabric.period
    return origin, along, np.array([-along[1], along[0]])


def _fill(picture: Picture, outline: NDArray, colour: Colour) -> None:
    cv2.fillPoly(picture, [np.round(outline * 2**_SHIFT).astype(np.int32)], colour, cv2.LINE_AA, _SHIFT)


def _disc(picture: Picture, centre: NDArray, radius: float, colour: Colour) -> None:
    x, y = (int(n) for n in np.round(centre * 2**_SHIFT))
    cv2.circle(picture, (x, y), round(radius * 2**_SHIFT), colour, cv2.FILLED, cv2.LINE_AA, _SHIFT)


def _bands(picture: Picture, fabric: Fabric, share: float, colour: Colour, offset: float = 0.0) -> None:
    """Parallel bands, each `share` of a period wide, the first at `offset` periods."""
    origin, along, across = _frame(fabric)
    reach = 1400.0
    for number in range(-int(reach // fabric.period) - 1, int(reach // fabric.period) + 2):
        low = (number + offset) * fabric.period
        high = low + share * fabric.period
        ends = (-reach, low), (reach, low), (reach, high), (-reach, high)
        _fill(picture, np.array([origin + u * along + v * across for u, v in ends]), colour)


def _plain(picture: Picture, fabric: Fabric) -> None:
    """The ground alone."""


def _stripes(picture: Picture, fabric: Fabric) -> None:
    _bands(picture, fabric, 0.5, fabric.colours[1])


def _two_stripes(picture: Picture, fabric: Fabric) -> None:
    _bands(picture, fabric, 0.34, fabric.colours[1])
    _bands(picture, fabric, 0.32, fabric.colours[2], 0.34)


def _checks(picture: Picture, fabric: Fabric) -> None:
    origin, along, across = _frame(fabric)
    side = fabric.period / 2
    count = int(1400 // side)
    for row in range(-count, count):
        for column in range(-count + (row & 1), count, 2):
            corner = origin + along * side * column + across * side * row
            if -side * 1.5 < corner[0] < WIDTH + side * 1.5 and -side * 1.5 < corner[1] < HEIGHT + side * 1.5:
                square = (corner, corner + along * side, corner + (along + across) * side, corner + across * side)
                _fill(picture, np.array(square), fabric.colours[1])


def _plaid(picture: Picture, fabric: Fabric) -> None:
    first, second = picture.copy(), picture.copy()
    _bands(first, fabric, 0.5, fabric.colours[1])
    turned = Fabric(fabric.pattern, fabric.colours, fabric.angle + 90, fabric.period, fabric.phase)
    _bands(second, turned, 0.5, fabric.colours[1])
    cv2.addWeighted(first, 0.5, second, 0.5, 0, picture)
    _bands(picture, fabric, 0.12, fabric.colours[2], 0.19)


def _dots(picture: Picture, fabric: Fabric) -> None:
    origin, along, across = _frame(fabric)
    step = fabric.period
    count = int(1400 // step) + 1
    for row in range(-count, count):
        for column in range(-count, count):
            centre = origin + along * step * (column + 0.5 * (row & 1)) + across * step * 0.87 * row
            _disc(picture, centre, step * 0.31, fabric.colours[1 + (column + row) % 2])


def _blocks(picture: Picture, fabric: Fabric) -> None:
    """Three fields side by side, across the middle."""
    origin, along, across = _frame(fabric)
    for low, high, colour in ((0.35, 9.0, fabric.colours[1]), (-9.0, -0.45, fabric.colours[2])):
        low, high = low * fabric.period, high * fabric.period
        ends = (-1400, low), (1400, low), (1400, high), (-1400, high)
        _fill(picture, np.array([origin + u * along + v * across for u, v in ends]), colour)


def _logo(picture: Picture, fabric: Fabric) -> None:
    """A large figure in the upper middle on a field of its own: a disc or a star, told by the phase."""
    centre = np.array([WIDTH / 2, HEIGHT * 0.42])
    _disc(picture, centre, fabric.period * 0.62, fabric.colours[1])
    points = 5 if fabric.phase[0] < 0.5 else 4
    turn = np.deg2rad(fabric.angle) + np.arange(2 * points) * np.pi / points
    radii = np.where(np.arange(2 * points) % 2 == 0, 0.52, 0.24) * fabric.period
    _fill(picture, centre + np.stack([np.sin(turn) * radii, -np.cos(turn) * radii], axis=1), fabric.colours[2])
    for side in (-1, 1):  # side panels, so that legs and sleeves carry something too
        edge = WIDTH / 2 + side * fabric.period * 0.95
        far = edge + side * WIDTH
        _fill(picture, np.array([(edge, 0), (far, 0), (far, HEIGHT), (edge, HEIGHT)], np.float64), fabric.colours[1])


PATTERNS: dict[str, Callable[[Picture, Fabric], None]] = {
    "plain": _plain,
    "stripes": _stripes,
    "two_stripes": _two_stripes,
    "checks": _checks,
    "plaid": _plaid,
    "dots": _dots,
    "blocks": _blocks,
    "logo": _logo,
}
"""Name to painter; a painter changes a picture that already has the ground's colour."""

_WEIGHTS = {
    "plain": 0.03,
    "stripes": 0.22,
    "two_stripes": 0.15,
    "checks": 0.15,
    "plaid": 0.08,
    "dots": 0.11,
    "blocks": 0.16,
    "logo": 0.1,
}
_PERIODS = {
    "stripes": (170, 280),
    "two_stripes": (240, 360),
    "checks": (220, 340),
    "plaid": (240, 340),
    "dots": (170, 260),
    "blocks": (180, 280),
    "logo": (240, 330),
}
