"""The audit counts what it says, and the slices tell what was drawn."""

import numpy as np
import pytest

from tryon.agnostic.audit import Audit, audit, unusable
from tryon.agnostic.body import body_from_keypoints
from tryon.agnostic.slices import arm_pose_of, sleeve_of, worn_of
from tryon.categories import Category
from tryon.dresscode.labels import Joint, Label


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
    assert (unusable(Audit(fraction, None, None, "none", None, "hidden", 18)) is None) is usable


def test_hiding_a_face_a_hand_or_a_foot_counts_as_a_fault(figure):
    labels, dense_pose, keypoints = figure.with_(worn="dress", arms="bent").maps
    everything = np.ones(labels.shape, bool)
    for category in Category:
        found = audit(category, everything, labels, dense_pose, keypoints)
        assert found.leak_fraction in (0, None)
        assert found.protected_fraction == 1


@pytest.mark.parametrize("worn", ["trousers", "skirt", "dress"])
def test_worn_is_the_largest_garment(figure, worn):
    one = figure.with_(worn=worn)
    assert worn_of(one.category, one.label_map) == worn
    assert worn_of(Category.UPPER_BODY, one.label_map) == ("dress" if worn == "dress" else "top")


@pytest.mark.parametrize("arms", ["side", "bent"])
@pytest.mark.parametrize("sleeve", ["sleeveless", "short", "long"])
@pytest.mark.parametrize("worn", ["trousers", "dress"])
def test_sleeves_are_told_from_the_arms(figure, worn, sleeve, arms):
    one = figure.with_(worn=worn, sleeve=sleeve, arms=arms)
    assert sleeve_of(one.label_map, body_from_keypoints(one.keypoints, 512)) == sleeve


def test_sleeves_of_unseen_arms_are_unknown(figure):
    keypoints = figure.keypoints
    keypoints[[Joint.RIGHT_ELBOW, Joint.LEFT_ELBOW]] = -1, -1, 0
    assert sleeve_of(figure.label_map, body_from_keypoints(keypoints, 512)) is None


@pytest.mark.parametrize("arms", ["side", "bent", "crossed"])
@pytest.mark.parametrize("back", [False, True])
def test_arm_pose_is_told_from_the_joints_from_either_side(figure, arms, back):
    keypoints = figure.with_(arms=arms).keypoints
    if back:
        keypoints[:, 0] = 384 - keypoints[:, 0]
    assert arm_pose_of(body_from_keypoints(keypoints, 512)) == arms


def test_arms_without_a_wrist_are_hidden(figure):
    keypoints = figure.keypoints
    keypoints[[Joint.RIGHT_WRIST, Joint.LEFT_WRIST]] = -1, -1, 0
    assert arm_pose_of(body_from_keypoints(keypoints, 512)) == "hidden"
