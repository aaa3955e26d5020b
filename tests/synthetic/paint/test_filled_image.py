"""`filled_image` has one color everywhere."""

import numpy as np
import pytest

from tryon.synthetic.paint.raster import filled_image


@pytest.mark.parametrize("size", [(1, 1), (3, 7), (64, 5)])
def test_every_pixel_has_the_color(size):
    width, height = size
    image = filled_image(width, height, (1, 128, 255))
    assert image.shape == (height, width, 3)
    assert image.dtype == np.uint8
    assert (image == (1, 128, 255)).all()
