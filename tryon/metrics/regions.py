"""Where a pairwise metric looks: the whole image, the garment, all the rest, and the band around the neckline."""

from __future__ import annotations

from collections.abc import Mapping

import cv2
import numpy as np
from numpy.typing import NDArray

from tryon.dresscode.labels import Joint

IMAGE = "image"
"""The whole image."""

GARMENT = "garment"
"""What the garment of the row's category covers in the true image."""

OUTSIDE = "outside"
"""Everything but the garment: background, skin, hair and other clothes, which are to stay as they are."""

NECKLINE = "neckline"
"""Within `BAND` shoulder widths of the garment's upper edge below the neck: necklines are what gets lost."""

REGIONS = {IMAGE: "", GARMENT: "in garment", OUTSIDE: "outside garment", NECKLINE: "at neckline"}
"""Regions of every pairwise metric, in the order of tables, with the words for their columns."""

BAND = 0.25
"""Half the height of the neckline band, in shoulder widths."""

_FARTHEST = 0.75
"""An edge more than this many shoulder widths above or below the neck is no neckline but a waistband, or what shows
below crossed arms. Deep necklines reach two thirds of a width."""

Regions = Mapping[str, NDArray[np.bool_] | None]
"""Named regions, bool (N, H, W) with True = counts; None is the whole image."""

WHOLE_IMAGE: Regions = {IMAGE: None}


def regions_of(garment: NDArray[np.bool_], keypoints: NDArray[np.floating]) -> dict[str, NDArray[np.bool_] | None]:
    """All regions of a batch.

    Args:
        garment: the garment in the true images, bool (N, H, W).
        keypoints: of the same people, (N, 18, 3): x, y in pixels of H x W, score.
    """
    bands = [neckline_band(own, joints) for own, joints in zip(garment, keypoints, strict=True)]
    return {
        IMAGE: None,
        GARMENT: garment,
        OUTSIDE: ~garment,
        NECKLINE: np.array(bands, np.bool_).reshape(garment.shape),
    }


def neckline_band(garment: NDArray[np.bool_], keypoints: NDArray[np.floating]) -> NDArray[np.bool_]:
    """The pixels, on the garment and off it, within `BAND` shoulder widths of its upper edge below the neck.

    The edge is, in each column between the shoulder joints, the garment's highest pixel, where that lies within
    `_FARTHEST` shoulder widths of the neck, the middle between the shoulders, above or below. So a high collar and a
    low dress have one, and trousers have none. From the neck's column outwards it may rise, as at a strap, but
    it ends where it falls by more than `BAND` from one column to the next: beyond are armholes and side seams.

    Args:
        garment: bool (H, W).
        keypoints: (18, 3).

    Returns:
        bool (H, W), empty where a shoulder is missing or there is no edge.
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
    edge = garment[rows, columns] & (abs(rows - neck) <= _FARTHEST * width)
    rows, columns = rows[edge], columns[edge]
    if not len(rows):
        return band
    joined = _connected_edge(rows, columns, shoulders[:, 0].mean(), BAND * width)
    rows, columns = rows[joined], columns[joined]
    reach = int(BAND * width) + 1
    box = (
        slice(max(rows.min() - reach, 0), rows.max() + reach + 1),
        slice(max(columns.min() - reach, 0), columns.max() + reach + 1),
    )
    elsewhere = np.ones(garment.shape, np.uint8)
    elsewhere[rows, columns] = 0
    distance = cv2.distanceTransform(np.ascontiguousarray(elsewhere[box]), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    band[box] = distance <= BAND * width
    return band


def _connected_edge(
    rows: NDArray[np.integer], columns: NDArray[np.integer], neck: float, most: float
) -> NDArray[np.bool_]:
    """Which points of an edge, column by column, are reached from the one nearest to the neck without falling."""
    start = abs(columns - neck).argmin()
    falls = np.diff(rows) * np.where(np.arange(len(rows) - 1) >= start, 1, -1)
    part = np.concatenate(([0], np.cumsum((falls > most) | (np.diff(columns) > 1))))
    return part == part[start]
