"""Regions of pairwise metrics: the complete image, the garment, everything else, and the neckline band."""

from __future__ import annotations

from collections.abc import Mapping

import cv2
import numpy as np
from numpy.typing import NDArray

from tryon.dresscode.labels import Joint

IMAGE = "image"
"""The complete image."""

GARMENT = "garment"
"""The garment of the row's category in the ground truth."""

OUTSIDE = "outside"
"""Everything but the garment: background, skin, hair and other clothes, which should not change."""

NECKLINE = "neckline"
"""Within `BAND` shoulder widths of the garment's upper edge below the neck."""

REGIONS = {IMAGE: "", GARMENT: "in garment", OUTSIDE: "outside garment", NECKLINE: "at neckline"}
"""Regions of every pairwise metric, in the order of tables, with their column labels."""

BAND = 0.25
"""Half the height of the neckline band, in shoulder widths."""

_MAX_NECK_DISTANCE = 0.75
"""In shoulder widths. A farther edge is a waistband, or the garment below crossed arms; deep necklines reach 2/3."""

Regions = Mapping[str, NDArray[np.bool_] | None]
"""Named regions, bool (N, H, W), True = included; None is the complete image."""

WHOLE_IMAGE: Regions = {IMAGE: None}


def regions_of(garment: NDArray[np.bool_], keypoints: NDArray[np.floating]) -> dict[str, NDArray[np.bool_] | None]:
    """Compute all regions of a batch.

    Args:
        garment: in the ground truth, bool (N, H, W).
        keypoints: (N, 18, 3): x, y in pixels of H x W, score.
    """
    bands = [neckline_band(mask, joints) for mask, joints in zip(garment, keypoints, strict=True)]
    return {
        IMAGE: None,
        GARMENT: garment,
        OUTSIDE: ~garment,
        NECKLINE: np.array(bands, np.bool_).reshape(garment.shape),
    }


def neckline_band(garment: NDArray[np.bool_], keypoints: NDArray[np.floating]) -> NDArray[np.bool_]:
    """Return the pixels within `BAND` shoulder widths of the garment's upper edge below the neck, bool (H, W).

    The edge is the garment's highest pixel in each column between the shoulder joints, if within
    `_MAX_NECK_DISTANCE` of the neck (the middle between the shoulders): high collars and low dresses have one,
    trousers have none. Outwards from the neck it may rise, as at a strap, but ends where it falls by more than `BAND`
    from one column to the next: armholes and side seams are excluded. The band is empty if a shoulder is missing.

    Args:
        garment: bool (H, W).
        keypoints: (18, 3).
    """
    band = np.zeros(garment.shape, np.bool_)
    shoulders = keypoints[[Joint.RIGHT_SHOULDER, Joint.LEFT_SHOULDER]]
    if (shoulders[:, 2] <= 0).any():
        return band
    width = float(np.hypot(*(shoulders[0, :2] - shoulders[1, :2])))
    left, right = np.sort(shoulders[:, 0])
    columns = np.arange(max(int(np.ceil(left)), 0), min(int(right) + 1, garment.shape[1]))
    rows = garment[:, columns].argmax(0)
    neck = shoulders[:, 1].mean()
    edge = garment[rows, columns] & (abs(rows - neck) <= _MAX_NECK_DISTANCE * width)
    rows, columns = rows[edge], columns[edge]
    if not len(rows):
        return band
    connected = _connected_edge(rows, columns, shoulders[:, 0].mean(), BAND * width)
    rows, columns = rows[connected], columns[connected]
    reach = int(BAND * width) + 1
    box = (
        slice(max(rows.min() - reach, 0), rows.max() + reach + 1),
        slice(max(columns.min() - reach, 0), columns.max() + reach + 1),
    )
    off_edge = np.ones(garment.shape, np.uint8)
    off_edge[rows, columns] = 0
    distance = cv2.distanceTransform(np.ascontiguousarray(off_edge[box]), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    band[box] = distance <= BAND * width
    return band


def _connected_edge(
    rows: NDArray[np.integer], columns: NDArray[np.integer], neck: float, max_fall: float
) -> NDArray[np.bool_]:
    """Select the edge points that are connected to the one nearest to the neck without a fall."""
    start = abs(columns - neck).argmin()
    falls = np.diff(rows) * np.where(np.arange(len(rows) - 1) >= start, 1, -1)
    component = np.concatenate(([0], np.cumsum((falls > max_fall) | (np.diff(columns) > 1))))
    return component == component[start]
