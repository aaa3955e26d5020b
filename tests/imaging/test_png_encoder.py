from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from tryon.imaging.png_encoder import encode_gray, encode_palette, label_palette


@pytest.mark.parametrize(("encode", "mode"), [(encode_palette, "P"), (encode_gray, "L")])
def test_round_trip(encode, mode):
    values = np.random.default_rng(0).integers(0, 256, (37, 23), np.uint8)
    with Image.open(io.BytesIO(encode(values))) as image:
        image.load()
        assert image.mode == mode
        assert np.array_equal(np.array(image), values)


def test_labels_have_distinct_colors():
    colors = np.frombuffer(label_palette(), np.uint8).reshape(256, 3)[:18]
    assert len(np.unique(colors, axis=0)) == 18
    assert colors[0].tolist() == [0, 0, 0]
