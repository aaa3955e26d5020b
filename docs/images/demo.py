"""Render `demo.jpg`, the README's image, from the last demo: the first two unpaired rows of each category's gallery.

python docs/images/demo.py
"""

from __future__ import annotations

from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

GALLERIES = Path("data/evaluation/galleries")
CAPTIONS = ("person", "garment", "masked", "result", "ground truth")
SCALE, GAP, HEAD = 2, 24, 34


def main() -> None:
    """Read the galleries of the project in the current directory, write the image next to this file."""
    folders = [GALLERIES / f"unpaired_{category}" for category in ("upper_body", "lower_body", "dresses")]
    rows = [[Image.open(path) for path in sorted(folder.iterdir())[:2]] for folder in folders]
    width, height = (side * SCALE for side in rows[0][0].size)
    page = Image.new("RGB", (2 * width + 3 * GAP, len(rows) * (height + GAP) + HEAD + GAP), "white")
    draw, font = ImageDraw.Draw(page), ImageFont.load_default(20)
    for column in range(2):
        left = GAP + column * (width + GAP)
        for index, caption in enumerate(CAPTIONS):
            draw.text((left + (index + 0.5) * width / len(CAPTIONS), HEAD), caption, "#444", font, anchor="ms")
        for row, strips in enumerate(rows):
            strip = strips[column].resize((width, height), Image.Resampling.LANCZOS)
            page.paste(strip, (left, HEAD + 10 + row * (height + GAP)))
    page.save(Path(__file__).with_suffix(".jpg"), quality=88)


if __name__ == "__main__":
    main()
