"""The audit counts what it says, and the slices tell what was drawn."""

import numpy as np
import pytest

from tryon.agnostic.masks.attributes import classify_arm_pose, classify_garment, classify_sleeve
from tryon.agnostic.masks.audit import MaskQuality, audit, outline_similarity, rejection_reason
from tryon.agnostic.masks.body import body_from_keypoints
from tryon.agnostic.masks.methods import METHODS
from tryon.agnostic.masks.regions import dilate
from tryon.categories import Category
from tryon.dresscode.labels import GARMENT_LABELS, Joint, Label


def test_fractions_are_counted_by_hand():
    labels = np.zeros((10, 10), np.uint8)
    labels[:2] = Label.HAIR  # 20 pixels to keep
    labels[2:6] = Label.UPPER_CLOTHES  # 40 pixels to hide
    mask = np.zeros((10, 10), bool)
    mask[1:5] = True
    found = audit(Category.UPPER_BODY, mask, labels, None, np.zeros((18, 3)))
    assert found.mask_fraction == pytest.approx(0.4)
    assert found.leak_fraction == pytest.approx(10 / 40)
    assert found.protected_fraction == pytest.approx(10 / 20)
    assert found.missing_joints == 18


def test_what_is_not_there_has_no_fraction():
    found = audit(Category.LOWER_BODY, np.ones((4, 4), bool), np.zeros((4, 4), np.uint8), None, np.zeros((18, 3)))
    assert found.leak_fraction is None
    assert found.protected_fraction is None
    assert found.worn == "none"


@pytest.mark.parametrize(("fraction", "usable"), [(0.001, False), (0.01, True), (0.9, True), (0.99, False)])
def test_masks_of_next_to_nothing_or_everything_are_unusable(fraction, usable):
    assert (rejection_reason(MaskQuality(fraction, None, None, None, "none", None, "hidden", 18)) is None) is usable


def test_hiding_a_face_a_hand_or_a_foot_counts_as_a_fault(figure):
    labels, dense_pose, keypoints = figure.with_(worn="dress", arms="bent").maps
    everything = np.ones(labels.shape, bool)
    for category in Category:
        found = audit(category, everything, labels, dense_pose, keypoints)
        assert found.leak_fraction in (0, None)
        assert found.protected_fraction == 1


def box(top, bottom, left, right, size=(200, 160)):
    region = np.zeros(size, np.uint8)
    region[top:bottom, left:right] = 1
    return region


NOTHING = np.zeros((200, 160), np.uint8)


def test_the_outline_of_a_grown_garment_is_the_garments():
    garment = box(60, 140, 50, 110)
    assert outline_similarity(box(57, 143, 47, 113), garment, NOTHING, 3) == 1
    assert outline_similarity(garment, garment, NOTHING, 3) == 1


def test_an_outline_far_from_the_garment_says_nothing():
    assert outline_similarity(box(20, 180, 10, 150), box(80, 100, 60, 80), NOTHING, 3) == 0


def test_the_share_of_the_outline_along_the_garment_is_counted():
    mask, garment = box(40, 160, 40, 120), box(100, 160, 40, 120)  # the garment is the lower half of the mask
    found = outline_similarity(mask, garment, NOTHING, 0)
    along = 80 + 2 * 59 + 2 * round(0.008 * 200)  # its hem and sides, and the slack above
    assert found == pytest.approx(along / (2 * 80 + 2 * 118), abs=0.01)


def test_the_image_border_and_the_neighbors_of_kept_parts_are_no_outline_of_the_masks_own():
    garment = box(100, 200, 0, 160)
    mask = box(60, 200, 0, 160)  # ends at the border but for its upper edge
    assert outline_similarity(mask, garment, NOTHING, 3) == 0
    assert outline_similarity(mask, garment, box(0, 60, 0, 160), 3) is None
    assert outline_similarity(mask, NOTHING, NOTHING, 3) is None


def test_the_outline_is_looked_for_at_the_recipes_own_margin():
    garment, mask = box(60, 140, 50, 110), box(50, 150, 40, 120)
    assert outline_similarity(mask, garment, NOTHING, 3) == 0
    assert outline_similarity(mask, garment, NOTHING, 10) == 1


def test_a_mask_of_the_body_tells_less_than_a_grown_garment(figure):
    for one in (figure.with_(worn="skirt"), figure.with_(worn="skirt", flare=1.1, length=0.4)):
        maps = one.maps
        ours = METHODS["fitting-room"](Category.LOWER_BODY, *maps)
        grown = dilate((one.label_map == Label.SKIRT).view(np.uint8), 6).view(np.bool_)
        told = [audit(Category.LOWER_BODY, mask, *maps).outline_similarity for mask in (ours, grown)]
        assert told[0] < 0.6 * told[1]


@pytest.mark.parametrize("worn", ["trousers", "skirt", "dress"])
def test_worn_is_the_largest_garment(figure, worn):
    one = figure.with_(worn=worn)
    assert classify_garment(one.category, one.label_map) == worn
    assert classify_garment(Category.UPPER_BODY, one.label_map) == ("dress" if worn == "dress" else "top")


@pytest.mark.parametrize("category", list(Category))
def test_worn_is_the_same_when_the_garment_was_counted_before(category):
    rng = np.random.default_rng(4)
    for _ in range(50):
        labels = rng.choice(18, (9, 11), p=rng.dirichlet(np.full(18, 0.3))).astype(np.uint8)
        size = int(np.isin(labels, GARMENT_LABELS[category]).sum())
        assert classify_garment(category, labels, size) == classify_garment(category, labels)


@pytest.mark.parametrize("arms", ["side", "bent"])
@pytest.mark.parametrize("sleeve", ["sleeveless", "short", "long"])
@pytest.mark.parametrize("worn", ["trousers", "dress"])
def test_sleeves_are_told_from_the_arms(figure, worn, sleeve, arms):
    one = figure.with_(worn=worn, sleeve=sleeve, arms=arms)
    assert classify_sleeve(one.label_map, body_from_keypoints(one.keypoints, 512)) == sleeve


def test_sleeves_of_unseen_arms_are_unknown(figure):
    keypoints = figure.keypoints
    keypoints[[Joint.RIGHT_ELBOW, Joint.LEFT_ELBOW]] = -1, -1, 0
    assert classify_sleeve(figure.label_map, body_from_keypoints(keypoints, 512)) is None


@pytest.mark.parametrize("arms", ["side", "bent", "crossed"])
@pytest.mark.parametrize("back", [False, True])
def test_arm_pose_is_told_from_the_joints_from_either_side(figure, arms, back):
    keypoints = figure.with_(arms=arms).keypoints
    if back:
        keypoints[:, 0] = 384 - keypoints[:, 0]
    assert classify_arm_pose(body_from_keypoints(keypoints, 512)) == arms


def test_arms_without_a_wrist_are_hidden(figure):
    keypoints = figure.keypoints
    keypoints[[Joint.RIGHT_WRIST, Joint.LEFT_WRIST]] = -1, -1, 0
    assert classify_arm_pose(body_from_keypoints(keypoints, 512)) == "hidden"
