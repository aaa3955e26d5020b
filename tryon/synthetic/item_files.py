"""One item's files as bytes, in the data set's modes and sizes, and what is known about it beside them."""

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
    PARSER_ERRORS_FILE,
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

_FIGURE, _GARMENT, _ERRORS = 0, 1, 2
"""Last word of an item's seed: figures, garments and parser errors are drawn from streams of their own."""


Files = list[tuple[str, bytes]]


@dataclass(frozen=True)
class RenderOptions:
    """What is drawn and written, the same for all items of an archive.

    Args:
        level: how hard it is.
        uv: write DensePose UV maps too.
        flow: write the flow from the flat garment to the body too, with the truth.
        parser_errors: share of the label maps that get a parser's errors.
    """

    level: Level = "catalogue"
    uv: bool = False
    flow: bool = False
    parsing_noise_fraction: float = 0.0


@dataclass(frozen=True)
class ItemOutput:
    """What one job gives.

    Args:
        archive: what Dress Code has too.
        truth: what only the twin knows.
        rows: rows of the side files, by file name.
    """

    archive: Files = field(default_factory=list)
    truth: Files = field(default_factory=list)
    rows: dict[str, list[tuple[object, ...]]] = field(default_factory=dict)


def figure_of(seed: int, category: Category, number: int, level: Level = "catalogue") -> PersonSpec:
    """The person of item `number`: every item has a stream of its own, so that order and processes do not matter."""
    return sample_person(category, _stream(seed, category, number, _FIGURE), level)


def garment_of(seed: int, category: Category, number: int, level: Level = "catalogue") -> Garment:
    """The garment of item `number`."""
    return sample_garment(category, _stream(seed, category, number, _GARMENT), level)


def _stream(seed: int, category: Category, number: int, what: int) -> np.random.Generator:
    return np.random.default_rng((seed, category.list_code, number, what))


def item_files(seed: int, category: Category, number: int, item_id: str, options: RenderOptions | None = None) -> Files:
    """The files of one item in the archive: member name and bytes; six of them, seven with UV."""
    return make_item(seed, category, number, item_id, options or RenderOptions()).archive


def make_item(seed: int, category: Category, number: int, item_id: str, options: RenderOptions) -> ItemOutput:
    """All that there is of one item: the person in the garment of the same number.

    Args:
        seed: of the archive.
        category: of the item.
        number: counts the category's items; with seed and category it fixes person and garment.
        item_id: names the files.
        content: what is drawn and written.
    """
    raise_mmap_threshold()
    figure = figure_of(seed, category, number, options.level)
    garment = garment_of(seed, category, number, options.level)
    flat = lay_flat(garment)
    image = render_person(figure, flat, options.uv or options.flow)
    label_map, errors = _label_map(image, _stream(seed, category, number, _ERRORS), options.parsing_noise_fraction)
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
    truth = {"clean_label_map": encode_palette(image.label_map)} if errors else {}
    beside = _named(category, item_id, truth)
    if options.flow:
        beside += _named(category, pair_id(item_id, item_id), {"flow": _flow(image)})
    rows = _rows(category.value, item_id, figure, garment, errors)
    return ItemOutput(_named(category, item_id, files), beside, rows)


def make_truth(
    seed: int, category: Category, numbers: tuple[int, int], pair: Pair, options: RenderOptions
) -> ItemOutput:
    """The person of one item in the garment of another: photo, label map and, if wanted, flow.

    Args:
        seed: of the archive.
        category: of both items.
        numbers: item numbers of person and garment.
        pair: their ids.
        content: what is drawn and written.
    """
    image = render_in_garment(seed, category, *numbers, options.level, options.flow)
    files = {"truth": encode_jpeg(image.photo), "truth_label_map": encode_palette(image.label_map)}
    if options.flow:
        files["flow"] = _flow(image)
    return ItemOutput(truth=_named(category, pair.pair_id, files))


def render_in_garment(
    seed: int, category: Category, person: int, garment: int, level: Level = "catalogue", truth: bool = False
) -> RenderedPerson:
    """Item `person` rendered in the garment of item `garment`; with the truth planes if wanted."""
    raise_mmap_threshold()
    flat = lay_flat(garment_of(seed, category, garment, level))
    return render_person(figure_of(seed, category, person, level), flat, truth)


def _flow(image: RenderedPerson) -> bytes:
    assert image.truth
    return encode_flow(image.truth.flow, image.truth.cover)


def _named(category: Category, name: str, files: dict[str, bytes]) -> Files:
    """Files by role to files by member name."""
    return [(relative_path(role, category, name).as_posix(), data) for role, data in files.items()]


def _label_map(
    image: RenderedPerson, rng: np.random.Generator, share: float
) -> tuple[NDArray[np.uint8], list[ParsingError]]:
    """The label map as it is delivered, with a parser's errors in `share` of all items."""
    return add_parsing_noise(image.label_map, rng) if rng.random() < share else (image.label_map, [])


def _rows(
    category: str, item_id: str, figure: PersonSpec, garment: Garment, errors: list[ParsingError]
) -> dict[str, list[tuple[object, ...]]]:
    """What the side files say about an item; None where a word does not apply."""
    known = (garment.kind, garment.sleeve, garment.neckline, garment.fabric.pattern)
    return {
        ATTRIBUTES_FILE: [(category, item_id, *known)],
        PEOPLE_FILE: [(category, item_id, figure.body.pose.arm_pose, figure.level)],
        PARSER_ERRORS_FILE: [(category, item_id, error.kind, *error.box) for error in errors],
    }


def encode_jpeg(photo: NDArray[np.uint8]) -> bytes:
    """JPEG of quality 95 with 4:2:0 color, like the data set's."""
    options = [cv2.IMWRITE_JPEG_QUALITY, 95, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420]
    done, data = cv2.imencode(".jpg", cv2.cvtColor(photo, cv2.COLOR_RGB2BGR), options)
    assert done
    return data.tobytes()


def encode_keypoints(keypoints: NDArray[np.float64]) -> bytes:
    """JSON of 18 x [x, y, score, running index] in the 512x384 frame; a missing joint is [-1, -1, 0, -1]."""
    rows: list[list[float]] = []
    found = 0
    for x, y, score in keypoints * (KEYPOINT_WIDTH / WIDTH, KEYPOINT_WIDTH / WIDTH, 1):
        if score > 0:
            rows.append([round(float(x), 3), round(float(y), 3), round(float(score), 6), float(found)])
            found += 1
        else:
            rows.append([-1.0, -1.0, 0.0, -1.0])
    return json.dumps({"keypoints": rows}).encode()
