"""Render one item and encode its files in the formats of Dress Code."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from tryon.categories import Category, Level
from tryon.dresscode.layout import (
    ATTRIBUTES_FILE,
    HEIGHT,
    KEYPOINT_WIDTH,
    PARSING_NOISE_FILE,
    PEOPLE_FILE,
    WIDTH,
    pair_id,
    relative_path,
)
from tryon.dresscode.pair_lists import Pair
from tryon.dresscode.pose import SKELETON_STROKE, draw_pose
from tryon.imaging.png_encoder import encode_gray, encode_palette
from tryon.runtime.process_pool import raise_mmap_threshold
from tryon.synthetic.garments.cloth import garment_image, lay_flat
from tryon.synthetic.garments.sample_garment import Garment, sample_garment
from tryon.synthetic.ground_truth_io import encode_flow, encode_uv
from tryon.synthetic.parsing_noise import ParsingError, add_parsing_noise
from tryon.synthetic.render import PersonSpec, RenderedPerson, render_person, sample_person

_PERSON, _GARMENT, _NOISE = 0, 1, 2
"""Independent random streams of an item."""

Files = list[tuple[str, bytes]]


@dataclass(frozen=True)
class RenderOptions:
    """Options that are equal for all items of a split.

    Args:
        level: difficulty of poses, garments, fabrics and backgrounds.
        uv: write DensePose UV maps.
        flow: write garment-to-person flow with the ground truth.
        parsing_noise_fraction: fraction of label maps that get simulated parsing errors.
    """

    level: Level = "catalogue"
    uv: bool = False
    flow: bool = False
    parsing_noise_fraction: float = 0.0


@dataclass(frozen=True)
class ItemOutput:
    """Files of one job: members of the archive and of the ground truth, and table rows by file name."""

    archive: Files = field(default_factory=list)
    truth: Files = field(default_factory=list)
    rows: dict[str, list[tuple[object, ...]]] = field(default_factory=dict)


def sample_item_person(seed: int, category: Category, number: int, level: Level = "catalogue") -> PersonSpec:
    """Sample the person of item `number`; each item has its own stream, so order and processes do not matter."""
    return sample_person(category, _stream(seed, category, number, _PERSON), level)


def sample_item_garment(seed: int, category: Category, number: int, level: Level = "catalogue") -> Garment:
    """Sample the garment of item `number`."""
    return sample_garment(category, _stream(seed, category, number, _GARMENT), level)


def _stream(seed: int, category: Category, number: int, stream: int) -> np.random.Generator:
    return np.random.default_rng((seed, category.list_code, number, stream))


def item_files(seed: int, category: Category, number: int, item_id: str, options: RenderOptions | None = None) -> Files:
    """Return the archive members of one item: six, or seven with UV."""
    return make_item(seed, category, number, item_id, options or RenderOptions()).archive


def make_item(seed: int, category: Category, number: int, item_id: str, options: RenderOptions) -> ItemOutput:
    """Render one item, the person in the garment of the same number, and encode all its files."""
    raise_mmap_threshold()
    person = sample_item_person(seed, category, number, options.level)
    garment = sample_item_garment(seed, category, number, options.level)
    flat = lay_flat(garment)
    image = render_person(person, flat, options.uv or options.flow)
    rng = _stream(seed, category, number, _NOISE)
    noisy = rng.random() < options.parsing_noise_fraction
    label_map, errors = add_parsing_noise(image.label_map, rng) if noisy else (image.label_map, [])
    files = {
        "person": encode_jpeg(image.photo),
        "garment": encode_jpeg(garment_image(flat)),
        "keypoints": encode_keypoints(image.keypoints),
        "skeleton": encode_jpeg(draw_pose(image.keypoints.astype(np.float32), (HEIGHT, WIDTH), SKELETON_STROKE)),
        "label_map": encode_palette(label_map),
        "dense_pose": encode_gray(image.dense_pose),
    }
    if options.uv:
        assert image.truth
        files["uv"] = encode_uv(image.truth.uv)
    clean = {"clean_label_map": encode_palette(image.label_map)} if errors else {}
    truth_files = _with_paths(category, item_id, clean)
    if options.flow:
        truth_files += _with_paths(category, pair_id(item_id, item_id), {"flow": _flow(image)})
    rows = _rows(category.value, item_id, person, garment, errors)
    return ItemOutput(_with_paths(category, item_id, files), truth_files, rows)


def make_ground_truth(
    seed: int, category: Category, numbers: tuple[int, int], pair: Pair, options: RenderOptions
) -> ItemOutput:
    """Render the person of one item in the garment of another: photo, label map and optional flow.

    `numbers` are the item numbers of person and garment, `pair` their ids.
    """
    image = render_in_garment(seed, category, *numbers, options.level, options.flow)
    files = {"truth": encode_jpeg(image.photo), "truth_label_map": encode_palette(image.label_map)}
    if options.flow:
        files["flow"] = _flow(image)
    return ItemOutput(truth=_with_paths(category, pair.pair_id, files))


def render_in_garment(
    seed: int, category: Category, person: int, garment: int, level: Level = "catalogue", truth: bool = False
) -> RenderedPerson:
    """Render item `person` in the garment of item `garment`, optionally with ground-truth planes."""
    raise_mmap_threshold()
    flat = lay_flat(sample_item_garment(seed, category, garment, level))
    return render_person(sample_item_person(seed, category, person, level), flat, truth)


def _flow(image: RenderedPerson) -> bytes:
    assert image.truth
    return encode_flow(image.truth.flow, image.truth.cover)


def _with_paths(category: Category, name: str, files: dict[str, bytes]) -> Files:
    """Convert files by role to (member name, content)."""
    return [(relative_path(role, category, name).as_posix(), data) for role, data in files.items()]


def _rows(
    category: str, item_id: str, person: PersonSpec, garment: Garment, errors: list[ParsingError]
) -> dict[str, list[tuple[object, ...]]]:
    """Return the table rows of an item; None where an attribute does not apply."""
    attributes = (garment.kind, garment.sleeve, garment.neckline, garment.fabric.pattern)
    return {
        ATTRIBUTES_FILE: [(category, item_id, *attributes)],
        PEOPLE_FILE: [(category, item_id, person.body.pose.arm_pose, person.level)],
        PARSING_NOISE_FILE: [(category, item_id, error.kind, *error.box) for error in errors],
    }


def encode_jpeg(photo: NDArray[np.uint8]) -> bytes:
    """Encode RGB as JPEG of quality 95 with 4:2:0 chroma, as in Dress Code."""
    options = [cv2.IMWRITE_JPEG_QUALITY, 95, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420]
    ok, data = cv2.imencode(".jpg", cv2.cvtColor(photo, cv2.COLOR_RGB2BGR), options)
    assert ok
    return data.tobytes()


def encode_keypoints(keypoints: NDArray[np.float64]) -> bytes:
    """Encode 18 rows [x, y, score, running index] in the 512x384 frame; missing joints are [-1, -1, 0, -1]."""
    rows: list[list[float]] = []
    index = 0
    for x, y, score in keypoints * (KEYPOINT_WIDTH / WIDTH, KEYPOINT_WIDTH / WIDTH, 1):
        if score > 0:
            rows.append([round(float(x), 3), round(float(y), 3), round(float(score), 6), float(index)])
            index += 1
        else:
            rows.append([-1.0, -1.0, 0.0, -1.0])
    return json.dumps({"keypoints": rows}).encode()
