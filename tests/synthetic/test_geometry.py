from __future__ import annotations

import numpy as np
import pytest

from tryon.categories import Category
from tryon.synthetic.figure.body import Body, sample_build
from tryon.synthetic.figure.pose import sample_pose
from tryon.synthetic.garments.cut import cut
from tryon.synthetic.garments.kinds import sample_garment
from tryon.synthetic.paint.raster import MARGIN_PX


@pytest.mark.parametrize("category", list(Category))
def test_pieces_of_a_garment_have_the_same_grid_on_every_body_with_room_around_the_outline(category):
    for number in range(8):
        rng = np.random.default_rng((number, category.list_code))
        body, garment = (
            Body(sample_build(rng), sample_pose(rng, "catalogue")),
            sample_garment(category, rng, "catalogue"),
        )
        for piece in cut(garment):
            flat, worn = piece.on(Body()), piece.on(body)
            assert flat.points.shape == worn.points.shape
            assert np.isfinite(worn.points).all()
            rows, columns = worn.points.shape[:2]
            outline = np.concatenate(piece.outlines())
            assert outline.min() >= 0
            assert (outline <= (columns - 1, rows - 1)).all()
            margin = np.hypot(*(flat.points[-1] - flat.points[-2]).T).min() * (rows - 1 - outline[:, 1].max())
            assert margin * 1000 > MARGIN_PX
