"""Simulate errors of human parsers in a clean label map, with their positions.

Every error is a function (label map, rng) -> label map, which is unchanged where the error does not apply.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from tryon.dresscode.labels import Label

Labels = NDArray[np.uint8]
Mask = NDArray[np.bool_]
NoiseFunction = Callable[[Labels, np.random.Generator], Labels]


class BoundingBox(NamedTuple):
    """Rectangle in pixels."""

    left: int
    top: int
    width: int
    height: int


class ParsingError(NamedTuple):
    """An error, one of `ERROR_KINDS`, and the bounding box of the changed pixels."""

    kind: str
    box: BoundingBox


MAX_ERRORS = 3
MIN_PIXELS = 30
"""Errors that would change fewer pixels are skipped."""

_GARMENTS = (Label.UPPER_CLOTHES, Label.SKIRT, Label.PANTS, Label.DRESS)
_ARMS = (Label.LEFT_ARM, Label.RIGHT_ARM)
_LEGS = (Label.LEFT_LEG, Label.RIGHT_LEG)
_SHOES = (Label.LEFT_SHOE, Label.RIGHT_SHOE)
_HAND, _FOREARM = 0.22, 0.5
"""Fraction of an arm's visible length, from its end, that belongs to hand and forearm."""


def add_parsing_noise(label_map: Labels, rng: np.random.Generator) -> tuple[Labels, list[ParsingError]]:
    """Apply one to three errors of different kinds to a label map (H, W) of ATR ids.

    Returns:
        A new label map, and the errors in order of application; nothing changes outside their boxes.
    """
    count = int(rng.integers(1, MAX_ERRORS + 1))
    errors: list[ParsingError] = []
    for index in rng.permutation(len(ERROR_KINDS)):
        kind = ERROR_KINDS[index]
        noisy = _ERRORS[kind](label_map, rng)
        changed = noisy != label_map
        if np.count_nonzero(changed) >= MIN_PIXELS:
            errors.append(ParsingError(kind, _bounding_box(changed)))
            label_map = noisy
        if len(errors) == count:
            break
    return label_map, errors


def eroded_edge(label_map: Labels, rng: np.random.Generator) -> Labels:
    """Shrink a garment on all sides; the rim becomes background."""
    garment = _random_region(label_map, _GARMENTS, rng)
    return _relabel(label_map, garment & (_depth(garment) < rng.uniform(4, 9)), Label.BACKGROUND)


def ragged_edge(label_map: Labels, rng: np.random.Generator) -> Labels:
    """Move a garment's edge in and out by a few pixels."""
    garment = _random_region(label_map, _GARMENTS, rng)
    reach = rng.uniform(6, 12) * _waves(label_map.shape, 24, rng)
    edge = _depth(garment) - _depth(~garment)
    noisy = _relabel(label_map, garment & (edge < reach), Label.BACKGROUND)
    gained = (label_map == Label.BACKGROUND) & garment.any() & (edge > reach)
    return _relabel(noisy, gained, _label_of(label_map, garment))


def holes(label_map: Labels, rng: np.random.Generator) -> Labels:
    """Cut a few holes into a garment."""
    garment = _random_region(label_map, _GARMENTS, rng)
    inside = garment & (_depth(garment) > 4)
    noise = _waves(label_map.shape, int(rng.integers(20, 44)), rng)
    return _relabel(label_map, inside & (noise > 1.9), Label.BACKGROUND)


def swapped_arms(label_map: Labels, rng: np.random.Generator) -> Labels:
    """Swap left and right arm."""
    del rng
    return _swap(label_map, _ARMS)


def swapped_legs(label_map: Labels, rng: np.random.Generator) -> Labels:
    """Swap left and right leg, in half of the cases with their shoes."""
    swapped = _swap(label_map, _LEGS)
    return _swap(swapped, _SHOES) if rng.random() < 0.5 else swapped


def missing_hand(label_map: Labels, rng: np.random.Generator) -> Labels:
    """Remove the hand of an arm."""
    return _remove(label_map, _limb_end(_random_region(label_map, _ARMS, rng), _HAND))


def missing_forearm(label_map: Labels, rng: np.random.Generator) -> Labels:
    """Remove the forearm of an arm."""
    return _remove(label_map, _limb_end(_random_region(label_map, _ARMS, rng), _FOREARM))


def missing_shoe(label_map: Labels, rng: np.random.Generator) -> Labels:
    """Remove a shoe."""
    return _remove(label_map, _random_region(label_map, _SHOES, rng))


def skirt_as_trousers(label_map: Labels, rng: np.random.Generator) -> Labels:
    """Label a skirt as trousers."""
    del rng
    return _relabel(label_map, label_map == Label.SKIRT, Label.PANTS)


def dress_as_top_and_skirt(label_map: Labels, rng: np.random.Generator) -> Labels:
    """Label a dress as a top above the waist and a skirt below."""
    dress = label_map == Label.DRESS
    rows = np.flatnonzero(dress.any(1))
    if not len(rows):
        return label_map
    waist = rows[0] + (rows[-1] - rows[0]) * rng.uniform(0.3, 0.48)
    bend = 6 * _waves((1, label_map.shape[1]), 40, rng)[0]
    above = np.arange(len(dress))[:, None] < waist + bend
    return _relabel(_relabel(label_map, dress & above, Label.UPPER_CLOTHES), dress & ~above, Label.SKIRT)


def missed_bag(label_map: Labels, rng: np.random.Generator) -> Labels:
    """Remove a bag."""
    del rng
    return _remove(label_map, label_map == Label.BAG)


_ERRORS: dict[str, NoiseFunction] = {
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
ERROR_KINDS = tuple(_ERRORS)


def _relabel(label_map: Labels, where: Mask, label: int) -> Labels:
    return np.where(where, np.uint8(label), label_map)


def _random_region(label_map: Labels, labels: tuple[Label, ...], rng: np.random.Generator) -> Mask:
    """Return the pixels of one of the labels that occur, chosen at random; empty if none occurs."""
    present = [label for label in labels if (label_map == label).any()]
    return label_map == present[rng.integers(len(present))] if present else np.zeros(label_map.shape, np.bool_)


def _label_of(label_map: Labels, region: Mask) -> int:
    return int(label_map[region][0]) if region.any() else Label.BACKGROUND


def _swap(label_map: Labels, sides: tuple[Label, Label]) -> Labels:
    left, right = (label_map == side for side in sides)
    return _relabel(_relabel(label_map, left, sides[1]), right, sides[0])


def _remove(label_map: Labels, region: Mask) -> Labels:
    """Relabel a region with the most frequent other label along its border."""
    if not region.any():
        return label_map
    border = (cv2.dilate(region.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0) & ~region
    others = label_map[border & (label_map != _label_of(label_map, region))]
    return _relabel(label_map, region, int(np.bincount(others).argmax()) if len(others) else Label.BACKGROUND)


def _limb_end(arm: Mask, fraction: float) -> Mask:
    """Return the part of an arm that is farthest from its highest point, near the shoulder."""
    y, x = np.nonzero(arm)
    if not len(y):
        return arm
    distance = np.hypot(y - y[0], x - x[y == y[0]].mean())
    end = np.zeros_like(arm)
    end[y, x] = distance > (1 - fraction) * distance.max()
    return end


def _depth(region: Mask) -> NDArray[np.float32]:
    """Return the distance to the region's edge in pixels, 0 outside; the image border does not count."""
    return cv2.distanceTransform(region.astype(np.uint8), cv2.DIST_L2, 3)  # pyright: ignore[reportReturnType]


def _waves(shape: tuple[int, ...], step: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """Return smooth noise (H, W) of mean 0 and standard deviation about 1 with features of `step` pixels."""
    coarse = rng.normal(size=tuple(-(-side // step) + 3 for side in shape)).astype(np.float32)
    size = tuple(side * step for side in coarse.shape[::-1])
    smooth = cv2.resize(coarse, size, interpolation=cv2.INTER_CUBIC)[: shape[0], : shape[1]]
    return smooth * np.float32(1.3)


def _bounding_box(changed: Mask) -> BoundingBox:
    rows, columns = np.flatnonzero(changed.any(1)), np.flatnonzero(changed.any(0))
    left, top = int(columns[0]), int(rows[0])
    return BoundingBox(left, top, int(columns[-1]) - left + 1, int(rows[-1]) - top + 1)
