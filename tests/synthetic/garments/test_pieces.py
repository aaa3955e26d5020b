from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tryon.categories import Category
from tryon.synthetic.figure.body import ARMPIT, Body, sample_build
from tryon.synthetic.figure.pose import LEFT, SIDES, sample_pose
from tryon.synthetic.garments.cloth import cut_pieces
from tryon.synthetic.garments.cloth_mesh import Grid
from tryon.synthetic.garments.folds import pleated_hem, pleated_light
from tryon.synthetic.garments.sample_garment import sample_garment
from tryon.synthetic.garments.sleeves import SleeveCloth
from tryon.synthetic.garments.trousers import TrouserLeg
from tryon.synthetic.garments.trunk_cloth import TrunkCloth
from tryon.synthetic.paint.raster import MARGIN_PX

LEAST_SCALE = 900  # pixels per body height of whole figures, the smallest there are


def wild(category: Category, number: int):
    rng = np.random.default_rng((number, category.list_code))
    return Body(sample_build(rng), sample_pose(rng, "wild")), sample_garment(category, rng, "wild")


@pytest.mark.parametrize("category", list(Category))
def test_pieces_have_the_same_grid_on_every_body_with_room_around_the_outline(category):
    for number in range(40):
        body, garment = wild(category, number)
        for piece in cut_pieces(garment):
            flat, worn = piece.fit_to(Body()), piece.fit_to(body)
            drape = piece.drape(body, worn, np.random.default_rng(1))
            assert flat.points.shape == worn.points.shape == drape.points.shape
            assert drape.relief.shape == drape.light.shape == flat.points.shape[:2]
            assert np.isfinite(drape.points).all()
            rows, columns = worn.points.shape[:2]
            outline = np.concatenate(piece.outlines())
            assert outline.min() > 0
            assert (outline < (columns - 1, rows - 1)).all()
            margin = np.hypot(*(flat.points[-1] - flat.points[-2]).T).min() * (rows - 1 - outline[:, 1].max())
            assert margin * LEAST_SCALE > MARGIN_PX


@pytest.mark.parametrize("side", SIDES)
def test_sleeves_begin_inside_the_cloth_of_the_trunk(side):
    """Both ends of a sleeve's first row lie within the trunk's edge, at whatever angle the arm is."""
    for number in range(40):
        body, garment = wild(Category.UPPER_BODY, number)
        garment = replace(garment, neckline="round", sleeve="long")
        cloth = TrunkCloth(garment)
        trunk, sleeve = cloth.fit_to(body).points, SleeveCloth(garment, side).fit_to(body).points
        outer = int(np.argmin(np.abs(cloth.grid.column_positions - side)))
        for end in (2, -3):  # the columns of the sleeve's own edges
            nearest = trunk[np.argmin(np.abs(trunk[:, outer, 1] - sleeve[1, end, 1])), outer]
            assert (nearest - sleeve[1, end]) @ body.across(ARMPIT) * side > -0.004, (number, end)


def test_a_wide_stance_stays_inside_the_skirt():
    for number in range(30):
        body, garment = wild(Category.DRESSES, number)
        cloth = TrunkCloth(garment)
        heights = np.linspace(0.56, garment.hem, 20)
        middle, half = body.center(heights)[:, 0], cloth.half_widths(body, heights)
        for side in SIDES:
            leg = body.leg_point(side, heights)[:, 0] + side * body.leg_half_width(heights)
            assert (np.abs(leg - middle) < half).all()


def test_skinny_trousers_follow_the_leg_and_wide_ones_hang_from_the_thigh():
    rng = np.random.default_rng(3)
    garment = replace(sample_garment(Category.LOWER_BODY, rng, "catalogue"), kind="trousers", hem=0.93, ease=0.003)
    widths = {}
    for shape, flare in (("skinny", 0.0), ("straight", 0.0), ("wide", 0.06)):
        leg = TrouserLeg(replace(garment, shape=shape, flare=flare), LEFT).fit_to(Body())
        row = leg.points[-5, :, 0]
        widths[shape] = np.ptp(row) / 2.5 * 2
    assert widths["skinny"] < 0.75 * widths["straight"]
    assert widths["wide"] > 1.3 * widths["straight"]


def test_a_pleated_hem_is_a_zigzag_with_one_step_a_pleat():
    hem = pleated_hem(0.8, 9)
    assert (np.diff(hem[:, 0]) < 0).all()
    turns = np.diff(np.sign(np.diff(hem[:, 1])))
    assert np.count_nonzero(turns) == 2 * 9 - 2
    assert np.ptp(hem[:, 1]) > 0.006


def test_pleats_are_dark_on_one_side_and_bright_on_the_other():
    grid = Grid(0.38, 0.8, 40, 4 * 9 + 1)
    light = pleated_light(grid.column_positions, grid.heights, 0.385, 0.8, 9)
    inside = np.abs(grid.column_positions) < 1
    jumps = np.diff(light[-4, inside]) > 0.12  # from one pleat's edge down to the next
    assert 8 <= jumps.sum() <= 10
    assert np.ptp(light[-4, inside]) > 2 * np.ptp(light[5, inside]) > 0
    assert light[-4, inside].mean() == pytest.approx(1, abs=0.05)
