"""A very small data set in Dress Code's layout: real names, modes and sizes, a block of one color as garment."""

from __future__ import annotations

import io
import json
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from tryon.categories import Category, Split
from tryon.config.download import DownloadSettings
from tryon.download.fingerprint import write_fingerprint
from tryon.download.stage import download
from tryon.dresscode.labels import GARMENT_LABELS
from tryon.dresscode.layout import HEIGHT, WIDTH, pair_list_path, relative_path
from tryon.dresscode.pair_lists import Pair, format_pair_list
from tryon.runtime.progress import no_progress
from tryon.runtime.stage_result import StageResult
from tryon.workspace import Workspace

TRAIN = 3
TEST = 2


def person_ids(category: Category) -> list[str]:
    """Ids of a category, those for training first."""
    return [f"{category.list_code * 100 + number:06d}" for number in range(TRAIN + TEST)]


def pair_lists(category: Category) -> dict[Split, list[Pair]]:
    ids = person_ids(category)
    test = ids[TRAIN:]
    return {
        Split.TRAIN: [Pair(name, name) for name in ids[:TRAIN]],
        Split.TEST_PAIRED: [Pair(name, name) for name in test],
        Split.TEST_UNPAIRED: [Pair(person, garment) for person, garment in zip(test, test[::-1], strict=True)],
    }


def photo(item: str, salt: int = 0) -> bytes:
    """A flat 1024x768 JPEG whose color depends on the id."""
    color = np.random.default_rng([int(item), salt]).integers(0, 256, 3)
    image = np.full((HEIGHT, WIDTH, 3), color, np.uint8)
    return cv2.imencode(".jpg", image)[1].tobytes()


def palette_png(ids: np.ndarray) -> bytes:
    image = Image.fromarray(ids)
    image.putpalette([value for number in range(256) for value in (number, 255 - number, number // 2)])
    stream = io.BytesIO()
    image.save(stream, "PNG")
    return stream.getvalue()


def label_map(category: Category, item: str) -> bytes:
    ids = np.zeros((HEIGHT, WIDTH), np.uint8)
    ids[200 : 500 + int(item), 200:500] = GARMENT_LABELS[category][0]
    return palette_png(ids)


def dense_pose(item: str) -> bytes:
    ids = np.zeros((HEIGHT, WIDTH), np.uint8)
    ids[200:500, 250 : 400 + int(item) % 100] = 2
    return cv2.imencode(".png", ids)[1].tobytes()


def keypoints() -> bytes:
    points = [[20.0 * joint, 25.0 * joint, 0.9, joint] for joint in range(17)]
    return json.dumps({"keypoints": [*points, [-1, -1, 0, -1]]}).encode()


def write_data_set(root: Path) -> Path:
    """Write the small data set below `root`, with both forms of the pair lists."""
    for category in Category:
        for item in person_ids(category):
            files = {
                "person": photo(item),
                "garment": photo(item, 1),
                "label_map": label_map(category, item),
                "dense_pose": dense_pose(item),
                "keypoints": keypoints(),
                "skeleton": photo(item, 2),
            }
            for role, data in files.items():
                path = root / relative_path(role, category, item)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(data)
        for split, pairs in pair_lists(category).items():
            (root / pair_list_path(split, category)).write_text(format_pair_list(pairs))
            with (root / pair_list_path(split)).open("a") as stream:
                stream.write(format_pair_list(pairs, category))
    return root


def write_truth(root: Path) -> Path:
    """Write the ground truth of the small data set: unpaired images and the attributes."""
    lines = ["category,garment_id,worn,sleeve,neckline,pattern"]
    for category in Category:
        for pair in pair_lists(category)[Split.TEST_UNPAIRED]:
            for role, data in (
                ("truth", photo(pair.person_id, 3)),
                ("truth_label_map", label_map(category, pair.garment_id)),
            ):
                path = root / relative_path(role, category, pair.pair_id)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(data)
        lines += [f"{category},{item},worn-{item},sleeve-{item},,plain" for item in person_ids(category)]
    (root / "attributes.csv").write_text("\n".join(lines) + "\n")
    return root


def zip_folder(folder: Path, archive: Path, top: str = "") -> Path:
    """Pack a folder, with a top folder in the archive when `top` names one."""
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as packed:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                packed.write(path, f"{top}{path.relative_to(folder).as_posix()}")
    return archive


@pytest.fixture(scope="session")
def _pristine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_data_set(tmp_path_factory.mktemp("pristine") / "DressCode")


@pytest.fixture
def data_set(_pristine: Path, tmp_path: Path) -> Path:
    """A fresh copy of the small data set; tests may damage it."""
    return shutil.copytree(_pristine, tmp_path / "source" / "DressCode")


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """An empty workspace with one worker."""
    monkeypatch.setenv("TRYON_WORKERS", "1")
    return Workspace(tmp_path / "project")


@pytest.fixture
def run(workspace: Workspace) -> Callable[..., StageResult]:
    """Run the stage on the current state of a source."""

    def _run(source: Path | str, **settings: object) -> StageResult:
        checked = DownloadSettings.model_validate({"source": str(source), **settings})
        write_fingerprint(workspace, checked)
        return download(checked, 7, workspace, no_progress)

    return _run


@pytest.fixture
def truth(data_set: Path) -> Path:
    """The ground truth folder next to `data_set`."""
    return write_truth(data_set.with_name("DressCode.truth"))


@pytest.fixture
def zipped(tmp_path: Path) -> Callable[..., Path]:
    """Pack a folder into `source.zip`."""

    def _zipped(folder: Path, top: str = "") -> Path:
        return zip_folder(folder, tmp_path / "source.zip", top)

    return _zipped
