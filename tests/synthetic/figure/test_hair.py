from __future__ import annotations

from dataclasses import replace
from typing import get_args

import numpy as np
import pytest

from tryon.dresscode.layout import HEIGHT, WIDTH
from tryon.synthetic.figure.appearance import Hair, sample_appearance
from tryon.synthetic.figure.body import Body
from tryon.synthetic.figure.camera import Camera
from tryon.synthetic.figure.hair import hair_layers
from tryon.synthetic.figure.head import head_layer
from tryon.synthetic.paint.layers import Canvas


def painted(hair: Hair, top: float) -> np.ndarray:
    """Head and hair with the crown so many pixels above the image."""
    body, camera = Body(), Camera(1200, WIDTH / 2, -top)
    look = replace(sample_appearance(np.random.default_rng(1), "catalogue"), hair=hair)
    canvas = Canvas(np.full((HEIGHT, WIDTH, 3), 230, np.uint8))
    layers = [*hair_layers(body, look, camera, (0, 2)), head_layer(body, look, camera, 1)]
    canvas.paint(*sorted(layers, key=lambda layer: layer.depth))
    return canvas.photo


@pytest.mark.parametrize("hair", get_args(Hair))
@pytest.mark.parametrize("top", [80, 112, 144])
def test_what_is_left_of_a_cut_off_head_looks_as_in_a_whole_image(hair: Hair, top: int):
    whole, cut = painted(hair, -80)[top + 80 :], painted(hair, top)[: -top - 80]
    difference = np.abs(whole.astype(int) - cut)
    assert difference[40:].max() <= 3  # above, the shadow of what is cut off is missing
    assert difference.mean() < 0.1
