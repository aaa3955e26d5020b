from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from tryon.categories import Category
from tryon.dresscode.labels import DensePart, Label
from tryon.synthetic.fabrics.fabric import Fabric
from tryon.synthetic.figure.body import WAIST, Body
from tryon.synthetic.figure.camera import Camera
from tryon.synthetic.figure.pose import MANNEQUIN, SIDES, Arm
from tryon.synthetic.figure.skin import DEPTH_LEG, DEPTH_TRUNK, skin_layers
from tryon.synthetic.garments.cloth import FlatGarment, garment_image, garment_layers, lay_flat
from tryon.synthetic.garments.garment import Belt, Garment
from tryon.synthetic.garments.trunk_cloth import TrunkCloth
from tryon.synthetic.item_files import sample_item_garment, sample_item_person
from tryon.synthetic.paint.layers import Canvas
from tryon.synthetic.render import render_person

SEED = 5
RED = (200, 60, 50)
CAMERA = Camera(1000, 384, 20)
SKIN = [Label.HEAD, Label.LEFT_ARM, Label.RIGHT_ARM, Label.LEFT_LEG, Label.RIGHT_LEG]


def in_red(garment: Garment) -> Garment:
    return replace(garment, fabric=Fabric("plain", (RED, RED, RED), 0, 200, (0, 0)))


def worn(flat: FlatGarment, body: Body | None = None, pair: bool = False) -> list:
    return garment_layers(flat, body or Body(), CAMERA, 52, dict.fromkeys(SIDES, 60), 1, False, pair)


def painted(flat: FlatGarment, body: Body | None = None) -> Canvas:
    canvas = Canvas(np.zeros((1024, 768, 3), np.uint8))
    for layer in worn(flat, body):
        canvas.paint(layer)
    return canvas


def drawn(category: Category, number: int) -> Garment:
    return in_red(sample_item_garment(SEED, category, number, "wild"))


@pytest.mark.parametrize("category", list(Category))
def test_no_skin_shows_through_the_cloth(category):
    """On thirty figures in all, no narrow slit between pieces shows skin. Between fingers there is some."""
    for number in range(10):
        garment = sample_item_garment(SEED, category, number, "wild")
        image = render_person(sample_item_person(SEED, category, number, "wild"), lay_flat(garment))
        cloth = np.isin(image.label_map, [garment.label, Label.BELT]).astype(np.uint8)
        closed = cv2.morphologyEx(cloth, cv2.MORPH_CLOSE, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (9, 9)))
        hands = np.isin(image.dense_pose, [DensePart.LEFT_HAND, DensePart.RIGHT_HAND])
        slits = (closed > cloth) & np.isin(image.label_map, SKIN) & ~hands
        assert slits.sum() < 0.001 * cloth.sum(), number


@pytest.mark.parametrize("kind", ["trousers", "skirt", "dress"])
def test_a_belt_has_its_own_label_around_the_waist_and_lies_in_the_flat_image(kind):
    category = Category.DRESSES if kind == "dress" else Category.LOWER_BODY
    garment = next(g for g in (drawn(category, n) for n in range(99)) if g.kind == kind)
    garment = replace(garment, belt=Belt(0.02, (30, 40, 200), (210, 210, 210)))
    canvas = painted(lay_flat(garment))
    rows, columns = np.nonzero(canvas.label_map == Label.BELT)
    cloth = np.count_nonzero(canvas.label_map == garment.label)
    assert 0.01 < len(rows) / cloth < 0.2
    assert abs(rows.mean() - CAMERA.y - 0.39 * CAMERA.scale) < 15
    row = canvas.label_map[round(rows.mean())]
    assert not (row == garment.label).any()  # it covers the waist from side to side
    assert np.ptp(columns) > 0.09 * CAMERA.scale
    image = garment_image(lay_flat(garment)).astype(int)
    blue = (image[..., 2] - image[..., 0] > 60).sum()
    assert blue > 0.4 * len(rows)


@pytest.mark.parametrize("category", list(Category))
def test_only_the_pairs_garment_knows_its_flat_image(category):
    flat = lay_flat(drawn(category, 1))
    assert all(layer.flat_coordinates is None for layer in worn(flat))
    layers = worn(flat, pair=True)
    for layer, piece in zip(layers, flat.pieces, strict=True):
        assert layer.flat_coordinates is not None
        assert layer.flat_coordinates.shape == layer.points.shape
        assert np.array_equal(layer.flat_coordinates, piece.coordinates)


@pytest.mark.parametrize("category", list(Category))
def test_the_flat_image_has_the_worn_color_up_to_shading(category):
    for number in range(4):
        garment = replace(sample_item_garment(SEED, category, number, "catalogue"), belt=None)
        flat = lay_flat(garment)
        image = garment_image(flat).astype(float)
        canvas = Canvas(np.zeros((1024, 768, 3), np.uint8), truth=True)
        for layer in worn(flat, pair=True):
            canvas.paint(layer)
        assert canvas.truth is not None
        places = canvas.truth.flow.astype(np.float32)
        found = cv2.remap(image, places, None, cv2.INTER_LINEAR)  # pyright: ignore
        inside = cv2.erode((canvas.truth.cover == 1).astype(np.uint8), np.ones((5, 5))) > 0
        a, b = canvas.photo[inside].astype(float) + 8, found[inside] + 8
        hue = np.abs(a / a.sum(1, keepdims=True) - b / b.sum(1, keepdims=True)).max(1)
        assert np.median(hue) < 0.01
        assert np.quantile(hue, 0.9) < 0.06


def test_the_inside_of_the_back_is_seen_in_the_neck_where_it_lies_flat_but_not_when_worn():
    garment = replace(drawn(Category.UPPER_BODY, 2), neckline="round", buttons=None, neck_depth=1.0)
    flat = lay_flat(garment)
    image = garment_image(flat)
    neck = flat.pieces[0].coordinates[:, 12]
    x, y = neck[np.argmin(np.abs(TrunkCloth(garment).grid.heights - 0.165))]
    inside = image[round(y) + 6, round(x)].astype(int)
    assert np.abs(inside - np.array(RED) * 0.55).max() < 12
    assert painted(flat).label_map[round(0.17 * CAMERA.scale + CAMERA.y), 384] == 0


@pytest.mark.parametrize("level", ["catalogue", "wild"])
def test_wild_arms_stay_in_their_sleeves(level):
    """Cloth lies under every point of the arm line that a long sleeve should cover."""
    for number in range(20):
        figure = sample_item_person(SEED, Category.UPPER_BODY, number, level)
        garment = replace(drawn(Category.UPPER_BODY, number), sleeve="long", neckline="round")
        labels = painted(lay_flat(garment), figure.body).label_map
        for side in SIDES:
            line = figure.body.arm_line(side)
            arm = CAMERA(line[4 : int(0.72 * len(line))]).round().astype(int)
            seen = arm[(arm >= 0).all(1) & (arm < (768, 1024)).all(1)]
            assert (labels[seen[:, 1], seen[:, 0]] == garment.label).all(), (number, side)


def test_a_bent_elbow_has_deeper_creases_than_a_straight_one():
    garment = replace(drawn(Category.UPPER_BODY, 2), sleeve="long", neckline="round")
    spread = []
    for lower in (20, -70):
        body = Body(pose=replace(MANNEQUIN, arms=(Arm("out", 25, lower), Arm("out", 25, lower))))
        sleeve = lay_flat(garment).pieces[1].piece
        drape = sleeve.drape(body, sleeve.fit_to(body), np.random.default_rng(0))
        spread.append(np.abs(drape.relief[14:26]).max())
    assert spread[1] > 1.3 * spread[0]


def test_a_tucked_top_ends_at_the_waist():
    flat = lay_flat(drawn(Category.UPPER_BODY, 0))
    canvas = Canvas(np.zeros((1024, 768, 3), np.uint8))
    for layer in garment_layers(flat, Body(), CAMERA, 50, dict.fromkeys(SIDES, 60), 1, True):
        canvas.paint(layer)
    middle = np.flatnonzero(canvas.label_map[:, 384] == Label.UPPER_CLOTHES)
    assert middle.max() < 0.41 * CAMERA.scale + CAMERA.y


@pytest.mark.parametrize("category", list(Category))
def test_hips_and_legs_are_covered_from_waist_to_hem(category):
    for number in range(15):
        figure, garment = sample_item_person(SEED, category, number, "wild"), drawn(category, number)
        labels = painted(lay_flat(garment), figure.body).label_map
        skin = Canvas(np.zeros((1024, 768, 3), np.uint8))
        for layer in skin_layers(figure.body, figure.appearance, CAMERA, False):
            if DEPTH_LEG <= layer.depth <= DEPTH_TRUNK:
                skin.paint(layer)
        rows = slice(*(round(CAMERA.scale * h + CAMERA.y) for h in (WAIST + 0.02, garment.hem - 0.03)))
        bare = (skin.dense_pose[rows] > 0) & (labels[rows] == 0)
        assert bare.mean() < 0.0002, number
