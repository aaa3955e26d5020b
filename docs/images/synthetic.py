"""Make the pictures of the twin: `twin.jpg`, a contact sheet, and `twin-truth.jpg`, what is known beside the photo.

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
from tryon.synthetic.garments.cloth import garment_picture, lay_flat
from tryon.synthetic.item_files import figure_of, garment_of
from tryon.synthetic.render import render_person

ImageArray = NDArray[np.uint8]

TILE = (288, 216)  # height, width
GAP, HEAD = 10, 26
HERE = Path(__file__).parent


def main() -> None:
    """Draw both pages from a seed."""
    seed = int(sys.argv[1]) if len(sys.argv) > 1 else 7
    rows = [level_row(seed, level, category) for category in Category for level in LEVELS[1:]]
    save("twin.jpg", rows, [])
    captions = ["photo", "another garment", "truth", "labels", "DensePose", "surface (UV)", "flow", "seen and hidden"]
    save("twin-truth.jpg", [truth_row(seed, category) for category in Category], captions)


def level_row(seed: int, level: Level, category: Category) -> list[ImageArray]:
    """Two garments, each with its person, and four people more."""
    tiles: list[ImageArray] = []
    for number in range(6):
        flat = lay_flat(garment_of(seed, category, number, level))
        if number < 2:
            tiles.append(garment_picture(flat))
        tiles.append(render_person(figure_of(seed, category, number, level), flat).photo)
    return tiles


def truth_row(seed: int, category: Category) -> list[ImageArray]:
    """One person, and all that is known of the same person in another garment."""
    person, other = figure_of(seed, category, 2), lay_flat(garment_of(seed, category, 3))
    own = render_person(person, lay_flat(garment_of(seed, category, 2)))
    known = render_person(person, other, truth=True)
    assert known.truth is not None
    colours = np.frombuffer(label_palette(), np.uint8).reshape(256, 3)
    uv = np.dstack([known.truth.uv * 255, np.where(known.dense_pose > 0, 120, 0)]).astype(np.uint8)
    x, y = np.moveaxis(known.truth.flow, -1, 0)
    flow = np.dstack([x * 255 / 768, y * 255 / 1024, np.where(known.truth.cover > 0, 90, 0)]).clip(0, 255)
    cover = np.array([[255, 255, 255], [46, 125, 90], [226, 120, 50]], np.uint8)[known.truth.cover]
    dense = cv2.applyColorMap((known.dense_pose * 10).astype(np.uint8), cv2.COLORMAP_TURBO)[..., ::-1]
    dense = np.where(known.dense_pose[..., None] > 0, dense, 255).astype(np.uint8)
    labels = colours[known.label_map]
    return [own.photo, garment_picture(other), known.photo, labels, dense, uv, flow.astype(np.uint8), cover]


def save(name: str, rows: list[list[ImageArray]], captions: list[str]) -> None:
    """Lay the tiles out on white and save the page beside this file."""
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
