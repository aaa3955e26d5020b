"""A folder of result images: which file answers which pair, and everything that is wrong with it at once."""

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

ENDINGS = (".png", ".jpg", ".jpeg")
"""Files that count as images; others in the folder are left alone."""

OTHER_ENDINGS = (".avif", ".bmp", ".gif", ".heic", ".jfif", ".jp2", ".jxl", ".ppm", ".tga", ".tif", ".tiff", ".webp")
"""Images too, but not read; they are told where pairs are missing."""

MAX_NAMED = 12
"""How many of each kind of fault are named."""

_SHARD = 256
_Value = TypeVar("_Value")
_FAULTS = (OSError, SyntaxError, ValueError, Image.DecompressionBombError, UnidentifiedImageError)


@dataclass(frozen=True)
class ScoredPair:
    """A line of a test list: the pair, its category and its person."""

    pair_id: str
    category: Category
    person_id: str


@dataclass(frozen=True)
class Results:
    """A folder without faults.

    Args:
        files: by pair id.
        size: height and width of every image.
        format: of every file: `PNG`, `JPEG 75` by the quality that libjpeg would need for its tables, or `JPEG` and a
            hash of the tables where they are no such ones.
        digest: SHA-256 over pair ids and files.
        by_person: how many files are named by the person alone, and so do not say which garment they show.
    """

    files: dict[str, Path]
    size: Size
    format: str
    digest: str
    by_person: int


_DEEP, _GREY, _TRANSPARENT = "not of 8 bits a channel", "gray or black and white", "transparent"
OPAQUE = 255
BITS = 8
_PNG_DEPTH = 24
"""Where the bits a channel stand in a PNG file. Pillow does not tell them: it reads colors of 16 bits as ones of 8."""


@dataclass(frozen=True)
class _InspectedImage:
    """What looking at one file gave; `fault` is empty where it can be used."""

    sha256: str = ""
    size: Size = (0, 0)
    format: str = ""
    fault: str = ""


def read_results(folder: Path, known: Sequence[ScoredPair], wanted: Sequence[ScoredPair], progress: Progress) -> Results:
    """Find and check the images of `wanted`.

    A file is named by its pair, `<person>_<garment>`, or by its person, `<person>` or `<person>_0`, where that is in
    the list once. It lies in the folder or in a folder in it that is called as its category.

    Args:
        folder: where to look.
        known: all lines of the test list; files of those that are not wanted are no fault.
        wanted: the lines that are scored.
        progress: told images.

    Raises:
        MissingInputError: images are missing, extra, there twice, unreadable, constant, gray, transparent, or of
            another size or format than most; each kind with its number and its first twelve. Where pairs are missing,
            images that were not looked at are told too: they may be those.
    """
    check_folder(folder)
    found, extra = _found(folder, known)
    files = {line.pair_id: found[line.pair_id] for line in wanted if line.pair_id in found}
    single = {pair: paths[0] for pair, paths in files.items() if len(paths) == 1}
    seen = dict(zip(single, _inspect_all(list(single.values()), progress), strict=True))
    size, format = (
        _most_common(getattr(one, name) for one in seen.values() if not one.fault) for name in ("size", "format")
    )
    missing = [line.pair_id for line in wanted if line.pair_id not in files]
    faults = {
        "missing": missing,
        **(_ignored_images(folder) if missing else {}),
        "there twice": [f"{pair} ({', '.join(p.name for p in paths)})" for pair, paths in files.items() if paths[1:]],
        "extra, for no pair of the list": _relative(folder, extra),
        **{
            fault: [single[pair].name for pair, one in seen.items() if one.fault == fault]
            for fault in ("unreadable", "constant", _DEEP, _GREY, _TRANSPARENT)
        },
        f"not {format_size(size)} as most are": [
            f"{single[pair].name} ({format_size(one.size)})"
            for pair, one in seen.items()
            if not one.fault and one.size != size
        ],
        f"not {format} as most are": [
            f"{single[pair].name} ({one.format})"
            for pair, one in seen.items()
            if not one.fault and one.format != format
        ],
    }
    _raise_any(folder, faults, len(wanted))
    assert size is not None
    assert format is not None
    digest = hashlib.sha256(
        "".join(f"{pair} {one.sha256}\n" for pair, one in sorted(seen.items())).encode()
    ).hexdigest()
    by_person = sum(path.stem != pair for pair, path in single.items())
    return Results(single, size, format, digest, by_person)


def check_folder(folder: Path) -> None:
    """Raises MissingInputError if it is none."""
    if not folder.is_dir():
        remedy = "Name the folder with the result images."
        value = "a file" if folder.exists() else "nothing of that name"
        raise MissingInputError(str(folder), expected="is a folder of result images", found=value, hint=remedy)


def format_size(size: Size | None) -> str:
    """512x384 for (512, 384): height x width."""
    return "of one size" if size is None else f"{size[0]}x{size[1]}"


def _found(folder: Path, known: Sequence[ScoredPair]) -> tuple[dict[str, list[Path]], list[Path]]:
    """Files by pair id, and those of no pair."""
    places = {None: _names(known)} | {one: _names(line for line in known if line.category == one) for one in Category}
    found: dict[str, list[Path]] = {}
    extra: list[Path] = []
    for category, names in places.items():
        place = folder / category if category else folder
        images = [path for path in place.iterdir() if _is_image(path)] if place.is_dir() else []
        for path in sorted(images):
            pair = names.get(path.stem)
            if pair is None:
                extra.append(path)
            else:
                found.setdefault(pair, []).append(path)
    return found, extra


def _ignored_images(folder: Path) -> dict[str, list[str]]:
    """Images that are not looked at, by the reason, one folder deep."""
    places = [folder, *(folder / category for category in Category)]
    others = [path for place in places for path in place.glob("*") if _is_image(path, OTHER_ENDINGS)]
    inside = [path for place in places for path in place.glob("*/*") if path.parent not in places]
    deeper = [path for path in inside if path.parent.name[0] != "." and _is_image(path, (*ENDINGS, *OTHER_ENDINGS))]
    return {
        "of a kind that is not read (PNG and JPEG are)": _relative(folder, sorted(others)),
        "in folders that are not looked into (name that folder)": _relative(folder, sorted(deeper)),
    }


def _relative(folder: Path, paths: Iterable[Path]) -> list[str]:
    return [path.relative_to(folder).as_posix() for path in paths]


def _is_image(path: Path, endings: Sequence[str] = ENDINGS) -> bool:
    return path.suffix.lower() in endings and not path.name.startswith(".") and path.is_file()


def _names(lines: Iterable[ScoredPair]) -> dict[str, str]:
    """Every name that a file may have, without its ending, with the pair that it means."""
    lines = list(lines)
    persons = Counter(line.person_id for line in lines)
    once = [line for line in lines if persons[line.person_id] == 1]
    names = {line.person_id: line.pair_id for line in once} | {f"{line.person_id}_0": line.pair_id for line in once}
    return names | {line.pair_id: line.pair_id for line in lines}


def _inspect_all(paths: list[Path], progress: Progress) -> list[_InspectedImage]:
    parts = (
        map_chunks(_inspect_batch, split_chunks(paths, _SHARD), progress, "result images looked at") if paths else []
    )
    return [seen for part in parts for seen in part]


def _inspect_batch(paths: Sequence[Path]) -> list[_InspectedImage]:
    return [_inspect(path) for path in paths]


def _inspect(path: Path) -> _InspectedImage:
    try:
        data = path.read_bytes()
        with Image.open(io.BytesIO(data)) as image:
            if image.mode.startswith(("I", "F")) or (image.format == "PNG" and data[_PNG_DEPTH] > BITS):
                return _InspectedImage(fault=_DEEP)
            if image.has_transparency_data and np.asarray(image.convert("RGBA"))[..., 3].min() < OPAQUE:
                return _InspectedImage(fault=_TRANSPARENT)
            format = _format(image)
            pixels = np.asarray(image.convert("RGB"))
    except _FAULTS:
        return _InspectedImage(fault="unreadable")
    if (pixels == pixels[0, 0]).all():
        return _InspectedImage(fault="constant")
    if (pixels[..., 0] == pixels[..., 1]).all() and (pixels[..., 1] == pixels[..., 2]).all():
        return _InspectedImage(fault=_GREY)
    return _InspectedImage(sha256_bytes(data), (pixels.shape[0], pixels.shape[1]), format)


def _format(image: Image.Image) -> str:
    tables = getattr(image, "quantization", None)
    if image.format != "JPEG" or not tables:
        return str(image.format)
    _, _, _, luminance = image.layer[0]  # pyright: ignore[reportAttributeAccessIssue]
    table = tuple(tables[luminance])
    return f"JPEG {_qualities().get(table) or sha256_bytes(str(table).encode())[:8]}"


@cache
def _qualities() -> dict[tuple[int, ...], int]:
    """Quality by the luminance table that Pillow, that is libjpeg, writes for it."""
    found: dict[tuple[int, ...], int] = {}
    for quality in range(1, 101):
        data = io.BytesIO()
        Image.new("L", (8, 8)).save(data, "JPEG", quality=quality)
        found[tuple(Image.open(data).quantization[0])] = quality  # pyright: ignore[reportAttributeAccessIssue]
    return found


def _most_common(values: Iterable[_Value]) -> _Value | None:
    counted = Counter(values).most_common(1)
    return counted[0][0] if counted else None


def _raise_any(folder: Path, faults: dict[str, list[str]], count: int) -> None:
    lines = [f"\n  {len(names)} {fault}: {format_list(names, MAX_NAMED)}" for fault, names in faults.items() if names]
    if lines:
        rule = f"holds one good image for each of the {count} pairs to score; of these files are" + "".join(lines)
        remedy = "Mend the folder, or name the pairs to score with --pairs-file FILE, one pair id a line."
        if len(faults["missing"]) == count:
            remedy = "No file is of a pair of this list: --dataset and --setting say which list it is."
        raise MissingInputError(str(folder), expected=rule, hint=remedy)
