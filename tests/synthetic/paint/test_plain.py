"""A picture of one colour has that colour everywhere."""

import numpy as np
import pytest

from tryon.synthetic.paint.raster import filled


@pytest.mark.parametrize("size", [(1, 1), (3, 7), (64, 5)])
def test_every_pixel_has_the_colour(size):
    width, height = size
    picture = filled(width, height, (1, 128, 255))
    assert picture.shape == (height, width, 3)
    assert picture.dtype == np.uint8
    assert (picture == (1, 128, 255)).all()
