"""What a person wears and how the arms are held, read from label map and key points: columns to slice a report by."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tryon.agnostic.body import Body
from tryon.categories import Category
from tryon.dresscode.labels import GARMENT_LABELS, Joint, Label

_WORN = {Label.UPPER_CLOTHES: "top", Label.SKIRT: "skirt", Label.PANTS: "trousers", Label.DRESS: "dress"}
_CLOTH, _SKIN = (Label.UPPER_CLOTHES, Label.DRESS), (Label.LEFT_ARM, Label.RIGHT_ARM)
_ARMS = (
    (Joint.RIGHT_SHOULDER, Joint.RIGHT_ELBOW, Joint.RIGHT_WRIST),
    (Joint.LEFT_SHOULDER, Joint.LEFT_ELBOW, Joint.LEFT_WRIST),
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
    upper, lower = (_covered(label_map, body, part) for part in (0, 1))
    if upper is None or (upper >= 0.5 and lower is None):
        return None
    if lower is not None and lower >= 0.5:
        return "long"
    return "short" if upper >= 0.5 else "sleeveless"


def arm_pose_of(body: Body) -> str:
    """`hidden`: no arm is seen to the wrist. `crossed`: both wrists lie across the middle. `bent`, or else `side`."""
    arms = [body.at(*arm) for arm in _ARMS if np.isfinite(body.at(*arm)).all()]
    if not arms:
        return "hidden"
    if len(arms) == 2:
        (right, _, right_wrist), (left, _, left_wrist) = arms
        middle, across = (right + left) / 2, left - right
        if (right_wrist - middle) @ across > 0 > (left_wrist - middle) @ across:
            return "crossed"
    return "bent" if min(_elbow_angle(arm) for arm in arms) < _STRAIGHT else "side"


def _covered(label_map: NDArray[np.uint8], body: Body, part: int) -> float | None:
    """Share of cloth among cloth and skin along the upper arms (part 0) or forearms (part 1)."""
    height, width = label_map.shape
    labels: list[int] = []
    for arm in _ARMS:
        start, end = body.at(*arm[part : part + 2])
        if np.isfinite(start + end).all():
            x, y = np.round(start + _STEPS * (end - start)).T
            inside = (x >= 0) & (x < width) & (y >= 0) & (y < height)
            labels += label_map[y[inside].astype(int), x[inside].astype(int)].tolist()
    cloth = sum(label in _CLOTH for label in labels)
    skin = sum(label in _SKIN for label in labels)
    return cloth / (cloth + skin) if cloth + skin else None


def _elbow_angle(arm: NDArray[np.float64]) -> float:
    shoulder, elbow, wrist = arm
    inner, outer = shoulder - elbow, wrist - elbow
    lengths = np.hypot(*inner) * np.hypot(*outer)
    return float(np.degrees(np.arccos(np.clip(inner @ outer / lengths, -1, 1)))) if lengths > 0 else 180.0
