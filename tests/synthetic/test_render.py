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
from tryon.synthetic.item_files import render_in_garment, sample_item_garment, sample_item_person
from tryon.synthetic.paint.ground_truth import OCCLUDED, VISIBLE
from tryon.synthetic.render import RenderedPerson, render_person, sample_person

pytestmark = pytest.mark.slow

SEED = 11
RED = (210, 40, 30)

HANDS_AND_ARMS = [part for part in DensePart if "ARM" in part.name or "HAND" in part.name]


def render(category: Category, person: int, garment: int) -> RenderedPerson:
    return render_person(
        sample_item_person(SEED, category, person), lay_flat(sample_item_garment(SEED, category, garment)), truth=True
    )


def dilate(mask: np.ndarray, pixels: int) -> np.ndarray:
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * pixels + 1, 2 * pixels + 1))
    return cv2.dilate(mask.astype(np.uint8), kernel) > 0


@pytest.mark.parametrize("category", list(Category))
def test_changing_the_garment_changes_only_pixels_near_both_garments(category):
    for number in range(3):
        first, second = (render(category, number, number + step) for step in (0, 1))
        assert first.truth is not None
        assert second.truth is not None
        # Occluded parts count too: their shadow may extend beyond what covers them.
        covered = (first.truth.cover > 0) | (second.truth.cover > 0)
        change = np.abs(first.photo.astype(int) - second.photo).max(-1)
        assert change[garment_region(first.label_map, category)].mean() > 20
        assert change[~dilate(covered, 40)].max() < 10  # the rims of soft shadows
        assert change[~dilate(covered, 100)].max() == 0
        assert not (first.label_map != second.label_map)[~dilate(covered, 3)].any()
        assert np.array_equal(first.dense_pose, second.dense_pose)
        assert np.array_equal(first.keypoints, second.keypoints)


@pytest.mark.parametrize("category", list(Category))
def test_label_map_matches_the_garment_pixels(category):
    """A plain red garment has shades of red, and no other pixel has."""
    figure, garment = sample_item_person(SEED, category, 1), sample_item_garment(SEED, category, 1)
    red = replace(garment, fabric=Fabric("plain", (RED, RED, RED), 0, 200, (0, 0)))
    plain_gray = Fabric("plain", ((90, 90, 90),) * 3, 0, 200, (0, 0))
    figure = replace(figure, other_garment=figure.other_garment and replace(figure.other_garment, fabric=plain_gray))
    image = render_person(figure, lay_flat(red))
    photo = image.photo.astype(float)
    is_red = np.abs(photo / np.maximum(photo[..., :1], 1) - np.array(RED) / RED[0]).max(-1) < 0.04
    worn = image.label_map == garment.label
    assert is_red[worn & ~dilate(~worn, 2)].mean() > 0.999
    shoes_and_lips = np.isin(image.label_map, [Label.LEFT_SHOE, Label.RIGHT_SHOE, Label.HEAD])
    assert not is_red[~worn & ~shoes_and_lips & ~dilate(worn, 2)].any()


@pytest.mark.parametrize("category", list(Category))
def test_joints_are_on_their_body_parts_and_the_pelvis_on_the_torso(category):
    for number in range(4):
        image = render_in_garment(SEED, category, number, number)

        def at(x: float, y: float, ids: np.ndarray = image.dense_pose) -> DensePart:
            return DensePart(int(ids[int(y), int(x)]))

        for joint, parts in PARTS_OF_JOINTS.items():
            x, y, score = image.keypoints[joint]
            if score > 0.4 and y > 1:  # occluded joints are estimated with a lower score
                occluders = [*HANDS_AND_ARMS, DensePart.TORSO_FRONT]
                allowed = parts if joint not in CAN_BE_OCCLUDED else {*parts, *(p.name for p in occluders)}
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
CAN_BE_OCCLUDED = {Joint.RIGHT_ELBOW, Joint.LEFT_ELBOW}  # of an arm behind the back


@pytest.mark.parametrize("category", list(Category))
def test_right_is_the_right_of_the_person(category):
    for number in range(2):
        labels = render_in_garment(SEED, category, number, number).label_map
        for right, left in ((Label.RIGHT_ARM, Label.LEFT_ARM), (Label.RIGHT_SHOE, Label.LEFT_SHOE)):
            columns = [np.flatnonzero((labels == label).any(0)) for label in (right, left)]
            if all(len(side) for side in columns):
                assert columns[0].mean() < columns[1].mean()


def test_heads_above_the_frame_have_y_0_and_some_joints_are_missing():
    points = []
    for category in Category:
        for number in range(60):
            rng = np.random.default_rng((SEED, number))
            figure = sample_person(category, rng, "catalogue")
            points.append(find_keypoints(figure.body, figure.camera, rng))
    keypoints = np.stack(points)
    heads = keypoints[:, [Joint.NOSE, Joint.RIGHT_EYE, Joint.LEFT_EYE]]
    assert 0.1 < (heads[..., 1] == 0).mean() < 0.9
    missing = keypoints[..., 2] == 0
    assert (keypoints[missing] == (-1, -1, 0)).all()
    assert 0.02 < missing[:, [Joint.RIGHT_WRIST, Joint.LEFT_WRIST]].mean() < 0.4
    assert missing[60:120, Joint.NOSE].all()  # images of lower-body garments start below the shoulders
    assert (keypoints[~missing][:, :2] >= 0).all()
    assert (keypoints[~missing][:, :2] < (768, 1024)).all()


@pytest.mark.parametrize("category", list(Category))
def test_garment_image_is_large_and_centered_on_near_white(category):
    for number in range(3):
        image = garment_image(lay_flat(sample_item_garment(SEED, category, number)))
        edge = np.concatenate([image[0], image[-1], image[:, 0], image[:, -1]])
        assert image.shape == (1024, 768, 3)
        assert edge.min() > 235
        dark = (image < 225).any(-1)
        rows, columns = np.flatnonzero(dark.any(1)), np.flatnonzero(dark.any(0))
        assert abs((rows[0] + rows[-1]) / 2 - 511.5) < 40
        assert abs((columns[0] + columns[-1]) / 2 - 383.5) < 40
        assert len(rows) > 400 or len(columns) > 300


def with_truth(category: Category, number: int) -> tuple[RenderedPerson, FlatGarment]:
    """Render an item in a strong pattern with ground truth."""
    garment = sample_item_garment(SEED, category, number)
    flat = lay_flat(replace(garment, fabric=checked_fabric(number)))
    return render_person(sample_item_person(SEED, category, number), flat, truth=True), flat


def checked_fabric(number: int) -> Fabric:
    angle = 30.0 * number
    return Fabric("checks", ((230, 60, 40), (40, 90, 220), (250, 240, 230)), angle, 220, (0.3, 0.1))


def chroma(image: np.ndarray) -> np.ndarray:
    colors = image.astype(np.float64) + 8
    return colors / colors.sum(-1, keepdims=True)


@pytest.mark.parametrize("category", list(Category))
def test_flow_warps_the_catalogue_image_onto_the_photo_up_to_shading(category):
    for number in range(4):
        image, flat = with_truth(category, number)
        truth = image.truth
        assert truth is not None
        warped = cv2.remap(garment_image(flat), *cv2.split(truth.flow), cv2.INTER_LINEAR)
        visible = (truth.cover == VISIBLE) & ~dilate(truth.cover != VISIBLE, 4)
        assert visible.sum() > 20_000
        expected, actual = chroma(image.photo)[visible], chroma(warped)[visible]
        assert np.abs(expected - actual).mean() < 0.02
        assert np.corrcoef(expected[:, 0], actual[:, 0])[0, 1] > 0.97
        shifted = chroma(np.roll(warped, 12, axis=1))[visible]
        assert np.abs(expected - shifted).mean() > 2 * np.abs(expected - actual).mean()


@pytest.mark.parametrize("category", list(Category))
def test_cover_matches_the_label_map_and_includes_occluded_parts(category):
    occluded = 0
    for number in range(4):
        image, flat = with_truth(category, number)
        truth = image.truth
        assert truth is not None
        visible = truth.cover == VISIBLE
        assert np.array_equal(visible & (image.label_map != Label.BELT), image.label_map == flat.garment.label)
        occluded += (truth.cover == OCCLUDED).sum()
        garment = (truth.cover > 0).astype(np.uint8)
        _, _, sizes, _ = cv2.connectedComponentsWithStats(garment)
        assert sizes[1:, cv2.CC_STAT_AREA].max() > 0.9 * garment.sum()  # connected with the visible part
        inside = ~dilate(garment == 0, 2)
        for axis, limit in ((0, 768), (1, 1024)):
            assert truth.flow[inside, axis].min() >= 0
            assert truth.flow[inside, axis].max() < limit
        assert not truth.flow[garment == 0].any()
    assert occluded > 3000


@pytest.mark.parametrize("category", list(Category))
def test_uv_is_on_the_body_and_ground_truth_changes_no_other_output(category):
    figure, flat = sample_item_person(SEED, category, 2), lay_flat(sample_item_garment(SEED, category, 2))
    plain, full = render_person(figure, flat), render_person(figure, flat, truth=True)
    assert plain.truth is None
    assert full.truth is not None
    for name in ("photo", "label_map", "dense_pose", "keypoints"):
        assert np.array_equal(getattr(plain, name), getattr(full, name))
    assert not full.truth.uv[full.dense_pose == 0].any()
    assert full.truth.uv.min() >= 0
    assert full.truth.uv.max() <= 1
    assert full.truth.uv[full.dense_pose > 0].any(-1).mean() > 0.95


def test_feet_cast_a_shadow_on_the_floor():
    figure = sample_item_person(SEED, Category.DRESSES, 1)
    image = render_person(figure, lay_flat(sample_item_garment(SEED, Category.DRESSES, 1)))
    shoes = np.isin(image.label_map, [Label.LEFT_SHOE, Label.RIGHT_SHOE])
    bottom, columns = np.flatnonzero(shoes.any(1))[-1], np.flatnonzero(shoes.any(0))
    row = min(bottom + 4, 1020)
    under = image.photo[row, columns[0] : columns[-1]].astype(float).min(0).mean()
    floor = image.photo[row, 40:120].astype(float).mean()
    assert under < floor - 20


@pytest.mark.parametrize("garment_category", list(Category))
@pytest.mark.parametrize("category", list(Category))
def test_any_person_wears_a_garment_of_any_category(category, garment_category):
    """The outfit is completed, and DensePose and key points are those of the person in the paired garment."""
    figure, garment = sample_item_person(SEED, category, 2), sample_item_garment(SEED, garment_category, 3)
    image = render_person(figure, lay_flat(garment))
    paired = render_in_garment(SEED, category, 2, 2)
    halves = {other.kind == "top" for other in figure.outfit(garment)}
    assert halves == ({False} if garment.kind == "dress" else {True, False})
    assert (image.label_map == garment.label).sum() > 20_000
    assert np.array_equal(image.dense_pose > 0, paired.dense_pose > 0)
    assert np.array_equal(image.keypoints, paired.keypoints)
