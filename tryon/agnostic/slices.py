"""What a person wears and how the arms are held, read from label map and key points: columns to slice a report by."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from tryon.agnostic.body import Body
from tryon.categories import Category
from tryon.dresscode.labels import GARMENT_LABELS, Joint, Label

_WORN = {Label.UPPER_CLOTHES: "top", Label.SKIRT: "skirt", Label.PANTS: "trousers", Label.DRESS: "dress"}
_CLOTH, _SKIN = 1, 2
_KINDS = np.zeros(256, np.uint8)
_KINDS[[Label.UPPER_CLOTHES, Label.DRESS]] = _CLOTH
_KINDS[[Label.LEFT_ARM, Label.RIGHT_ARM]] = _SKIN
_ARMS = np.array(
    [
        (Joint.RIGHT_SHOULDER, Joint.RIGHT_ELBOW, Joint.RIGHT_WRIST),
        (Joint.LEFT_SHOULDER, Joint.LEFT_ELBOW, Joint.LEFT_WRIST),
    ]
)
_STEPS = np.linspace(0.3, 0.9, 13)[:, None]
"""Where an upper arm or a forearm is looked at, as fractions of its length: away from armhole, elbow and wrist."""

_STRAIGHT = 130.0
"""Degrees at the elbow from which an arm counts as straight."""


def worn_of(category: Category, label_map: NDArray[np.uint8]) -> str:
    """`top`, `skirt`, `trousers`, `dress`: the largest label among the category's garments, or `none`."""
    sizes = {
        name: int(np.count_nonzero(label_map == int(label)))
        for label, name in _WORN.items()
        if label in GARMENT_LABELS[category]
    }
    name = max(sizes, key=lambda name: sizes[name])
    return name if sizes[name] else "none"


def sleeve_of(label_map: NDArray[np.uint8], body: Body) -> str | None:
    """`sleeveless`, `short` or `long` by the labels along both arms; None when the arms do not tell."""
    upper, lower = _covered(label_map, body)
    if upper is None or (upper >= 0.5 and lower is None):
        return None
    if lower is not None and lower >= 0.5:
        return "long"
    return "short" if upper >= 0.5 else "sleeveless"


def arm_pose_of(body: Body) -> str:
    """`hidden`: no arm is seen to the wrist. `crossed`: both wrists lie across the middle. `bent`, or else `side`."""
    arms = [arm for arm in body.points[_ARMS].tolist() if all(math.isfinite(value) for point in arm for value in point)]
    if not arms:
        return "hidden"
    if len(arms) == 2 and _crossed(*arms):
        return "crossed"
    return "bent" if min(_elbow_angle(arm) for arm in arms) < _STRAIGHT else "side"


_Arm = list[list[float]]
"""Shoulder, elbow and wrist: x, y. In plain numbers, which for a few points are several times as fast as arrays."""


def _crossed(right: _Arm, left: _Arm) -> bool:
    """Whether each wrist lies on the other arm's side of the middle between the shoulders."""
    middle = [(right[0][axis] + left[0][axis]) / 2 for axis in (0, 1)]
    sides = [
        sum((arm[2][axis] - middle[axis]) * (left[0][axis] - right[0][axis]) for axis in (0, 1))
        for arm in (right, left)
    ]
    return sides[0] > 0 > sides[1]


def _covered(label_map: NDArray[np.uint8], body: Body) -> list[float | None]:
    """Share of cloth among cloth and skin along both upper arms, and along both forearms."""
    height, width = label_map.shape
    arms = body.points[_ARMS]
    starts, ends = arms[:, :2, None], arms[:, 1:, None]
    x, y = np.moveaxis(np.rint(starts + _STEPS * (ends - starts)), -1, 0)  # (arm, part, step) each
    inside = (x >= 0) & (x < width) & (y >= 0) & (y < height)  # not where a joint is unknown: NaN
    kinds = np.zeros(inside.shape, np.uint8)
    kinds[inside] = _KINDS[label_map[y[inside].astype(np.intp), x[inside].astype(np.intp)]]
    cloth, skin = ((kinds == kind).sum((0, 2)).tolist() for kind in (_CLOTH, _SKIN))
    return [own / (own + bare) if own + bare else None for own, bare in zip(cloth, skin, strict=True)]


def _elbow_angle(arm: _Arm) -> float:
    """Degrees."""
    shoulder, elbow, wrist = arm
    inner = [shoulder[axis] - elbow[axis] for axis in (0, 1)]
    outer = [wrist[axis] - elbow[axis] for axis in (0, 1)]
    lengths = math.hypot(*inner) * math.hypot(*outer)
    cosine = (inner[0] * outer[0] + inner[1] * outer[1]) / lengths if lengths > 0 else -1.0
    return math.degrees(math.acos(min(max(cosine, -1.0), 1.0)))
