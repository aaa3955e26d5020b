"""Each layout is read back by a small reader that works like the codebases that use it."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image, ImageFilter

from tests.export.conftest import PAIRS, PHOTO, SIZE, dense_pose_of, ids, mask_of
from tryon.categories import Category, Split
from tryon.dresscode.layout import relative_path
from tryon.dresscode.readers import decode_photo
from tryon.export import Format
from tryon.export.export import export
from tryon.export.request import ExportRequest
from tryon.runtime.progress import no_progress
from tryon.workspace import Workspace

pytestmark = pytest.mark.slow

ALL = list(Category), list(Split)
CLOSE = 6
"""Maximum difference of smooth images after JPEG of quality 95 and another resize, of 255."""


@pytest.fixture(autouse=True)
def in_one_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRYON_WORKERS", "1")


def exported(workspace: Workspace, format: Format, size: tuple[int, int] | None = None) -> Path:
    out = workspace.root.parent / format
    export(ExportRequest(format, size, out, workspace), *ALL, no_progress)
    return out


def pairs_of(split: str) -> list[tuple[int, int]]:
    return [(person, garment) for pair_split, person, garment in PAIRS if pair_split == split]


def shrunk(mask: np.ndarray, pixels: int = 17) -> np.ndarray:
    """Erode a mask: blocks of 16 pixels share their color in a JPEG."""
    return cv2.erode(mask.astype(np.uint8), np.ones((2 * pixels + 1,) * 2), borderValue=1) > 0


def raw_photo(workspace: Workspace, role: str, category: Category, number: int, size: tuple[int, int]) -> np.ndarray:
    data = (workspace.raw / relative_path(role, category, ids(category)[number])).read_bytes()
    return decode_photo(data, size)


def same(actual: np.ndarray, expected: np.ndarray, where: np.ndarray | None = None) -> bool:
    where = np.ones(actual.shape[:2], np.bool_) if where is None else where
    return bool(np.abs(actual[where].astype(int) - expected[where].astype(int)).max() <= CLOSE)


def test_masks_layout_has_masks_and_agnostic_images_with_the_names_of_the_photos(workspace: Workspace) -> None:
    out = exported(workspace, Format.MASKS)
    for category in Category:
        for number, name in enumerate(ids(category)):
            mask = np.asarray(Image.open(out / category / "masks" / f"{name}_0.png"))
            assert (mask == np.where(mask_of(category, number), 255, 0)).all()
            agnostic = np.asarray(Image.open(out / category / "agnostic" / f"{name}_0.jpg"))
            expected = raw_photo(workspace, "person", category, number, SIZE)
            assert same(agnostic, expected, shrunk(mask == 0))
            assert same(agnostic, np.zeros_like(expected), shrunk(mask > 0))
        for split in Split:
            lines = (out / category / f"{listed_name(split)}.txt").read_text().splitlines()
            names = [(f"{ids(category)[p]}_0.jpg", f"{ids(category)[g]}_1.jpg") for p, g in pairs_of(split)]
            assert [tuple(line.split("\t")) for line in lines] == names


def listed_name(split: Split) -> str:
    return "train_pairs" if split is Split.TRAIN else split.replace("test_", "test_pairs_")


@pytest.mark.parametrize("size", [None, (64, 48)])
@pytest.mark.parametrize("eval_pair", [True, False])
def test_catvton_reads_dress_code(workspace: Workspace, eval_pair: bool, size: tuple[int, int] | None) -> None:
    root, read = exported(workspace, Format.CATVTON, size), 0
    for category in Category:
        pairs = pairs_of("test_paired" if eval_pair else "test_unpaired")
        listed = root / category / ("test_pairs_paired.txt" if eval_pair else "test_pairs_unpaired.txt")
        with listed.open() as lines:
            for line, (person, garment) in zip(lines.readlines(), pairs, strict=True):
                person_name, cloth_name = line.strip().split(" ")
                photo = Image.open(root / category / "images" / person_name)
                cloth = Image.open(root / category / "images" / cloth_name)
                mask = Image.open(root / category / "agnostic_masks" / person_name.replace(".jpg", ".png"))
                assert photo.size == cloth.size == mask.size == (size or PHOTO)[::-1]
                assert same(np.asarray(photo), raw_photo(workspace, "person", category, person, size or PHOTO))
                assert same(np.asarray(cloth), raw_photo(workspace, "garment", category, garment, size or PHOTO))
                small = np.asarray(mask.convert("L").resize(SIZE[::-1], Image.Resampling.NEAREST)) > 127
                assert small[shrunk(mask_of(category, person), 2)].all()
                assert not small[shrunk(~mask_of(category, person), 2)].any()
                blurred = mask.filter(ImageFilter.GaussianBlur(3))  # as for its --repaint
                assert np.asarray(blurred).max() == 255
                read += 1
    assert read == 9


def test_catvton_has_identical_photos_and_masks_of_their_size(workspace: Workspace) -> None:
    root = exported(workspace, Format.CATVTON)
    for category in Category:
        for number, name in enumerate(ids(category)):
            for role, suffix in (("person", "_0.jpg"), ("garment", "_1.jpg")):
                raw = (workspace.raw / relative_path(role, category, name)).read_bytes()
                assert (root / category / "images" / f"{name}{suffix}").read_bytes() == raw
            mask = np.asarray(Image.open(root / category / "agnostic_masks" / f"{name}_0.png"))
            assert mask.shape == PHOTO
            assert (mask == 255 * mask_of(category, number).repeat(2, 0).repeat(2, 1)).all()


@pytest.mark.parametrize("part", ["train", "test"])
@pytest.mark.parametrize("paired", [True, False])
def test_stableviton_reads_viton_hd(workspace: Workspace, part: str, paired: bool) -> None:
    """It reads with OpenCV, uses the cloth with the person's name if paired, and inverts the mask."""
    out = exported(workspace, Format.VITON_HD)
    for category in Category:
        root = out / category
        expected = pairs_of("train" if part == "train" else "test_unpaired")
        lines = (root / f"{part}_pairs.txt").read_text().splitlines()
        assert len(lines) == len(expected)
        for line, (person, garment) in zip(lines, expected, strict=True):
            image_name, cloth_name = line.strip().split()
            cloth_name, garment = (image_name, person) if paired else (cloth_name, garment)

            def read(folder: str, name: str) -> np.ndarray:
                image = cv2.imread(str(root / part / folder / name))  # noqa: B023 - called at once
                assert image is not None
                assert image.shape[:2] == SIZE
                return cv2.cvtColor(image, cv2.COLOR_BGR2RGB)

            photo = raw_photo(workspace, "person", category, person, SIZE)
            assert same(read("image", image_name), photo)
            assert same(read("cloth", cloth_name), raw_photo(workspace, "garment", category, garment, SIZE))
            visible = 1 - (read("agnostic-mask", image_name.replace(".jpg", "_mask.png"))[..., 0] >= 128)
            assert (visible == ~mask_of(category, person)).all()
            agnostic = read("agnostic-v3.2", image_name)
            assert same(agnostic, photo, shrunk(visible > 0))
            assert same(agnostic, np.full_like(photo, 128), shrunk(visible == 0))
            parts = dense_pose_of(person)[::2, ::2]
            colors = read("image-densepose", image_name)
            assert same(colors, np.zeros_like(colors), shrunk(parts == 0))
            inside = colors[shrunk(parts > 0)]
            assert inside.max() > 100
            assert np.ptp(inside, axis=0).max() <= CLOSE


@pytest.mark.parametrize("unpaired", [True, False])
def test_catvton_and_idm_vton_read_viton_hd(workspace: Workspace, unpaired: bool) -> None:
    out = exported(workspace, Format.VITON_HD, (256, 192))
    for category in Category:
        for listed in ("test_pairs_unpaired.txt", "test_pairs.txt"):
            for line in (out / category / listed).read_text().splitlines():
                person, cloth = line.strip().split(" ")
                cloth = cloth if unpaired else person
                test = out / category / "test"
                mask = test / "agnostic-mask" / person.replace(".jpg", "_mask.png")
                files = [test / "image" / person, test / "cloth" / cloth, mask, test / "image-densepose" / person]
                images = [Image.open(path) for path in files]
                assert {image.size for image in images} == {(192, 256)}
                assert [image.mode for image in images] == ["RGB", "RGB", "L", "RGB"]


def test_masks_are_binary_at_any_size(workspace: Workspace) -> None:
    for number, size in enumerate([(100, 75), (256, 192), (31, 47)]):
        out = workspace.root.parent / f"sized{number}"
        export(ExportRequest(Format.VITON_HD, size, out, workspace), [Category.DRESSES], [Split.TRAIN], no_progress)
        files = sorted(out.rglob("*_mask.png"))
        assert len(files) == 3
        for file in files:
            mask = np.asarray(Image.open(file))
            assert mask.shape == size
            assert set(np.unique(mask)) == {0, 255}


@pytest.mark.parametrize("format", list(Format))
def test_readme_names_every_folder_and_list(workspace: Workspace, format: Format) -> None:
    out = exported(workspace, format)
    readme = (out / "README.txt").read_text()
    assert "Licence of the images: synthetic." in readme
    for file in (path for category in Category for path in (out / category).rglob("*") if path.is_file()):
        word = file.parent.name if file.suffix != ".txt" else "pairs"
        assert word in readme
