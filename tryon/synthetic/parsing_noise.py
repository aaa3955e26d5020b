"""The errors that real human parsers make, put into a true label map at known positions.

Every error is a function (label map, rng) -> the map with the error, or the map as it was where it does not apply.
Only labels change, never the photo.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, NamedTuple, get_args

import cv2
import numpy as np
from numpy.typing import NDArray

from tryon.dresscode.labels import Label

ErrorKind = Literal[
    "eroded_edge",
    "ragged_edge",
    "holes",
    "swapped_arms",
    "swapped_legs",
    "missing_hand",
    "missing_forearm",
    "missing_shoe",
    "skirt_as_trousers",
    "dress_as_top_and_skirt",
    "missed_bag",
]

Labels = NDArray[np.uint8]
Mask = NDArray[np.bool_]
NoiseFunction = Callable[[Labels, np.random.Generator], Labels]


class BoundingBox(NamedTuple):
    """A rectangle of pixels."""

    left: int
    top: int
    width: int
    height: int


class ParsingError(NamedTuple):
    """One error and the smallest rectangle around the pixels that it changed."""

    kind: ErrorKind
    box: BoundingBox


ERROR_KINDS: tuple[ErrorKind, ...] = get_args(ErrorKind)
MAX_ERRORS = 3
"""Errors in one label map, at most."""

MIN_PIXELS = 30
"""An error that would change fewer pixels is not made."""

_GARMENTS = (Label.UPPER_CLOTHES, Label.SKIRT, Label.PANTS, Label.DRESS)
_ARMS, _LEGS, _SHOES = (
    (Label.LEFT_ARM, Label.RIGHT_ARM),
    (Label.LEFT_LEG, Label.RIGHT_LEG),
    (Label.LEFT_SHOE, Label.RIGHT_SHOE),
)
_HAND, _FOREARM = 0.22, 0.5
"""Part of an arm's seen length, from its far end, that goes with the hand and with the forearm."""


def add_parsing_noise(label_map: Labels, rng: np.random.Generator) -> tuple[Labels, list[ParsingError]]:
    """Put one to three errors, each of another kind, into a label map.

    Args:
        label_map: uint8 (H, W), ATR ids; stays as it is.
        rng: draws which errors, where and how large.

    Returns:
        uint8 (H, W), and the errors in the order in which they were made. Outside their boxes nothing has changed.
    """
    wanted = int(rng.integers(1, MAX_ERRORS + 1))
    found: list[ParsingError] = []
    for kind in rng.permutation(len(ERROR_KINDS)):
        wrong = _ERRORS[ERROR_KINDS[kind]](label_map, rng)
        changed = wrong != label_map
        if np.count_nonzero(changed) >= MIN_PIXELS:
            found.append(ParsingError(ERROR_KINDS[kind], _box(changed)))
            label_map = wrong
        if len(found) == wanted:
            break
    return label_map, found


def eroded_edge(label_map: Labels, rng: np.random.Generator) -> Labels:
    """A garment is found too small all round; background takes its place."""
    garment = _one_of(label_map, _GARMENTS, rng)
    return _put(label_map, garment & (_depth(garment) < rng.uniform(4, 9)), Label.BACKGROUND)


def ragged_edge(label_map: Labels, rng: np.random.Generator) -> Labels:
    """A garment's edge wanders: here it loses a few pixels, there it takes background in."""
    garment = _one_of(label_map, _GARMENTS, rng)
    reach = rng.uniform(6, 12) * _waves(label_map.shape, 24, rng)
    edge = _depth(garment) - _depth(~garment)
    wrong = _put(label_map, garment & (edge < reach), Label.BACKGROUND)
    return _put(wrong, (label_map == Label.BACKGROUND) & garment.any() & (edge > reach), _label_of(label_map, garment))


def holes(label_map: Labels, rng: np.random.Generator) -> Labels:
    """A few holes within a garment."""
    garment = _one_of(label_map, _GARMENTS, rng)
    inside = garment & (_depth(garment) > 4)
    return _put(label_map, inside & (_waves(label_map.shape, int(rng.integers(20, 44)), rng) > 1.9), Label.BACKGROUND)


def swapped_arms(label_map: Labels, rng: np.random.Generator) -> Labels:
    """Left and right arm are taken for each other."""
    del rng
    return _swapped(label_map, _ARMS)


def swapped_legs(label_map: Labels, rng: np.random.Generator) -> Labels:
    """Left and right leg are taken for each other, now and then with their shoes."""
    swapped = _swapped(label_map, _LEGS)
    return _swapped(swapped, _SHOES) if rng.random() < 0.5 else swapped


def missing_hand(label_map: Labels, rng: np.random.Generator) -> Labels:
    """The end of an arm is not found."""
    return _without(label_map, _far_end(_one_of(label_map, _ARMS, rng), _HAND))


def missing_forearm(label_map: Labels, rng: np.random.Generator) -> Labels:
    """The outer half of an arm is not found."""
    return _without(label_map, _far_end(_one_of(label_map, _ARMS, rng), _FOREARM))


def missing_shoe(label_map: Labels, rng: np.random.Generator) -> Labels:
    """A shoe is not found."""
    return _without(label_map, _one_of(label_map, _SHOES, rng))


def skirt_as_trousers(label_map: Labels, rng: np.random.Generator) -> Labels:
    """A skirt is called trousers."""
    del rng
    return _put(label_map, label_map == Label.SKIRT, Label.PANTS)


def dress_as_top_and_skirt(label_map: Labels, rng: np.random.Generator) -> Labels:
    """A dress is called a top above the waist and a skirt below it."""
    dress = label_map == Label.DRESS
    rows = np.flatnonzero(dress.any(1))
    if not len(rows):
        return label_map
    waist = rows[0] + (rows[-1] - rows[0]) * rng.uniform(0.3, 0.48)
    bend = 6 * _waves((1, label_map.shape[1]), 40, rng)[0]
    above = np.arange(len(dress))[:, None] < waist + bend
    return _put(_put(label_map, dress & above, Label.UPPER_CLOTHES), dress & ~above, Label.SKIRT)


def missed_bag(label_map: Labels, rng: np.random.Generator) -> Labels:
    """A bag is not found: it is taken for what lies around it."""
    del rng
    return _without(label_map, label_map == Label.BAG)


_ERRORS: dict[ErrorKind, NoiseFunction] = {
    "eroded_edge": eroded_edge,
    "ragged_edge": ragged_edge,
    "holes": holes,
    "swapped_arms": swapped_arms,
    "swapped_legs": swapped_legs,
    "missing_hand": missing_hand,
    "missing_forearm": missing_forearm,
    "missing_shoe": missing_shoe,
    "skirt_as_trousers": skirt_as_trousers,
    "dress_as_top_and_skirt": dress_as_top_and_skirt,
    "missed_bag": missed_bag,
}


def _put(label_map: Labels, where: Mask, label: int) -> Labels:
    return np.where(where, np.uint8(label), label_map)


def _one_of(label_map: Labels, labels: tuple[Label, ...], rng: np.random.Generator) -> Mask:
    """Pixels of one of the labels that are there, drawn by chance; none where none is."""
    there = [label for label in labels if (label_map == label).any()]
    return label_map == there[rng.integers(len(there))] if there else np.zeros(label_map.shape, np.bool_)


def _label_of(label_map: Labels, region: Mask) -> int:
    return int(label_map[region][0]) if region.any() else Label.BACKGROUND


def _swapped(label_map: Labels, sides: tuple[Label, Label]) -> Labels:
    left, right = (label_map == side for side in sides)
    return _put(_put(label_map, left, sides[1]), right, sides[0])


def _without(label_map: Labels, region: Mask) -> Labels:
    """The region goes to the label, not its own, that most of its border touches."""
    if not region.any():
        return label_map
    border = (cv2.dilate(region.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0) & ~region
    others = label_map[border & (label_map != _label_of(label_map, region))]
    return _put(label_map, region, int(np.bincount(others).argmax()) if len(others) else Label.BACKGROUND)


def _far_end(arm: Mask, part: float) -> Mask:
    """The part of an arm that lies farthest from its highest point, the shoulder's side."""
    y, x = np.nonzero(arm)
    if not len(y):
        return arm
    away = np.hypot(y - y[0], x - x[y == y[0]].mean())
    end = np.zeros_like(arm)
    end[y, x] = away > (1 - part) * away.max()
    return end


def _depth(region: Mask) -> NDArray[np.float32]:
    """Pixels from the region's edge, 0 outside; the image's edge is none."""
    return cv2.distanceTransform(region.astype(np.uint8), cv2.DIST_L2, 3)  # pyright: ignore[reportReturnType]


def _waves(shape: tuple[int, ...], step: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """Smooth noise (H, W) of mean 0 and deviation about 1, that changes over about `step` pixels."""
    coarse = rng.normal(size=tuple(-(-side // step) + 3 for side in shape)).astype(np.float32)
    size = tuple(side * step for side in coarse.shape[::-1])
    smooth = cv2.resize(coarse, size, interpolation=cv2.INTER_CUBIC)[: shape[0], : shape[1]]
    return smooth * np.float32(1.3)


def _box(changed: Mask) -> BoundingBox:
    rows, columns = np.flatnonzero(changed.any(1)), np.flatnonzero(changed.any(0))
    left, top = int(columns[0]), int(rows[0])
    return BoundingBox(left, top, int(columns[-1]) - left + 1, int(rows[-1]) - top + 1)
