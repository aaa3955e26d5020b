"""Classify garment type, sleeve length and arm pose from label map and key points, to slice reports by."""

from __future__ import annotations

import cmath
import math
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from tryon.agnostic.masks.body import Body
from tryon.agnostic.masks.regions import label_set, labels_in
from tryon.categories import Category
from tryon.dresscode.labels import GARMENT_LABELS, Joint, Label

_NAMES = {Label.UPPER_CLOTHES: "top", Label.SKIRT: "skirt", Label.PANTS: "trousers", Label.DRESS: "dress"}
_GARMENT_TYPES = {
    category: {_NAMES[label]: label_set([label]) for label in labels if label in _NAMES}
    for category, labels in GARMENT_LABELS.items()
}
_CLOTH = label_set([Label.UPPER_CLOTHES, Label.DRESS])
_SKIN = label_set([Label.LEFT_ARM, Label.RIGHT_ARM])
_SURFACES = (_CLOTH.table + 2 * _SKIN.table).tolist()
"""By label: 1 for cloth on an arm, 2 for its skin, 0 for the rest."""

_STEPS = np.linspace(0.3, 0.9, 13).tolist()
"""Sampled positions on upper arm and forearm, as fractions of the length: away from armhole, elbow and wrist."""

_STRAIGHT = 130.0
"""Angle at the elbow from which an arm is straight, degrees."""


class _Arm(NamedTuple):
    """Points, NaN where unknown."""

    shoulder: complex
    elbow: complex
    wrist: complex


def classify_garment(category: Category, label_map: NDArray[np.uint8], garment_size: int | None = None) -> str:
    """Return the largest garment type of the category: `top`, `skirt`, `trousers`, `dress`, or `none`.

    Args:
        label_map: uint8 (H, W), ATR ids.
        garment_size: pixels of all garments of the category, if known; then small ones need not be counted.
    """
    largest, result, remaining = 0, "none", label_map.size if garment_size is None else garment_size
    for name, ids in _GARMENT_TYPES[category].items():
        if largest >= remaining:
            break
        size = cv2.countNonZero(labels_in(label_map, ids))
        remaining -= size
        if size > largest:
            largest, result = size, name
    return result


def classify_sleeve(label_map: NDArray[np.uint8], body: Body) -> str | None:
    """Return `sleeveless`, `short` or `long` from the labels along both arms; None if unknown."""
    right, left = _arms(body)
    upper = _cloth_fraction(label_map, (right.shoulder, right.elbow), (left.shoulder, left.elbow))
    lower = _cloth_fraction(label_map, (right.elbow, right.wrist), (left.elbow, left.wrist))
    if upper is None or (upper >= 0.5 and lower is None):
        return None
    if lower is not None and lower >= 0.5:
        return "long"
    return "short" if upper >= 0.5 else "sleeveless"


def classify_arm_pose(body: Body) -> str:
    """Return `hidden` without a complete arm, `crossed` if both wrists are across the middle, `bent` or `side`."""
    arms = [arm for arm in _arms(body) if all(map(cmath.isfinite, arm))]
    if not arms:
        return "hidden"
    if len(arms) == 2 and _crossed(*arms):
        return "crossed"
    return "bent" if min(_elbow_angle(arm) for arm in arms) < _STRAIGHT else "side"


def _arms(body: Body) -> tuple[_Arm, _Arm]:
    """Return right and left arm."""
    return (
        _Arm(*body.at(Joint.RIGHT_SHOULDER, Joint.RIGHT_ELBOW, Joint.RIGHT_WRIST)),
        _Arm(*body.at(Joint.LEFT_SHOULDER, Joint.LEFT_ELBOW, Joint.LEFT_WRIST)),
    )


def _crossed(right: _Arm, left: _Arm) -> bool:
    middle, across = (right.shoulder + left.shoulder) / 2, left.shoulder - right.shoulder
    return _dot(right.wrist - middle, across) > 0 > _dot(left.wrist - middle, across)


def _cloth_fraction(label_map: NDArray[np.uint8], *parts: tuple[complex, complex]) -> float | None:
    """Compute the fraction of cloth among cloth and skin along arm parts, each from joint to joint."""
    height, width = label_map.shape
    counts = [0, 0, 0]
    for start, end in parts:
        run = end - start
        for step in _STEPS if cmath.isfinite(run) else ():
            point = start + step * run
            x, y = round(point.real), round(point.imag)
            if 0 <= x < width and 0 <= y < height:
                counts[_SURFACES[label_map.item(y, x)]] += 1
    _, cloth, skin = counts
    return cloth / (cloth + skin) if cloth + skin else None


def _elbow_angle(arm: _Arm) -> float:
    """Compute the angle in degrees."""
    inner, outer = arm.shoulder - arm.elbow, arm.wrist - arm.elbow
    lengths = abs(inner) * abs(outer)
    cosine = _dot(inner, outer) / lengths if lengths > 0 else -1.0
    return math.degrees(math.acos(min(max(cosine, -1.0), 1.0)))


def _dot(a: complex, b: complex) -> float:
    return a.real * b.real + a.imag * b.imag
