"""A contact sheet of people: a title, the names of the columns, a line of audit numbers over each, a legend below."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from tryon.agnostic.preview.person_strip import COLUMNS, GAP, HARM, LEAK, ImageArray

LEGEND = (
    "leak: share of the garment left visible · protected: share of what must be kept that is hidden",
    "hidden: share of the image · outline: share of the mask's own outline that runs along the garment's",
)

_MARGIN = 14
_NARROWEST = 640
"""Pixels that the legend's longest line needs; small images leave room beside them."""

_INK, _SOFT, _FAULT = (29, 33, 37), (93, 101, 109), (190, 40, 30)
_QUALITY, _SMALL_QUALITY = 90, 80
_TITLE, _LINE, _SMALL = 19, 15, 13  # sizes of letters, pixels


@dataclass(frozen=True)
class PreviewEntry:
    """One person on a sheet.

    Args:
        why: "worst" or "typical".
        person_id: who.
        worn: skirt, trousers, ...
        numbers: of the audit, by column of the manifest.
        faults: columns that are beyond a limit.
        image: what `strip` gave.
    """

    why: str
    person_id: str
    worn: str
    numbers: dict[str, float | None]
    faults: frozenset[str]
    image: ImageArray


def contact_sheet(title: str, people: Sequence[PreviewEntry], height: int | None = None) -> bytes:
    """Draw a sheet.

    Args:
        title: first line.
        people: top to bottom; a line goes before the first of each `why`.
        height: of the images, to draw them smaller than they are.

    Returns:
        A JPEG.
    """
    images = [_scaled(one.image, height) for one in people]
    width = max([image.shape[1] + 2 * _MARGIN for image in images] + [_NARROWEST])
    blocks = [_text_band([(title, _TITLE, _INK)], width), *_legend(width)]
    before = ""
    for one, image in zip(people, images, strict=True):
        if one.why != before:
            blocks.append(_heading(one.why, image.shape[1], width))
            before = one.why
        blocks += [_caption(one, width), _framed(image, width)]
    whole = np.concatenate([*blocks, np.full((_MARGIN, width, 3), 255, np.uint8)])
    return _encoded(whole, _QUALITY if height is None else _SMALL_QUALITY)


_WORDS = {  # column: name, digits after the point in percent
    "leak_fraction": ("leak", 2),
    "protected_fraction": ("protected", 2),
    "mask_fraction": ("hidden", 1),
    "outline_similarity": ("outline", 0),
}


def _audit_of(one: PreviewEntry) -> list[tuple[str, bool]]:
    """The audit of one person in words, each with whether it is a fault."""
    return [
        (f"{name} {_percent(one.numbers[column], digits)}", column in one.faults)
        for column, (name, digits) in _WORDS.items()
    ]


def _percent(value: float | None, digits: int) -> str:
    return "–" if value is None else f"{100 * value:.{digits}f} %"


def _scaled(image: ImageArray, height: int | None) -> ImageArray:
    if height is None or height >= len(image):
        return image
    size = (round(image.shape[1] * height / len(image)), height)
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)


def _text_band(lines: Sequence[tuple[str, int, tuple[int, int, int]]], width: int) -> ImageArray:
    """Lines of text: what, how large, in which color."""
    band = Image.new("RGB", (width, sum(round(1.5 * size) for _, size, _ in lines) + 8), "white")
    draw, top = ImageDraw.Draw(band), 8
    for text, size, color in lines:
        draw.text((_MARGIN, top), text, color, ImageFont.load_default(size))
        top += round(1.5 * size)
    return np.array(band)


def _legend(width: int) -> list[ImageArray]:
    band = Image.fromarray(_text_band([(line, _SMALL, _SOFT) for line in LEGEND] + [(" ", _SMALL, _SOFT)], width))
    draw, font, left = ImageDraw.Draw(band), ImageFont.load_default(_SMALL), float(_MARGIN)
    top = 8 + 2 * round(1.5 * _SMALL)
    for color, text in ((LEAK, "in the mask: garment left visible"), (HARM, "hidden though to be kept")):
        draw.rectangle((left, top + 3, left + 11, top + 14), color)
        draw.text((left + 18, top), text, _SOFT, font)
        left += 18 + draw.textlength(text, font) + 24
    return [np.array(band)]


def _heading(why: str, strip_width: int, width: int) -> ImageArray:
    """The reason why the people below are shown, and the names of the columns."""
    band = Image.new("RGB", (width, 56), "white")
    draw = ImageDraw.Draw(band)
    draw.text((_MARGIN, 8), why.capitalize(), _INK, ImageFont.load_default(_TITLE - 2))
    cell = (strip_width - (len(COLUMNS) - 1) * GAP) / len(COLUMNS)
    for number, name in enumerate(COLUMNS):
        draw.text((_MARGIN + number * (cell + GAP), 35), name, _SOFT, ImageFont.load_default(_SMALL))
    return np.array(band)


def _caption(one: PreviewEntry, width: int) -> ImageArray:
    band = Image.new("RGB", (width, 26), "white")
    draw, font, left = ImageDraw.Draw(band), ImageFont.load_default(_LINE), float(_MARGIN)
    for text, fault in [(one.person_id, False), (one.worn, False), *_audit_of(one)]:
        draw.text((left, 5), text, _FAULT if fault else _INK, font)
        left += draw.textlength(text, font) + 18
    return np.array(band)


def _framed(image: ImageArray, width: int) -> ImageArray:
    band = np.full((len(image) + 10, width, 3), 255, np.uint8)
    band[: len(image), _MARGIN : _MARGIN + image.shape[1]] = image
    return band


def _encoded(rgb: ImageArray, quality: int) -> bytes:
    options = [
        cv2.IMWRITE_JPEG_QUALITY, quality,
        cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444,  # the colors of ids stay sharp
    ]  # fmt: skip
    return cv2.imencode(".jpg", rgb[..., ::-1], options)[1].tobytes()
