"""Render a contact sheet of people: title, legend, and a strip with its metrics for each person."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from tryon.agnostic.preview.person_strip import COLUMNS, GAP, LEAK_COLOR, PROTECTED_COLOR, ImageArray

LEGEND = (
    "leak: fraction of the garment left visible · protected: fraction of the protected region that is masked",
    "masked: fraction of the image · outline: fraction of the mask's outline that follows the garment's",
)

_MARGIN = 14
_MIN_WIDTH = 640  # of the legend's longest line

_TEXT, _GRAY, _RED = (29, 33, 37), (93, 101, 109), (190, 40, 30)
_QUALITY, _SMALL_QUALITY = 90, 80
_TITLE, _LINE, _SMALL = 19, 15, 13  # font sizes, pixels

_METRICS = {  # column: name, digits after the point in percent
    "leak_fraction": ("leak", 2),
    "protected_fraction": ("protected", 2),
    "mask_fraction": ("masked", 1),
    "outline_similarity": ("outline", 0),
}


@dataclass(frozen=True)
class PreviewEntry:
    """One person on a sheet.

    Args:
        why: "worst" or "typical".
        numbers: metrics of the audit, by column of the manifest.
        violations: columns that violate a quality limit.
    """

    why: str
    person_id: str
    worn: str
    numbers: dict[str, float | None]
    violations: frozenset[str]
    image: ImageArray


def contact_sheet(title: str, people: Sequence[PreviewEntry], height: int | None = None) -> bytes:
    """Render a sheet as JPEG.

    Args:
        people: top to bottom; a heading precedes the first of each `why`.
        height: to reduce the images to.
    """
    images = [_resize(entry.image, height) for entry in people]
    width = max([image.shape[1] + 2 * _MARGIN for image in images] + [_MIN_WIDTH])
    blocks = [_text_band([(title, _TITLE, _TEXT)], width), _legend(width)]
    previous = ""
    for entry, image in zip(people, images, strict=True):
        if entry.why != previous:
            blocks.append(_heading(entry.why, image.shape[1], width))
            previous = entry.why
        blocks += [_caption(entry, width), _frame(image, width)]
    sheet = np.concatenate([*blocks, np.full((_MARGIN, width, 3), 255, np.uint8)])
    options = [
        cv2.IMWRITE_JPEG_QUALITY, _QUALITY if height is None else _SMALL_QUALITY,
        cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444,  # keeps colors of ids sharp
    ]  # fmt: skip
    return cv2.imencode(".jpg", sheet[..., ::-1], options)[1].tobytes()


def _resize(image: ImageArray, height: int | None) -> ImageArray:
    if height is None or height >= len(image):
        return image
    size = (round(image.shape[1] * height / len(image)), height)
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)


def _text_band(lines: Sequence[tuple[str, int, tuple[int, int, int]]], width: int) -> ImageArray:
    """Render lines of text with font size and color."""
    band = Image.new("RGB", (width, sum(round(1.5 * size) for _, size, _ in lines) + 8), "white")
    draw, top = ImageDraw.Draw(band), 8
    for text, size, color in lines:
        draw.text((_MARGIN, top), text, color, ImageFont.load_default(size))
        top += round(1.5 * size)
    return np.array(band)


def _legend(width: int) -> ImageArray:
    band = Image.fromarray(_text_band([(line, _SMALL, _GRAY) for line in LEGEND] + [(" ", _SMALL, _GRAY)], width))
    draw, font, left = ImageDraw.Draw(band), ImageFont.load_default(_SMALL), float(_MARGIN)
    top = 8 + 2 * round(1.5 * _SMALL)
    items = ((LEAK_COLOR, "in the mask: garment left visible"), (PROTECTED_COLOR, "protected region masked"))
    for color, text in items:
        draw.rectangle((left, top + 3, left + 11, top + 14), color)
        draw.text((left + 18, top), text, _GRAY, font)
        left += 18 + draw.textlength(text, font) + 24
    return np.array(band)


def _heading(why: str, strip_width: int, width: int) -> ImageArray:
    """Render why the people below were selected, and the names of the columns."""
    band = Image.new("RGB", (width, 56), "white")
    draw = ImageDraw.Draw(band)
    draw.text((_MARGIN, 8), why.capitalize(), _TEXT, ImageFont.load_default(_TITLE - 2))
    cell = (strip_width - (len(COLUMNS) - 1) * GAP) / len(COLUMNS)
    for number, name in enumerate(COLUMNS):
        draw.text((_MARGIN + number * (cell + GAP), 35), name, _GRAY, ImageFont.load_default(_SMALL))
    return np.array(band)


def _caption(entry: PreviewEntry, width: int) -> ImageArray:
    """Render id, garment type and metrics, violations in red."""
    band = Image.new("RGB", (width, 26), "white")
    draw, font, left = ImageDraw.Draw(band), ImageFont.load_default(_LINE), float(_MARGIN)
    texts = [(entry.person_id, _TEXT), (entry.worn, _TEXT)]
    for column, (name, digits) in _METRICS.items():
        value = entry.numbers[column]
        percent = "–" if value is None else f"{100 * value:.{digits}f} %"
        texts.append((f"{name} {percent}", _RED if column in entry.violations else _TEXT))
    for text, color in texts:
        draw.text((left, 5), text, color, font)
        left += draw.textlength(text, font) + 18
    return np.array(band)


def _frame(image: ImageArray, width: int) -> ImageArray:
    band = np.full((len(image) + 10, width, 3), 255, np.uint8)
    band[: len(image), _MARGIN : _MARGIN + image.shape[1]] = image
    return band
