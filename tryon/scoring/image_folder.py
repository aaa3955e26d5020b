"""Find and validate a folder of result images, reporting all faults at once."""

from __future__ import annotations

import hashlib
import io
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TypeVar

import numpy as np
from PIL import Image, UnidentifiedImageError

from tryon.categories import Category
from tryon.dresscode.readers import Size
from tryon.errors import MissingInputError, format_list
from tryon.runtime.atomic_files import sha256_bytes
from tryon.runtime.process_pool import map_chunks, split_chunks
from tryon.runtime.progress import Progress

SUFFIXES = (".png", ".jpg", ".jpeg")
"""Supported image files; others are ignored."""

UNSUPPORTED_SUFFIXES = (
    ".avif", ".bmp", ".gif", ".heic", ".jfif", ".jp2", ".jxl", ".ppm", ".tga", ".tif", ".tiff", ".webp",
)  # fmt: skip
"""Unsupported image files, reported if pairs are missing."""

MAX_NAMED = 12
"""Files listed per kind of fault."""

_CHUNK_SIZE = 256
_Value = TypeVar("_Value")
_DECODE_ERRORS = (OSError, SyntaxError, ValueError, Image.DecompressionBombError, UnidentifiedImageError)

UNREADABLE, CONSTANT, NOT_8_BIT, GRAY, TRANSPARENT = (
    "unreadable",
    "a single color",
    "not 8 bits per channel",
    "gray or black and white",
    "transparent",
)
OPAQUE = 255
_PNG_BIT_DEPTH = 24
"""Offset of the bit depth in a PNG file. Pillow does not report it: it reads 16-bit colors as 8-bit ones."""


@dataclass(frozen=True)
class ScoredPair:
    """A pair of a test list: its id, category and person."""

    pair_id: str
    category: Category
    person_id: str


@dataclass(frozen=True)
class Results:
    """A folder of results without faults.

    Args:
        files: by pair id.
        size: height and width of every image.
        format: of every file: `PNG`, `JPEG 75` by the libjpeg quality of its tables, or `JPEG` and a hash of other
            tables.
        digest: SHA-256 over pair ids and files.
        by_person: number of files named by person only, whose garment cannot be checked.
    """

    files: dict[str, Path]
    size: Size
    format: str
    digest: str
    by_person: int


@dataclass(frozen=True)
class _InspectedImage:
    """Properties of an image file; `fault` is empty if it is usable."""

    sha256: str = ""
    size: Size = (0, 0)
    format: str = ""
    fault: str = ""


def read_results(
    folder: Path, listed: Sequence[ScoredPair], selected: Sequence[ScoredPair], progress: Progress
) -> Results:
    """Find and validate the images of the selected pairs.

    A file is named by its pair (`<person>_<garment>`) or, if the person occurs once in the list, by its person
    (`<person>` or `<person>_0`). It is in the folder or in a subfolder named after its category.

    Args:
        listed: all pairs of the test list; files of pairs that are not selected are no fault.
        selected: pairs to score.

    Raises:
        MissingInputError: images are missing, extra, duplicated, unreadable, a single color, gray, transparent, or of
            another size or format than most. Each kind is listed with its count and first files; if pairs are
            missing, unsupported images are listed too.
    """
    check_folder(folder)
    candidates, extra = _find_files(folder, listed)
    files = {pair.pair_id: candidates[pair.pair_id] for pair in selected if pair.pair_id in candidates}
    unique = {pair: paths[0] for pair, paths in files.items() if len(paths) == 1}
    chunks = split_chunks(list(unique.values()), _CHUNK_SIZE)
    inspected = map_chunks(_inspect_chunk, chunks, progress, "result images read")
    images = dict(zip(unique, (image for chunk in inspected for image in chunk), strict=True))
    usable = {pair: image for pair, image in images.items() if not image.fault}
    size = _most_common(image.size for image in usable.values())
    format = _most_common(image.format for image in usable.values())
    missing = [pair.pair_id for pair in selected if pair.pair_id not in files]
    faults = {
        "missing": missing,
        **(_unsupported_images(folder) if missing else {}),
        "duplicated": [f"{pair} ({', '.join(p.name for p in paths)})" for pair, paths in files.items() if paths[1:]],
        "not in the test list": _relative(folder, extra),
        **{
            fault: [unique[pair].name for pair, image in images.items() if image.fault == fault]
            for fault in (UNREADABLE, CONSTANT, NOT_8_BIT, GRAY, TRANSPARENT)
        },
        f"not {format_size(size)} as most": [
            f"{unique[pair].name} ({format_size(image.size)})" for pair, image in usable.items() if image.size != size
        ],
        f"not {format} as most": [
            f"{unique[pair].name} ({image.format})" for pair, image in usable.items() if image.format != format
        ],
    }
    _raise_if_faults(folder, faults, len(selected))
    assert size is not None
    assert format is not None
    lines = "".join(f"{pair} {image.sha256}\n" for pair, image in sorted(images.items()))
    by_person = sum(path.stem != pair for pair, path in unique.items())
    return Results(unique, size, format, hashlib.sha256(lines.encode()).hexdigest(), by_person)


def check_folder(folder: Path) -> None:
    """Raise MissingInputError if the folder does not exist."""
    if not folder.is_dir():
        problem = f"{folder} is a file" if folder.exists() else f"{folder} not found"
        raise MissingInputError(problem, expected="a folder of result images")


def format_size(size: Size | None) -> str:
    """Format a size as height x width.

    >>> format_size((512, 384))
    '512x384'
    """
    return "of one size" if size is None else f"{size[0]}x{size[1]}"


def _find_files(folder: Path, listed: Sequence[ScoredPair]) -> tuple[dict[str, list[Path]], list[Path]]:
    """Return the files by pair id, and files of no pair."""
    folders = {folder: _file_names(listed)}
    folders |= {folder / each: _file_names(pair for pair in listed if pair.category == each) for each in Category}
    files: dict[str, list[Path]] = {}
    extra: list[Path] = []
    for parent, names in folders.items():
        images = [path for path in parent.iterdir() if _is_image(path)] if parent.is_dir() else []
        for path in sorted(images):
            pair = names.get(path.stem)
            if pair is None:
                extra.append(path)
            else:
                files.setdefault(pair, []).append(path)
    return files, extra


def _unsupported_images(folder: Path) -> dict[str, list[str]]:
    """Return unsupported images by reason, one folder deep."""
    folders = [folder, *(folder / category for category in Category)]
    unsupported = [path for parent in folders for path in parent.glob("*") if _is_image(path, UNSUPPORTED_SUFFIXES)]
    nested = [path for parent in folders for path in parent.glob("*/*") if path.parent not in folders]
    suffixes = (*SUFFIXES, *UNSUPPORTED_SUFFIXES)
    nested = [path for path in nested if path.parent.name[0] != "." and _is_image(path, suffixes)]
    return {
        "not PNG or JPEG": _relative(folder, sorted(unsupported)),
        "in subfolders that are not searched (name the subfolder)": _relative(folder, sorted(nested)),
    }


def _relative(folder: Path, paths: Iterable[Path]) -> list[str]:
    return [path.relative_to(folder).as_posix() for path in paths]


def _is_image(path: Path, suffixes: Sequence[str] = SUFFIXES) -> bool:
    return path.suffix.lower() in suffixes and not path.name.startswith(".") and path.is_file()


def _file_names(pairs: Iterable[ScoredPair]) -> dict[str, str]:
    """Map accepted file names without suffix to pair ids."""
    pairs = list(pairs)
    persons = Counter(pair.person_id for pair in pairs)
    names = {}
    for pair in pairs:
        if persons[pair.person_id] == 1:
            names |= {pair.person_id: pair.pair_id, f"{pair.person_id}_0": pair.pair_id}
    return names | {pair.pair_id: pair.pair_id for pair in pairs}


def _inspect_chunk(paths: Sequence[Path]) -> list[_InspectedImage]:
    return [_inspect(path) for path in paths]


def _inspect(path: Path) -> _InspectedImage:
    try:
        data = path.read_bytes()
        with Image.open(io.BytesIO(data)) as image:
            if image.mode.startswith(("I", "F")) or (image.format == "PNG" and data[_PNG_BIT_DEPTH] > 8):
                return _InspectedImage(fault=NOT_8_BIT)
            if image.has_transparency_data and np.asarray(image.convert("RGBA"))[..., 3].min() < OPAQUE:
                return _InspectedImage(fault=TRANSPARENT)
            format = _format(image)
            pixels = np.asarray(image.convert("RGB"))
    except _DECODE_ERRORS:
        return _InspectedImage(fault=UNREADABLE)
    if (pixels == pixels[0, 0]).all():
        return _InspectedImage(fault=CONSTANT)
    if (pixels[..., 0] == pixels[..., 1]).all() and (pixels[..., 1] == pixels[..., 2]).all():
        return _InspectedImage(fault=GRAY)
    return _InspectedImage(sha256_bytes(data), (pixels.shape[0], pixels.shape[1]), format)


def _format(image: Image.Image) -> str:
    tables = getattr(image, "quantization", None)
    if image.format != "JPEG" or not tables:
        return str(image.format)
    _, _, _, luminance = image.layer[0]  # pyright: ignore[reportAttributeAccessIssue]
    table = tuple(tables[luminance])
    return f"JPEG {_jpeg_qualities().get(table) or sha256_bytes(str(table).encode())[:8]}"


@cache
def _jpeg_qualities() -> dict[tuple[int, ...], int]:
    """Map libjpeg's luminance tables to JPEG qualities."""
    qualities: dict[tuple[int, ...], int] = {}
    for quality in range(1, 101):
        data = io.BytesIO()
        Image.new("L", (8, 8)).save(data, "JPEG", quality=quality)
        qualities[tuple(Image.open(data).quantization[0])] = quality  # pyright: ignore[reportAttributeAccessIssue]
    return qualities


def _most_common(values: Iterable[_Value]) -> _Value | None:
    counted = Counter(values).most_common(1)
    return counted[0][0] if counted else None


def _raise_if_faults(folder: Path, faults: dict[str, list[str]], count: int) -> None:
    lines = [f"\n  {len(names)} {fault}: {format_list(names, MAX_NAMED)}" for fault, names in faults.items() if names]
    if lines:
        hint = "Fix the folder, or score only some pairs with --pairs-file FILE (one pair id per line)."
        if len(faults["missing"]) == count:
            hint = "No file belongs to a pair of this test list. Set the list with --dataset and --setting."
        raise MissingInputError(
            f"{folder} does not hold one valid image for each of the {count} pairs:{''.join(lines)}", hint=hint
        )
