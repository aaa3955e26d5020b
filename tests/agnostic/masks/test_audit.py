"""Metrics of the audit on hand-made masks, and attributes of drawn figures."""

import numpy as np
import pytest

from tryon.agnostic.masks.attributes import classify_arm_pose, classify_garment, classify_sleeve
from tryon.agnostic.masks.audit import MaskQuality, audit, outline_similarity, rejection_reason
from tryon.agnostic.masks.body import body_from_keypoints
from tryon.agnostic.masks.methods import METHODS
from tryon.agnostic.masks.regions import dilate
from tryon.categories import Category
from tryon.dresscode.labels import GARMENT_LABELS, Joint, Label


def test_fractions_of_a_hand_made_mask():
    labels = np.zeros((10, 10), np.uint8)
    labels[:2] = Label.HAIR  # 20 protected pixels
    labels[2:6] = Label.UPPER_CLOTHES  # 40 garment pixels
    mask = np.zeros((10, 10), bool)
    mask[1:5] = True
    quality = audit(Category.UPPER_BODY, mask, labels, None, np.zeros((18, 3)))
    assert quality.mask_fraction == pytest.approx(0.4)
    assert quality.leak_fraction == pytest.approx(10 / 40)
    assert quality.protected_fraction == pytest.approx(10 / 20)
    assert quality.missing_joints == 18


def test_missing_regions_have_no_fraction():
    quality = audit(Category.LOWER_BODY, np.ones((4, 4), bool), np.zeros((4, 4), np.uint8), None, np.zeros((18, 3)))
    assert quality.leak_fraction is None
    assert quality.protected_fraction is None
    assert quality.worn == "none"


@pytest.mark.parametrize(("fraction", "usable"), [(0.001, False), (0.01, True), (0.9, True), (0.99, False)])
def test_masks_of_nearly_nothing_or_everything_are_rejected(fraction, usable):
    assert (rejection_reason(MaskQuality(fraction, None, None, None, "none", None, "hidden", 18)) is None) is usable


def test_masked_face_hands_and_feet_count_as_protected(figure):
    labels, dense_pose, keypoints = figure.with_(worn="dress", arms="bent").maps
    everything = np.ones(labels.shape, bool)
    for category in Category:
        quality = audit(category, everything, labels, dense_pose, keypoints)
        assert quality.leak_fraction in (0, None)
        assert quality.protected_fraction == 1


def box(top, bottom, left, right, size=(200, 160)):
    region = np.zeros(size, np.uint8)
    region[top:bottom, left:right] = 1
    return region


NOTHING = np.zeros((200, 160), np.uint8)


def test_outline_of_a_dilated_garment_follows_it():
    garment = box(60, 140, 50, 110)
    assert outline_similarity(box(57, 143, 47, 113), garment, NOTHING, 3) == 1
    assert outline_similarity(garment, garment, NOTHING, 3) == 1


def test_outline_far_from_the_garment_has_similarity_zero():
    assert outline_similarity(box(20, 180, 10, 150), box(80, 100, 60, 80), NOTHING, 3) == 0


def test_outline_similarity_is_the_fraction_along_the_garment():
    mask, garment = box(40, 160, 40, 120), box(100, 160, 40, 120)  # the garment is the lower half of the mask
    similarity = outline_similarity(mask, garment, NOTHING, 0)
    along = 80 + 2 * 59 + 2 * round(0.008 * 200)  # its hem and sides, and the tolerance above
    assert similarity == pytest.approx(along / (2 * 80 + 2 * 118), abs=0.01)


def test_image_border_and_protected_regions_are_excluded_from_the_outline():
    garment = box(100, 200, 0, 160)
    mask = box(60, 200, 0, 160)  # only its upper edge is inside the image
    assert outline_similarity(mask, garment, NOTHING, 3) == 0
    assert outline_similarity(mask, garment, box(0, 60, 0, 160), 3) is None
    assert outline_similarity(mask, NOTHING, NOTHING, 3) is None


def test_outline_similarity_uses_the_margin_of_the_method():
    garment, mask = box(60, 140, 50, 110), box(50, 150, 40, 120)
    assert outline_similarity(mask, garment, NOTHING, 3) == 0
    assert outline_similarity(mask, garment, NOTHING, 10) == 1


def test_default_method_reveals_less_than_a_dilated_garment(figure):
    for person in (figure.with_(worn="skirt"), figure.with_(worn="skirt", flare=1.1, length=0.4)):
        maps = person.maps
        default = METHODS["fitting-room"](Category.LOWER_BODY, *maps)
        dilated = dilate((person.label_map == Label.SKIRT).view(np.uint8), 6).view(np.bool_)
        values = [audit(Category.LOWER_BODY, mask, *maps).outline_similarity for mask in (default, dilated)]
        assert values[0] < 0.6 * values[1]


@pytest.mark.parametrize("worn", ["trousers", "skirt", "dress"])
def test_classify_garment_returns_the_largest(figure, worn):
    person = figure.with_(worn=worn)
    assert classify_garment(person.category, person.label_map) == worn
    assert classify_garment(Category.UPPER_BODY, person.label_map) == ("dress" if worn == "dress" else "top")


@pytest.mark.parametrize("category", list(Category))
def test_classify_garment_does_not_depend_on_the_known_size(category):
    rng = np.random.default_rng(4)
    for _ in range(50):
        labels = rng.choice(18, (9, 11), p=rng.dirichlet(np.full(18, 0.3))).astype(np.uint8)
        size = int(np.isin(labels, GARMENT_LABELS[category]).sum())
        assert classify_garment(category, labels, size) == classify_garment(category, labels)


@pytest.mark.parametrize("arms", ["side", "bent"])
@pytest.mark.parametrize("sleeve", ["sleeveless", "short", "long"])
@pytest.mark.parametrize("worn", ["trousers", "dress"])
def test_classify_sleeve(figure, worn, sleeve, arms):
    person = figure.with_(worn=worn, sleeve=sleeve, arms=arms)
    assert classify_sleeve(person.label_map, body_from_keypoints(person.keypoints, 512)) == sleeve


def test_sleeves_of_undetected_arms_are_unknown(figure):
    keypoints = figure.keypoints
    keypoints[[Joint.RIGHT_ELBOW, Joint.LEFT_ELBOW]] = -1, -1, 0
    assert classify_sleeve(figure.label_map, body_from_keypoints(keypoints, 512)) is None


@pytest.mark.parametrize("arms", ["side", "bent", "crossed"])
@pytest.mark.parametrize("back", [False, True])
def test_classify_arm_pose_in_front_and_back_view(figure, arms, back):
    keypoints = figure.with_(arms=arms).keypoints
    if back:
        keypoints[:, 0] = 384 - keypoints[:, 0]
    assert classify_arm_pose(body_from_keypoints(keypoints, 512)) == arms


def test_arms_without_a_wrist_are_hidden(figure):
    keypoints = figure.keypoints
    keypoints[[Joint.RIGHT_WRIST, Joint.LEFT_WRIST]] = -1, -1, 0
    assert classify_arm_pose(body_from_keypoints(keypoints, 512)) == "hidden"
