from __future__ import annotations

from typing import get_args

import numpy as np
import pytest

from tryon.synthetic.fabrics.fabric import Weave
from tryon.synthetic.fabrics.weave import add_weave
from tryon.synthetic.paint.raster import filled_image

GRAINS = [weave for weave in get_args(Weave) if weave != "smooth"]


def test_smooth_cloth_is_left_alone():
    cloth = filled_image(768, 1024, (90, 20, 200))
    assert add_weave(cloth, "smooth") is cloth


@pytest.mark.parametrize("weave", GRAINS)
def test_grain_is_faint_gray_and_leaves_the_mean_color(weave: Weave):
    change = add_weave(filled_image(768, 1024, (90, 60, 200)), weave).astype(int) - (90, 60, 200)
    assert np.abs(change).max() <= 16
    assert 2 < change.std() < 8
    assert abs(change.mean()) < 0.5
    assert (change == change[..., :1]).all()
    assert np.abs(np.diff(change.astype(float).mean((1, 2)))).max() < 8  # no seam between repeats


@pytest.mark.parametrize("weave", GRAINS)
def test_black_and_white_cloth_stay_within_bytes(weave: Weave):
    for tone in (0, 255):
        cloth = add_weave(filled_image(768, 1024, (tone, tone, tone)), weave)
        assert np.abs(cloth.astype(int) - tone).max() <= 16
