"""One item's files as bytes, in the data set's modes and sizes."""

from __future__ import annotations

import json

import cv2
import numpy as np
from numpy.typing import NDArray

from tryon.categories import Category
from tryon.dresscode.layout import HEIGHT, KEYPOINT_WIDTH, WIDTH, relative_path
from tryon.dresscode.pair_lists import Pair
from tryon.dresscode.pose import SKELETON_STROKE, draw_pose
from tryon.synthetic.garments.cloth import garment_picture, lay_flat
from tryon.synthetic.garments.kinds import Garment, sample_garment
from tryon.synthetic.levels import Level
from tryon.synthetic.png import encode_grey, encode_palette
from tryon.synthetic.render import Figure, Picture, render_person, sample_figure

_FIGURE, _GARMENT = 0, 1
"""Last word of an item's seed: figures and garments are drawn from streams of their own."""

Files = list[tuple[str, bytes]]


def figure_of(seed: int, category: Category, number: int, level: Level = "catalogue") -> Figure:
    """The person of item `number`: every item has a stream of its own, so that order and processes do not matter."""
    return sample_figure(category, np.random.default_rng((seed, category.list_code, number, _FIGURE)), level)


def garment_of(seed: int, category: Category, number: int, level: Level = "catalogue") -> Garment:
    """The garment of item `number`."""
    return sample_garment(category, np.random.default_rng((seed, category.list_code, number, _GARMENT)), level)


def item_files(seed: int, category: Category, number: int, item_id: str) -> Files:
    """The six files of one item: member name and bytes."""
    flat = lay_flat(garment_of(seed, category, number))
    picture = render_person(figure_of(seed, category, number), flat)
    files = {
        "person": encode_jpeg(picture.photo),
        "garment": encode_jpeg(garment_picture(flat)),
        "keypoints": encode_keypoints(picture.keypoints),
        "skeleton": encode_jpeg(draw_pose(picture.keypoints.astype(np.float32), (HEIGHT, WIDTH), SKELETON_STROKE)),
        "label_map": encode_palette(picture.label_map),
        "dense_pose": encode_grey(picture.dense_pose),
    }
    return [(relative_path(role, category, item_id).as_posix(), data) for role, data in files.items()]


def truth_files(seed: int, category: Category, numbers: tuple[int, int], pair: Pair) -> Files:
    """The person of one item in the garment of another: photo and label map.

    Args:
        seed: of the archive.
        category: of both items.
        numbers: item numbers of person and garment.
        pair: their ids.
    """
    picture = worn_by(seed, category, *numbers)
    return [
        (relative_path("truth", category, pair.pair_id).as_posix(), encode_jpeg(picture.photo)),
        (relative_path("truth_label_map", category, pair.pair_id).as_posix(), encode_palette(picture.label_map)),
    ]


def worn_by(seed: int, category: Category, person: int, garment: int, level: Level = "catalogue") -> Picture:
    """Item `person` rendered in the garment of item `garment`."""
    return render_person(figure_of(seed, category, person, level), lay_flat(garment_of(seed, category, garment, level)))


def encode_jpeg(photo: NDArray[np.uint8]) -> bytes:
    """JPEG of quality 95 with 4:2:0 colour, like the data set's."""
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
