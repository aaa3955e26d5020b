"""Render `synthetic.jpg`, a contact sheet of synthetic data, and `synthetic-truth.jpg`, photos with their ground truth.

python docs/images/synthetic.py [seed]
"""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from tryon.categories import LEVELS, Category, Level
from tryon.imaging.png_encoder import label_palette
from tryon.synthetic.garments.cloth import garment_image, lay_flat
from tryon.synthetic.item_files import sample_item_garment, sample_item_person
from tryon.synthetic.render import render_person

ImageArray = NDArray[np.uint8]

TILE = (288, 216)  # height, width
GAP, HEAD = 10, 26
HERE = Path(__file__).parent


def main() -> None:
    """Render both pages from a seed."""
    seed = int(sys.argv[1]) if len(sys.argv) > 1 else 7
    rows = [level_row(seed, level, category) for category in Category for level in LEVELS[1:]]
    save("synthetic.jpg", rows, [])
    captions = [
        "photo",
        "another garment",
        "ground truth",
        "labels",
        "DensePose",
        "surface (UV)",
        "flow",
        "visible and occluded",
    ]
    save("synthetic-truth.jpg", [truth_row(seed, category) for category in Category], captions)


def level_row(seed: int, level: Level, category: Category) -> list[ImageArray]:
    """Return the tiles of two garments, each with its person, and of four more people."""
    tiles: list[ImageArray] = []
    for number in range(6):
        flat = lay_flat(sample_item_garment(seed, category, number, level))
        if number < 2:
            tiles.append(garment_image(flat))
        tiles.append(render_person(sample_item_person(seed, category, number, level), flat).photo)
    return tiles


def truth_row(seed: int, category: Category) -> list[ImageArray]:
    """Return a person, and photo and ground truth of the same person in another garment."""
    person, other_garment = sample_item_person(seed, category, 2), lay_flat(sample_item_garment(seed, category, 3))
    original = render_person(person, lay_flat(sample_item_garment(seed, category, 2)))
    rendered = render_person(person, other_garment, truth=True)
    assert rendered.truth is not None
    colors = np.frombuffer(label_palette(), np.uint8).reshape(256, 3)
    uv = np.dstack([rendered.truth.uv * 255, np.where(rendered.dense_pose > 0, 120, 0)]).astype(np.uint8)
    x, y = np.moveaxis(rendered.truth.flow, -1, 0)
    flow = np.dstack([x * 255 / 768, y * 255 / 1024, np.where(rendered.truth.cover > 0, 90, 0)]).clip(0, 255)
    cover = np.array([[255, 255, 255], [46, 125, 90], [226, 120, 50]], np.uint8)[rendered.truth.cover]
    dense = cv2.applyColorMap((rendered.dense_pose * 10).astype(np.uint8), cv2.COLORMAP_TURBO)[..., ::-1]
    dense = np.where(rendered.dense_pose[..., None] > 0, dense, 255).astype(np.uint8)
    labels = colors[rendered.label_map]
    return [
        original.photo,
        garment_image(other_garment),
        rendered.photo,
        labels,
        dense,
        uv,
        flow.astype(np.uint8),
        cover,
    ]


def save(name: str, rows: list[list[ImageArray]], captions: list[str]) -> None:
    """Save the tiles on a white page next to this file."""
    head = HEAD if captions else 0
    columns = len(rows[0])
    size = (columns * (TILE[1] + GAP) + GAP, len(rows) * (TILE[0] + GAP) + GAP + head)
    page = Image.new("RGB", size, "white")
    draw, font = ImageDraw.Draw(page), ImageFont.load_default(17)
    for column in range(columns):
        left = GAP + column * (TILE[1] + GAP)
        if captions:
            draw.text((left + TILE[1] / 2, HEAD), captions[column], "#444", font, anchor="ms")
        for row, tiles in enumerate(rows):
            small = cv2.resize(tiles[column], TILE[::-1], interpolation=cv2.INTER_AREA)
            page.paste(Image.fromarray(small), (left, head + GAP + row * (TILE[0] + GAP)))
    page.save(HERE / name, quality=88)


if __name__ == "__main__":
    main()
