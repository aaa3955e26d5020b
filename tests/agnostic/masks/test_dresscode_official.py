"""The published method: each constant by hand, and its known faults."""

import numpy as np
import pytest

from tryon.agnostic.masks.dresscode_official import dresscode_official, garment_margin
from tryon.agnostic.masks.methods import METHODS
from tryon.categories import Category
from tryon.dresscode.labels import Joint, Label

SIZE, LARGE = (512, 384), (1024, 768)
NOBODY = np.zeros((18, 3))
ARMS = {  # a straight line across the image, wrist to wrist
    Joint.RIGHT_WRIST: 60, Joint.RIGHT_ELBOW: 100, Joint.RIGHT_SHOULDER: 150,
    Joint.LEFT_SHOULDER: 230, Joint.LEFT_ELBOW: 280, Joint.LEFT_WRIST: 320,
}  # fmt: skip


def arms(level=200.0, scale=1.0):
    keypoints = NOBODY.copy()
    for joint, x in ARMS.items():
        keypoints[joint] = x * scale, level * scale, 1
    return keypoints


def labels_of(size=SIZE, **boxes):
    """A label map of rectangles: name=(top, bottom, left, right)."""
    labels = np.zeros(size, np.uint8)
    for name, (top, bottom, left, right) in boxes.items():
        labels[top:bottom, left:right] = Label[name.upper()]
    return labels


def mask_of(category, labels, keypoints=NOBODY):
    return METHODS["dresscode-official"](category, labels, None, keypoints)


def extent(mask):
    """Bounds of the mask: top, bottom, left, right, ends excluded."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    return rows[0], rows[-1] + 1, columns[0], columns[-1] + 1


@pytest.mark.parametrize(
    ("category", "masked"),
    [
        (Category.UPPER_BODY, {4}),
        (Category.LOWER_BODY, {6, 12, 13}),
        (Category.DRESSES, {7, 12, 13}),
    ],
)
def test_masked_labels(category, masked):
    result = set()
    for label in Label:
        labels = np.zeros(SIZE, np.uint8)
        labels[200:300, 100:200] = label
        if mask_of(category, labels).any():
            result.add(int(label))
    assert result == masked


@pytest.mark.parametrize("size", [(256, 192), SIZE])
def test_garment_is_dilated_by_10_pixels_up_to_512_rows(size):
    mask = mask_of(Category.LOWER_BODY, labels_of(size, pants=(100, 140, 80, 120)))
    assert extent(mask) == (90, 150, 70, 130)
    assert mask[90:150, 70:130].all()
    assert garment_margin(size[0]) == 10


@pytest.mark.parametrize("height", [513, 1024])
def test_garment_is_dilated_by_50_and_45_pixels_above_512_rows(height):
    mask = mask_of(Category.LOWER_BODY, labels_of((height, 768), pants=(300, 340, 280, 320)))
    assert extent(mask) == (255, 390, 235, 370)
    assert mask[255:390, 235:370].all()
    assert garment_margin(height) == 47.5


@pytest.mark.parametrize("category", [Category.UPPER_BODY, Category.DRESSES])
def test_arm_line_is_30_pixels_wide_from_wrist_to_wrist(category):
    mask = mask_of(category, labels_of(), arms())
    assert set(mask[:, 70:310].sum(0)) == {30}
    assert extent(mask)[2:] == pytest.approx((60, 320), abs=1)
    assert not mask_of(Category.LOWER_BODY, labels_of(), arms()).any()


def test_arm_line_is_dilated_by_10_five_times_above_512_rows():
    mask = mask_of(Category.UPPER_BODY, labels_of(LARGE), arms(scale=2.0))
    assert set(mask[:, 150:600].sum(0)) == {30 + 5 * 9}
    assert extent(mask)[2:] == pytest.approx((120 - 20, 640 + 25), abs=1)


def test_bends_of_the_arm_line_are_round():
    keypoints = arms()
    keypoints[Joint.RIGHT_WRIST, :2] = 100, 280  # straight down from the elbow at (100, 200)
    mask = mask_of(Category.UPPER_BODY, labels_of(), keypoints)
    assert mask[200, 87]
    assert mask[188, 94]
    assert not mask[186, 86]


def test_arm_labels_outside_the_line_stay_visible():
    labels = labels_of(upper_clothes=(150, 260, 40, 340), left_arm=(180, 220, 300, 340))
    mask = mask_of(Category.UPPER_BODY, labels, arms())
    assert mask[190:210, 305:315].all()
    assert not mask[180:184, 300:340].any()
    assert not mask[180:220, 322:340].any()  # beyond the wrist: the hand


def test_arms_stay_visible_without_a_line():
    labels = labels_of(pants=(100, 300, 100, 200), left_arm=(150, 250, 140, 160))
    assert not mask_of(Category.LOWER_BODY, labels, arms())[labels == Label.LEFT_ARM].any()
    labels = labels_of(upper_clothes=(100, 300, 100, 200), left_arm=(150, 250, 140, 160))
    assert not mask_of(Category.UPPER_BODY, labels)[labels == Label.LEFT_ARM].any()


@pytest.mark.parametrize(("height", "raised"), [(256, 10), (512, 20), (1024, 40)])
def test_head_stays_visible_down_to_20_pixels_at_512_above_the_shoulders(height, raised):
    width = height * 3 // 4
    labels = labels_of((height, width), dress=(0, height, 0, width), head=(0, height, width // 2 - 5, width // 2 + 5))
    shoulders = height // 2
    keypoints = NOBODY.copy()
    keypoints[Joint.RIGHT_SHOULDER] = width // 4, shoulders, 1
    keypoints[Joint.LEFT_SHOULDER] = width - width // 4, shoulders, 1
    mask = mask_of(Category.DRESSES, labels, keypoints)
    head = labels == Label.HEAD
    level = shoulders - raised
    assert not mask[:level][head[:level]].any()
    assert mask[level:][head[level:]].all()


def test_cut_of_the_head_follows_the_slope_of_the_shoulders():
    labels = labels_of(upper_clothes=(0, 512, 0, 384), head=(0, 512, 180, 200))
    keypoints = NOBODY.copy()
    keypoints[Joint.RIGHT_SHOULDER] = 140, 180, 1
    keypoints[Joint.LEFT_SHOULDER] = 240, 280, 1
    mask = mask_of(Category.UPPER_BODY, labels, keypoints)
    assert [int(np.flatnonzero(mask[:, x])[0]) for x in (180, 190)] == [200, 210]


def test_head_far_from_the_garment_stays_visible():
    labels = labels_of(upper_clothes=(300, 400, 100, 200), head=(100, 250, 140, 160))
    assert not mask_of(Category.UPPER_BODY, labels, arms(level=450))[labels == Label.HEAD].any()


@pytest.mark.parametrize("category", list(Category))
def test_protected_labels(category):
    more = {Category.UPPER_BODY: {5, 6}, Category.LOWER_BODY: {4, 11, 14, 15}, Category.DRESSES: set()}
    garment = {Category.UPPER_BODY: 4, Category.LOWER_BODY: 6, Category.DRESSES: 7}[category]
    for label in Label:
        labels = np.full(SIZE, garment, np.uint8)
        labels[240:250, 180:190] = label  # within the dilation
        visible = not mask_of(category, labels, arms(level=245))[labels == label].any()
        always = {1, 2, 3, 9, 10, 16, 17}
        assert visible == (int(label) in always | more[category]), label


def test_skirt_stays_visible(figure):
    """A known fault of the original, which `fitting-room` does not have."""
    person = figure.with_(worn="skirt")
    skirt = person.label_map == Label.SKIRT
    official = mask_of(Category.LOWER_BODY, person.label_map, person.keypoints)
    assert official[skirt].mean() < 0.1
    assert METHODS["fitting-room"](Category.LOWER_BODY, *person.maps)[skirt].all()


def test_missing_joints_are_omitted_from_the_line():
    complete = arms()
    for joint in (Joint.RIGHT_WRIST, Joint.LEFT_ELBOW, Joint.RIGHT_SHOULDER):
        keypoints = complete.copy()
        keypoints[joint] = -1, -1, 0
        mask = mask_of(Category.UPPER_BODY, labels_of(), keypoints)
        left = 100 if joint is Joint.RIGHT_WRIST else 60
        assert extent(mask) == pytest.approx((185, 215, left, 320), abs=1)  # no streak to the corner


@pytest.mark.parametrize("category", list(Category))
def test_no_joints_give_the_dilated_garment(figure, category):
    labels = figure.label_map
    for keypoints in (NOBODY, np.full((18, 3), np.nan), np.tile([-1.0, -1.0, 0.0], (18, 1))):
        mask = mask_of(category, labels, keypoints)
        assert np.array_equal(mask, mask_of(category, labels))


@pytest.mark.parametrize("joint", list(Joint))
def test_any_joint_may_be_missing(figure, joint):
    keypoints = figure.keypoints
    keypoints[joint] = -1, -1, 0
    for category in Category:
        assert mask_of(category, figure.label_map, keypoints).any()


def test_shoulders_above_the_image_cut_the_head_only():
    labels = labels_of(upper_clothes=(0, 100, 100, 200), head=(0, 20, 140, 160), pants=(492, 512, 100, 200))
    mask = mask_of(Category.UPPER_BODY, labels, arms(level=5))
    assert mask[labels == Label.HEAD].all()
    assert not mask[labels == Label.PANTS].any()


def test_side_view_has_a_level_cut():
    labels = labels_of(dress=(0, 512, 0, 384), head=(0, 300, 180, 200))
    keypoints = NOBODY.copy()
    keypoints[[Joint.RIGHT_SHOULDER, Joint.LEFT_SHOULDER]] = 190, 200, 1
    mask = mask_of(Category.DRESSES, labels, keypoints)
    assert np.flatnonzero(mask[:, 185])[0] == 180


def test_arguments_are_not_changed(figure):
    labels, dense_pose, keypoints = figure.maps
    before = labels.copy(), keypoints.copy()
    for category in Category:
        mask = dresscode_official(category, labels, dense_pose, keypoints)
        assert mask.dtype == np.uint8
        assert set(np.unique(mask)) <= {0, 1}
    assert np.array_equal(labels, before[0])
    assert np.array_equal(keypoints, before[1])
