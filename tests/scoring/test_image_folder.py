"""Tests of reading and validating a folder of result images."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from tryon.categories import Category
from tryon.errors import MissingInputError
from tryon.runtime.progress import no_progress
from tryon.scoring.image_folder import Results, ScoredPair, read_results
from tryon.scoring.protocols.preprocessing import read_image

PAIRS = [ScoredPair(f"{n:06d}_{n:06d}", list(Category)[n % 3], f"{n:06d}") for n in range(30)]


def save(path: Path, seed: int = 0, size: tuple[int, int] = (16, 12), quality: int = 75) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.random.default_rng(seed).integers(0, 255, (*size, 3), np.uint8)).save(path, quality=quality)


def read(folder: Path, pairs: list[ScoredPair] = PAIRS, selected: list[ScoredPair] | None = None) -> Results:
    return read_results(folder, pairs, selected or pairs, no_progress)


def fault_text(folder: Path, pairs: list[ScoredPair] = PAIRS) -> str:
    with pytest.raises(MissingInputError) as caught:
        read(folder, pairs)
    return str(caught.value)


@pytest.mark.parametrize(
    "name", ["{0.pair_id}.png", "{0.person_id}.png", "{0.person_id}_0.png", "{0.category}/{0.person_id}.png"]
)
def test_finds_files_by_pair_person_or_category_folder(tmp_path: Path, name: str) -> None:
    for number, pair in enumerate(PAIRS):
        save(tmp_path / name.format(pair), number)
    (tmp_path / "notes.txt").write_text("not an image")
    results = read(tmp_path)
    assert list(results.files) == [pair.pair_id for pair in PAIRS]
    assert (results.size, results.format) == ((16, 12), "PNG")


def test_ambiguous_person_requires_pair_id(tmp_path: Path) -> None:
    pairs = [ScoredPair("1_2", Category.DRESSES, "1"), ScoredPair("1_3", Category.DRESSES, "1")]
    save(tmp_path / "1.png")
    text = fault_text(tmp_path, pairs)
    assert "2 missing: 1_2, 1_3" in text
    assert "1 not in the test list: 1.png" in text


def test_reports_all_faults_at_once(tmp_path: Path) -> None:
    for number, pair in enumerate(PAIRS[15:]):
        save(tmp_path / f"{pair.pair_id}.png", number)
    save(tmp_path / "other.jpg")
    save(tmp_path / f"{PAIRS[20].person_id}.png")
    save(tmp_path / f"{PAIRS[21].pair_id}.png", size=(16, 13))
    (tmp_path / f"{PAIRS[22].pair_id}.png").write_bytes(b"\x89PNG truncated")
    Image.new("RGB", (12, 16), (9, 9, 9)).save(tmp_path / f"{PAIRS[23].pair_id}.png")
    (tmp_path / f"{PAIRS[24].pair_id}.png").unlink()
    save(tmp_path / f"{PAIRS[24].pair_id}.jpg")
    Image.fromarray(np.arange(192, dtype=np.uint16).reshape(16, 12) * 300).save(tmp_path / f"{PAIRS[25].pair_id}.png")
    text = fault_text(tmp_path)
    first = ", ".join(pair.pair_id for pair in PAIRS[:12])
    assert text.splitlines()[1:] == [
        f"  15 missing: {first} and 3 more",
        f"  1 duplicated: {PAIRS[20].pair_id} (000020.png, 000020_000020.png)",
        "  1 not in the test list: other.jpg",
        "  1 unreadable: 000022_000022.png",
        "  1 a single color: 000023_000023.png",
        "  1 not 8 bits per channel: 000025_000025.png",
        "  1 not 16x12 as most: 000021_000021.png (16x13)",
        "  1 not PNG as most: 000024_000024.jpg (JPEG 75)",
        "Fix the folder, or score only some pairs with --pairs-file FILE (one pair id per line).",
    ]


@pytest.mark.parametrize(("mode", "suffix"), [("RGB", ".png"), ("RGB", ".jpg"), ("P", ".png"), ("RGBA", ".png")])
def test_rejects_gray_images_in_every_format(tmp_path: Path, mode: str, suffix: str) -> None:
    for number, pair in enumerate(PAIRS[:4]):
        save(tmp_path / f"{pair.pair_id}{suffix}", number)
    path = tmp_path / f"{PAIRS[2].pair_id}{suffix}"
    Image.open(path).convert("L").convert(mode).save(path)
    text = fault_text(tmp_path, PAIRS[:4]).splitlines()[1:-1]
    assert text == [f"  1 gray or black and white: {path.name}"]


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_rejects_16_bit_channels(tmp_path: Path, channels: int) -> None:
    for number, pair in enumerate(PAIRS[:4]):
        save(tmp_path / f"{pair.pair_id}.png", number)
    path = tmp_path / f"{PAIRS[2].pair_id}.png"
    pixels = np.random.default_rng(0).integers(0, 1 << 16, (16, 12, channels), np.uint16)
    pixels[..., 3:] = (1 << 16) - 1
    cv2.imwrite(str(path), pixels)
    text = fault_text(tmp_path, PAIRS[:4]).splitlines()[1:-1]
    assert text == [f"  1 not 8 bits per channel: {path.name}"]


@pytest.mark.parametrize("bits", [1, 2, 4, 8])
def test_reads_palettes_of_few_colors(tmp_path: Path, bits: int) -> None:
    path = tmp_path / f"{PAIRS[0].pair_id}.png"
    save(path)
    reduced = Image.open(path).quantize(1 << bits)
    reduced.save(path, bits=bits)
    assert path.read_bytes()[24] == bits
    assert read(tmp_path, PAIRS[:1]).format == "PNG"


def test_rejects_gray_and_transparent_images(tmp_path: Path) -> None:
    for number, pair in enumerate(PAIRS):
        save(tmp_path / f"{pair.pair_id}.png", number)
    kinds = {0: "1", 1: "L", 2: "LA", 3: "RGBA"}
    for number, mode in kinds.items():
        path = tmp_path / f"{PAIRS[number].pair_id}.png"
        image = Image.open(path).convert(mode)
        if mode == "RGBA":
            image.putpixel((3, 4), (0, 0, 0, 0))
        image.save(path)
    text = fault_text(tmp_path)
    assert f"3 gray or black and white: {', '.join(f'{PAIRS[n].pair_id}.png' for n in range(3))}" in text
    assert f"1 transparent: {PAIRS[3].pair_id}.png" in text
    for number in kinds:
        save(tmp_path / f"{PAIRS[number].pair_id}.png", number)
    Image.open(tmp_path / f"{PAIRS[0].pair_id}.png").convert("RGBA").save(tmp_path / f"{PAIRS[0].pair_id}.png")
    assert len(read(tmp_path).files) == len(PAIRS)  # an opaque RGBA image is valid


def renumber_tables(path: Path, luminance: int, chrominance: int) -> None:
    """Renumber the two quantization tables of a JPEG written by Pillow."""
    data = bytearray(path.read_bytes())
    first = data.index(b"\xff\xdb")
    second, frame = data.index(b"\xff\xdb", first + 1), data.index(b"\xff\xc0")
    assert [data[offset] for offset in (first + 4, second + 4, frame + 12, frame + 15, frame + 18)] == [0, 1, 0, 1, 1]
    data[first + 4] = data[frame + 12] = luminance
    data[second + 4] = data[frame + 15] = data[frame + 18] = chrominance
    path.write_bytes(data)


@pytest.mark.parametrize("tables", [(0, 1), (1, 0), (2, 1), (1, 3)])
def test_reads_jpeg_quality_from_luminance_table(tmp_path: Path, tables: tuple[int, int]) -> None:
    path = tmp_path / "000000_000000.jpg"
    save(path, quality=90)
    pixels = read_image(path)
    renumber_tables(path, *tables)
    assert (read_image(path) == pixels).all()
    assert read(tmp_path, PAIRS[:1]).format == "JPEG 90"


def test_accepts_16_bit_quantization_tables(tmp_path: Path) -> None:
    path = tmp_path / "000000_000000.jpg"
    image = Image.fromarray(np.random.default_rng(0).integers(0, 255, (16, 12, 3), np.uint8))
    image.save(path, qtables=[[2, *[1000] * 63], [2, *[300] * 63]])
    assert len(read(tmp_path, PAIRS[:1]).format) == len("JPEG 01234567")


def test_ignores_files_of_unselected_pairs(tmp_path: Path) -> None:
    for number, pair in enumerate(PAIRS[:5]):
        save(tmp_path / f"{pair.pair_id}.png", number)
    results = read(tmp_path, PAIRS, PAIRS[:2])
    assert list(results.files) == [pair.pair_id for pair in PAIRS[:2]]


def test_lists_unsupported_images_if_pairs_are_missing(tmp_path: Path) -> None:
    for number, pair in enumerate(PAIRS):
        save(tmp_path / f"{pair.pair_id}.png", number)
    for name in ("a.webp", "b.TIFF", "dresses/c.bmp", "images/d.png", "dresses/paired/e.webp"):
        save(tmp_path / Path(name).with_suffix(".png"))
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / Path(name).with_suffix(".png")).rename(tmp_path / name)
    for name in (".f.webp", ".thumbnails/g.png", "images/notes.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"not an image")
    assert len(read(tmp_path).files) == len(PAIRS)
    (tmp_path / f"{PAIRS[3].pair_id}.png").unlink()
    assert fault_text(tmp_path).splitlines()[1:-1] == [
        f"  1 missing: {PAIRS[3].pair_id}",
        "  3 not PNG or JPEG: a.webp, b.TIFF, dresses/c.bmp",
        "  2 in subfolders that are not searched (name the subfolder): dresses/paired/e.webp, images/d.png",
    ]


def test_counts_files_named_by_person(tmp_path: Path) -> None:
    names = ["{0.person_id}", "{0.person_id}_0", "{0.pair_id}", "{0.pair_id}", "{0.category}/{0.person_id}"]
    for number, (pair, name) in enumerate(zip(PAIRS, names, strict=False)):
        save(tmp_path / f"{name.format(pair)}.png", number)
    assert read(tmp_path, PAIRS[:5]).by_person == 3
    assert read(tmp_path, PAIRS[:5], PAIRS[1:4]).by_person == 1


@pytest.mark.parametrize(("quality", "format"), [(75, "JPEG 75"), (95, "JPEG 95")])
def test_format_includes_jpeg_quality(tmp_path: Path, quality: int, format: str) -> None:
    save(tmp_path / "000000_000000.jpg", quality=quality)
    assert read(tmp_path, PAIRS[:1]).format == format


def test_format_hashes_custom_quantization_tables(tmp_path: Path) -> None:
    image = Image.fromarray(np.random.default_rng(0).integers(0, 255, (16, 12, 3), np.uint8))
    image.save(tmp_path / "000000_000000.jpg", qtables="web_low")
    assert len(read(tmp_path, PAIRS[:1]).format) == len("JPEG 01234567")


def test_digest_depends_on_content(tmp_path: Path) -> None:
    save(tmp_path / "000000_000000.png", 1)
    first = read(tmp_path, PAIRS[:1]).digest
    save(tmp_path / "000000_000000.png", 2)
    assert read(tmp_path, PAIRS[:1]).digest != first


def test_rejects_missing_folder(tmp_path: Path) -> None:
    with pytest.raises(MissingInputError, match="absent"):
        read(tmp_path / "absent")
