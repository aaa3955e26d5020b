"""A contact sheet of masks: person, label map, DensePose, mask and agnostic picture in a row, worst people first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from tryon.agnostic.people import person_of, read_maps
from tryon.agnostic.regions import apply_mask
from tryon.download.raw import read_checked
from tryon.dresscode.readers import decode_photo, resize_labels
from tryon.manifest.mask_png import decode_mask
from tryon.manifest.schemas import STATUS_OK
from tryon.workspace import Workspace

CELL_HEIGHT = 160
"""Height of one picture on the sheet, pixels."""

_CAPTION = 14
_QUALITY = 85
_AUDIT = ("leak_fraction", "protected_fraction", "mask_fraction")

Picture = NDArray[np.uint8]
Row = dict[str, Any]


def preview(rows: Sequence[Row], sources: Sequence[Row], workspace: Workspace, count: int = 8) -> bytes:
    """Draw the telling people of a manifest: half of them the worst by the audit, half typical.

    Args:
        rows: of the manifest.
        sources: rows of the index, in the same order, with the files that masks are made from.
        workspace: holds the raw files.
        count: rows of the sheet.

    Returns:
        A JPEG; with 8 rows about 100 kB.

    Raises:
        MissingInputError: a raw file is not there or has changed.
    """
    chosen = telling_rows(rows, count)
    if not chosen:
        return _encode(np.full((_CAPTION, CELL_HEIGHT, 3), 255, np.uint8))
    return _encode(np.concatenate([_strip(rows[number], sources[number], workspace) for number in chosen]))


def telling_rows(rows: Sequence[Row], count: int) -> list[int]:
    """Numbers of the rows to look at, every person once.

    Half of them are the worst by leak and protected fraction, the others those with the most usual mask size.
    """
    people: dict[str, int] = {}
    for number, row in enumerate(rows):
        if row["status"] == STATUS_OK:
            people.setdefault(row["person_id"], number)
    numbers = list(people.values())
    if not numbers:
        return []
    usual = float(np.median([rows[number]["mask_fraction"] for number in numbers]))
    worst = sorted(numbers, key=lambda number: -_fault(rows[number]))[: (count + 1) // 2]
    rest = [number for number in numbers if number not in worst]
    typical = sorted(rest, key=lambda number: abs(rows[number]["mask_fraction"] - usual))
    return worst + typical[: count - len(worst)]


def _fault(row: Row) -> float:
    return max(row["leak_fraction"] or 0.0, row["protected_fraction"] or 0.0)


def _strip(row: Row, source: Row, workspace: Workspace) -> Picture:
    """One person's five pictures side by side under a line of text."""
    size = (CELL_HEIGHT, round(CELL_HEIGHT * row["width"] / row["height"]))
    photo = decode_photo(read_checked(workspace, row["person"], row["person_sha256"]), size)
    maps = read_maps(person_of(source), size, workspace)
    dense = np.zeros(size, np.uint8) if maps.dense_pose is None else maps.dense_pose
    mask = resize_labels(decode_mask(row["mask_png"]).view(np.uint8), size)
    white = np.repeat(mask[..., None] * np.uint8(255), 3, axis=2)
    agnostic = apply_mask(photo, mask.view(np.bool_))
    pictures = [photo, _coloured(maps.label_map), _coloured(dense), white, agnostic]
    line = f"{row['person_id']}  " + "  ".join(
        f"{name.removesuffix('_fraction')} {'-' if row[name] is None else f'{row[name]:.2%}'}" for name in _AUDIT
    )
    return np.concatenate([_caption(line, 5 * size[1]), np.concatenate(pictures, axis=1)])


def _coloured(ids: NDArray[np.uint8]) -> Picture:
    """A map of ids in colours that differ between neighbouring ids; 0 is black."""
    hues = (np.arange(256) * 67 % 180).astype(np.uint8)
    values = np.where(np.arange(256) == 0, 0, 230).astype(np.uint8)
    table = cv2.cvtColor(np.stack([hues, np.full(256, 170, np.uint8), values], 1)[None], cv2.COLOR_HSV2RGB)[0]
    return cast(Picture, table[ids])


def _caption(text: str, width: int) -> Picture:
    band = np.full((_CAPTION, width, 3), 255, np.uint8)
    cv2.putText(band, text, (3, _CAPTION - 4), cv2.FONT_HERSHEY_SIMPLEX, 0.36, (0, 0, 0), 1, cv2.LINE_AA)
    return band


def _encode(rgb: Picture) -> bytes:
    return cv2.imencode(".jpg", rgb[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])[1].tobytes()
