from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from tryon.categories import Category
from tryon.dresscode.labels import DensePart, Joint, Label, garment_region
from tryon.synthetic.fabrics.fabric import Fabric
from tryon.synthetic.figure.keypoints import find_keypoints
from tryon.synthetic.garments.cloth import FlatGarment, garment_image, lay_flat
from tryon.synthetic.item_files import figure_of, garment_of, render_in_garment
from tryon.synthetic.paint.ground_truth import OCCLUDED, VISIBLE
from tryon.synthetic.render import RenderedPerson, render_person, sample_person

SEED = 11
RED = (210, 40, 30)

HANDS_AND_ARMS = [part for part in DensePart if "ARM" in part.name or "HAND" in part.name]


def dressed(category: Category, person: int, garment: int) -> RenderedPerson:
    return render_person(figure_of(SEED, category, person), lay_flat(garment_of(SEED, category, garment)), truth=True)


def grown(mask: np.ndarray, pixels: int) -> np.ndarray:
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * pixels + 1, 2 * pixels + 1))
    return cv2.dilate(mask.astype(np.uint8), kernel) > 0


@pytest.mark.parametrize("category", list(Category))
def test_another_garment_changes_the_image_only_near_the_two_garments(category):
    for number in range(3):
        own, other = (dressed(category, number, number + step) for step in (0, 1))
        assert own.truth is not None
        assert other.truth is not None
        # Also where an arm hides it: its shadow may fall beyond the arm.
        worn = (own.truth.cover > 0) | (other.truth.cover > 0)
        change = np.abs(own.photo.astype(int) - other.photo).max(-1)
        assert change[garment_region(own.label_map, category)].mean() > 20
        assert change[~grown(worn, 40)].max() < 10  # the rims of soft shadows
        assert change[~grown(worn, 100)].max() == 0
        assert not (own.label_map != other.label_map)[~grown(worn, 3)].any()
        assert np.array_equal(own.dense_pose, other.dense_pose)
        assert np.array_equal(own.keypoints, other.keypoints)


@pytest.mark.parametrize("category", list(Category))
def test_the_label_map_tells_where_the_cloth_is_seen(category):
    """In plain red the garment's pixels are shades of that red, and no pixel off the garment is."""
    figure, garment = figure_of(SEED, category, 1), garment_of(SEED, category, 1)
    red = replace(garment, fabric=Fabric("plain", (RED, RED, RED), 0, 200, (0, 0)))
    plain_gray = Fabric("plain", ((90, 90, 90),) * 3, 0, 200, (0, 0))
    figure = replace(figure, other=figure.other_garment and replace(figure.other_garment, fabric=plain_gray))
    image = render_person(figure, lay_flat(red))
    photo = image.photo.astype(float)
    is_red = np.abs(photo / np.maximum(photo[..., :1], 1) - np.array(RED) / RED[0]).max(-1) < 0.04
    worn = image.label_map == garment.label
    assert is_red[worn & ~grown(~worn, 2)].mean() > 0.999
    shoes_and_lips = np.isin(image.label_map, [Label.LEFT_SHOE, Label.RIGHT_SHOE, Label.HEAD])
    assert not is_red[~worn & ~shoes_and_lips & ~grown(worn, 2)].any()


@pytest.mark.parametrize("category", list(Category))
def test_joints_lie_in_their_parts_and_the_pelvis_is_torso(category):
    for number in range(4):
        image = render_in_garment(SEED, category, number, number)

        def at(x: float, y: float, ids: np.ndarray = image.dense_pose) -> DensePart:
            return DensePart(int(ids[int(y), int(x)]))

        for joint, parts in PARTS_OF_JOINTS.items():
            x, y, score = image.keypoints[joint]
            if score > 0.4 and y > 1:  # joints that are covered are guessed, with less
                hidden = [*HANDS_AND_ARMS, DensePart.TORSO_FRONT]
                allowed = parts if joint not in MAY_BE_COVERED else {*parts, *(p.name for p in hidden)}
                assert at(x, y).name in allowed, (number, Joint(joint).name)
        hips = image.keypoints[[Joint.RIGHT_HIP, Joint.LEFT_HIP]]
        if (hips[:, 2] > 0).all():
            middle = hips[:, :2].mean(0)
            assert at(*middle) in {DensePart.TORSO_FRONT, *HANDS_AND_ARMS}


def sided(*endings: str) -> dict[str, set[str]]:
    return {side: {f"{side}_{end}" for end in endings} for side in ("RIGHT", "LEFT")}


UPPER_ARM = ("UPPER_ARM_INNER", "UPPER_ARM_OUTER")
LOWER_ARM = ("LOWER_ARM_INNER", "LOWER_ARM_OUTER")
JOINT_PARTS = {
    "SHOULDER": sided(*UPPER_ARM),
    "ELBOW": sided(*UPPER_ARM, *LOWER_ARM),
    "WRIST": sided(*LOWER_ARM, "HAND"),
    "KNEE": sided("UPPER_LEG_FRONT", "LOWER_LEG_FRONT"),
    "ANKLE": sided("LOWER_LEG_FRONT", "FOOT"),
}
PARTS_OF_JOINTS = {
    Joint[f"{side}_{name}"]: parts[side] for name, parts in JOINT_PARTS.items() for side in ("RIGHT", "LEFT")
} | {Joint.NOSE: {"HEAD_RIGHT", "HEAD_LEFT"}, Joint.NECK: {"TORSO_FRONT"}}
MAY_BE_COVERED = {Joint.RIGHT_ELBOW, Joint.LEFT_ELBOW}  # of an arm behind the back


@pytest.mark.parametrize("category", list(Category))
def test_right_is_the_wearers_right(category):
    for number in range(2):
        labels = render_in_garment(SEED, category, number, number).label_map
        for right, left in ((Label.RIGHT_ARM, Label.LEFT_ARM), (Label.RIGHT_SHOE, Label.LEFT_SHOE)):
            columns = [np.flatnonzero((labels == label).any(0)) for label in (right, left)]
            if all(len(found) for found in columns):
                assert columns[0].mean() < columns[1].mean()


def test_heads_above_the_frame_have_y_0_and_hidden_joints_are_missing():
    points = []
    for category in Category:
        for number in range(60):
            rng = np.random.default_rng((SEED, number))
            figure = sample_person(category, rng, "catalogue")
            points.append(find_keypoints(figure.body, figure.camera, rng))
    found = np.stack(points)
    heads = found[:, [Joint.NOSE, Joint.RIGHT_EYE, Joint.LEFT_EYE]]
    assert 0.1 < (heads[..., 1] == 0).mean() < 0.9
    missing = found[..., 2] == 0
    assert (found[missing] == (-1, -1, 0)).all()
    assert 0.02 < missing[:, [Joint.RIGHT_WRIST, Joint.LEFT_WRIST]].mean() < 0.4
    assert missing[60:120, Joint.NOSE].all()  # the images of trousers and skirts begin below the shoulders
    assert (found[~missing][:, :2] >= 0).all()
    assert (found[~missing][:, :2] < (768, 1024)).all()


@pytest.mark.parametrize("category", list(Category))
def test_the_garment_image_is_centered_on_near_white_and_fills_the_frame(category):
    for number in range(3):
        image = garment_image(lay_flat(garment_of(SEED, category, number)))
        edge = np.concatenate([image[0], image[-1], image[:, 0], image[:, -1]])
        assert image.shape == (1024, 768, 3)
        assert edge.min() > 235
        dark = (image < 225).any(-1)
        rows, columns = np.flatnonzero(dark.any(1)), np.flatnonzero(dark.any(0))
        assert abs((rows[0] + rows[-1]) / 2 - 511.5) < 40
        assert abs((columns[0] + columns[-1]) / 2 - 383.5) < 40
        assert len(rows) > 400 or len(columns) > 300


def with_truth(category: Category, number: int) -> tuple[RenderedPerson, FlatGarment]:
    """Item `number` in a strong pattern, with its truth planes."""
    garment = garment_of(SEED, category, number)
    flat = lay_flat(replace(garment, fabric=sample_checks(number)))
    return render_person(figure_of(SEED, category, number), flat, truth=True), flat


def sample_checks(number: int) -> Fabric:
    angle = 30.0 * number
    return Fabric("checks", ((230, 60, 40), (40, 90, 220), (250, 240, 230)), angle, 220, (0.3, 0.1))


def chroma(image: np.ndarray) -> np.ndarray:
    colors = image.astype(np.float64) + 8
    return colors / colors.sum(-1, keepdims=True)


@pytest.mark.parametrize("category", list(Category))
def test_the_catalogue_image_warped_by_the_flow_is_the_garment_in_the_photo_up_to_its_shade(category):
    for number in range(4):
        image, flat = with_truth(category, number)
        truth = image.truth
        assert truth is not None
        warped = cv2.remap(garment_image(flat), *cv2.split(truth.flow), cv2.INTER_LINEAR)
        seen = (truth.cover == VISIBLE) & ~grown(truth.cover != VISIBLE, 4)
        assert seen.sum() > 20_000
        wanted, found = chroma(image.photo)[seen], chroma(warped)[seen]
        assert np.abs(wanted - found).mean() < 0.02
        assert np.corrcoef(wanted[:, 0], found[:, 0])[0, 1] > 0.97
        moved = chroma(np.roll(warped, 12, axis=1))[seen]
        assert np.abs(wanted - moved).mean() > 2 * np.abs(wanted - found).mean()


@pytest.mark.parametrize("category", list(Category))
def test_cover_is_the_label_map_where_the_garment_is_seen_and_goes_on_under_what_hides_it(category):
    hidden = 0
    for number in range(4):
        image, flat = with_truth(category, number)
        truth = image.truth
        assert truth is not None
        seen = truth.cover == VISIBLE
        assert np.array_equal(seen & (image.label_map != Label.BELT), image.label_map == flat.garment.label)
        hidden += (truth.cover == OCCLUDED).sum()
        there = (truth.cover > 0).astype(np.uint8)
        _, _, sizes, _ = cv2.connectedComponentsWithStats(there)
        assert sizes[1:, cv2.CC_STAT_AREA].max() > 0.9 * there.sum()  # in one piece with what is seen
        inside = ~grown(there == 0, 2)
        for axis, limit in ((0, 768), (1, 1024)):
            assert truth.flow[inside, axis].min() >= 0
            assert truth.flow[inside, axis].max() < limit
        assert not truth.flow[there == 0].any()
    assert hidden > 3000


@pytest.mark.parametrize("category", list(Category))
def test_surface_coordinates_lie_on_the_body_and_truth_changes_no_image(category):
    figure, flat = figure_of(SEED, category, 2), lay_flat(garment_of(SEED, category, 2))
    plain, full = render_person(figure, flat), render_person(figure, flat, truth=True)
    assert plain.truth is None
    assert full.truth is not None
    for name in ("photo", "label_map", "dense_pose", "keypoints"):
        assert np.array_equal(getattr(plain, name), getattr(full, name))
    assert not full.truth.uv[full.dense_pose == 0].any()
    assert full.truth.uv.min() >= 0
    assert full.truth.uv.max() <= 1
    assert full.truth.uv[full.dense_pose > 0].any(-1).mean() > 0.95


def test_feet_darken_the_floor_under_them():
    figure = figure_of(SEED, Category.DRESSES, 1)
    image = render_person(figure, lay_flat(garment_of(SEED, Category.DRESSES, 1)))
    shoes = np.isin(image.label_map, [Label.LEFT_SHOE, Label.RIGHT_SHOE])
    bottom, columns = np.flatnonzero(shoes.any(1))[-1], np.flatnonzero(shoes.any(0))
    row = min(bottom + 4, 1020)
    under = image.photo[row, columns[0] : columns[-1]].astype(float).min(0).mean()
    beside = image.photo[row, 40:120].astype(float).mean()
    assert under < beside - 20


@pytest.mark.parametrize("worn", list(Category))
@pytest.mark.parametrize("category", list(Category))
def test_any_figure_wears_a_garment_of_any_category(category, worn):
    """With the other half of an outfit beside it, on the same body: DensePose is the one it has in its own clothes."""
    figure, garment = figure_of(SEED, category, 2), garment_of(SEED, worn, 3)
    image = render_person(figure, lay_flat(garment))
    own = render_in_garment(SEED, category, 2, 2)
    halves = {other.kind == "top" for other in figure.outfit(garment)}
    assert halves == ({False} if garment.kind == "dress" else {True, False})
    assert (image.label_map == garment.label).sum() > 20_000
    assert np.array_equal(image.dense_pose > 0, own.dense_pose > 0)
    assert np.array_equal(image.keypoints, own.keypoints)
