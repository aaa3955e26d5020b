"""Properties of the default method: coverage, protected regions, and invariance to garment shape, scale and side."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tryon.agnostic import agnostic_mask
from tryon.agnostic.masks.audit import audit, rejection_reason
from tryon.agnostic.masks.lower_body import STANDARD_FLARE
from tryon.categories import Category
from tryon.dresscode.labels import GARMENT_LABELS, DensePart, Joint, Label
from tryon.dresscode.readers import resize_labels
from tryon.errors import TryOnError

CATEGORIES = list(Category)
WORN = ("trousers", "skirt", "dress")
OTHER_HALF = {
    Category.UPPER_BODY: [Label.PANTS, Label.SKIRT, Label.LEFT_LEG, Label.RIGHT_LEG],
    Category.LOWER_BODY: [Label.UPPER_CLOTHES, Label.LEFT_ARM, Label.RIGHT_ARM, Label.HEAD],
    Category.DRESSES: [],
}


def iou(a, b) -> float:
    return (a & b).sum() / (a | b).sum()


def all_figures(figure):
    for worn in WORN:
        for sleeve in ("sleeveless", "short", "long"):
            for arms in ("side", "bent", "crossed"):
                yield figure.with_(worn=worn, sleeve=sleeve, arms=arms)


@pytest.mark.parametrize("category", CATEGORIES)
@pytest.mark.parametrize("dense", [True, False])
def test_garment_is_masked_and_protected_regions_are_visible(figure, category, dense):
    for person in all_figures(figure):
        labels, dense_pose, keypoints = person.maps
        mask = agnostic_mask(category, labels, dense_pose if dense else None, keypoints)
        quality = audit(category, mask, labels, dense_pose, keypoints)
        assert quality.leak_fraction in (0, None)
        assert quality.protected_fraction is not None
        assert quality.protected_fraction < 0.02
        protected = [Label.HAIR, Label.LEFT_SHOE, Label.RIGHT_SHOE, *OTHER_HALF[category]]
        assert mask[np.isin(labels, protected)].mean() < 0.0005  # an isolated pixel at a pointed corner is filtered
        assert 0.05 < mask.mean() < 0.4


@pytest.mark.parametrize("category", CATEGORIES)
@pytest.mark.parametrize("arms", ["bent", "crossed"])
def test_hands_over_the_garment_stay_visible(figure, category, arms):
    labels, dense_pose, keypoints = figure.with_(arms=arms, worn="dress").maps
    mask = agnostic_mask(category, labels, dense_pose, keypoints)
    hands = np.isin(dense_pose, [DensePart.RIGHT_HAND, DensePart.LEFT_HAND]) & np.isin(labels, [14, 15])
    assert hands.sum() > 300
    assert not mask[hands].any()


def test_bare_arms_and_legs_are_masked(figure):
    labels, dense_pose, keypoints = figure.with_(worn="skirt", sleeve="sleeveless").maps
    upper = agnostic_mask(Category.UPPER_BODY, labels, dense_pose, keypoints)
    lower = agnostic_mask(Category.LOWER_BODY, labels, dense_pose, keypoints)
    forearms = np.isin(dense_pose, range(15, 23)) & np.isin(labels, [14, 15])
    assert upper[forearms].mean() > 0.95  # except the wrists, in the margin of the hands
    assert lower[np.isin(labels, [12, 13]) & ~np.isin(dense_pose, [5, 6])].mean() > 0.9


def test_neckline_is_masked_and_the_chin_is_not(figure):
    labels, dense_pose, keypoints = figure.maps
    shoulders = int(keypoints[Joint.NECK, 1])
    for dense in (dense_pose, None):
        mask = agnostic_mask(Category.UPPER_BODY, labels, dense, keypoints)
        head = labels == Label.HEAD
        assert mask[shoulders + 3 :][head[shoulders + 3 :]].all()
        assert not mask[: shoulders - 8][head[: shoulders - 8]].any()


@pytest.mark.parametrize("length", [0.25, 0.4, 0.7, 0.95])
def test_trousers_and_skirts_within_the_standard_flare_give_similar_masks(figure, length):
    trousers = agnostic_mask(Category.LOWER_BODY, *figure.maps)
    for flare in (0.9, 1.3, STANDARD_FLARE):
        skirt = agnostic_mask(Category.LOWER_BODY, *figure.with_(worn="skirt", flare=flare, length=length).maps)
        assert iou(trousers, skirt) >= 0.9


@pytest.mark.parametrize("category", [Category.LOWER_BODY, Category.DRESSES])
def test_wider_skirt_widens_the_mask_without_revealing_its_hem(figure, category):
    worn = "skirt" if category is Category.LOWER_BODY else "dress"
    standard = agnostic_mask(category, *figure.with_(worn=worn, flare=1.2).maps)
    wide = [figure.with_(worn=worn, flare=2.6, length=length) for length in (0.5, 0.9)]
    short, long = (agnostic_mask(category, *person.maps) for person in wide)
    assert short.sum() > 1.1 * standard.sum()
    assert iou(short, long) > 0.85
    for person, mask in zip(wide, (short, long), strict=True):
        ankles = mask[int(person.keypoints[Joint.LEFT_ANKLE, 1])]
        assert np.ptp(np.flatnonzero(ankles)) >= np.ptp(np.flatnonzero(np.isin(person.label_map, [5, 7])[260:].any(0)))


@pytest.mark.parametrize("category", [Category.UPPER_BODY, Category.DRESSES])
def test_sleeves_of_any_length_give_similar_masks(figure, category):
    for arms in ("side", "bent"):
        masks = [
            agnostic_mask(category, *figure.with_(worn="dress", sleeve=sleeve, arms=arms).maps)
            for sleeve in ("sleeveless", "short", "long")
        ]
        assert min(iou(masks[0], masks[1]), iou(masks[0], masks[2])) >= 0.93


def test_dress_parsed_as_top_and_skirt_is_masked_without_a_gap(figure):
    labels, dense_pose, keypoints = figure.with_(worn="skirt").maps
    complete = agnostic_mask(Category.DRESSES, *figure.with_(worn="dress").maps)
    parsed = agnostic_mask(Category.DRESSES, labels, dense_pose, keypoints)
    assert parsed[np.isin(labels, [4, 5])].all()
    assert iou(complete, parsed) > 0.95
    middle = parsed[int(keypoints[Joint.NECK, 1]) + 10 : int(keypoints[Joint.LEFT_ANKLE, 1]), 192]
    assert middle.all()


def test_dress_label_is_masked_below_the_hips_only(figure):
    labels, dense_pose, keypoints = figure.with_(worn="dress").maps
    mask = agnostic_mask(Category.LOWER_BODY, labels, dense_pose, keypoints)
    hips = int(keypoints[Joint.LEFT_HIP, 1])
    dress = labels == Label.DRESS
    assert mask[hips:][dress[hips:]].all()
    assert not mask[: hips - 60][dress[: hips - 60]].any()


@pytest.mark.parametrize("category", CATEGORIES)
@pytest.mark.parametrize("worn", WORN)
def test_masks_of_different_sizes_agree(figure, category, worn):
    labels, dense_pose, keypoints = figure.with_(worn=worn, size=(1024, 768)).maps
    large = agnostic_mask(category, labels, dense_pose, keypoints)
    keypoints[:, :2] /= 2
    small = agnostic_mask(category, resize_labels(labels, (512, 384)), resize_labels(dense_pose, (512, 384)), keypoints)
    assert iou(small, resize_labels(large.view(np.uint8), (512, 384)).astype(bool)) >= 0.98


@pytest.mark.parametrize("category", CATEGORIES)
def test_mirrored_input_gives_the_mirrored_mask(figure, category):
    labels, dense_pose, keypoints = figure.with_(worn="skirt", arms="bent").maps
    labels[60:90, 100:140] = Label.BAG  # something on one side
    mask = agnostic_mask(category, labels, dense_pose, keypoints)
    flipped = agnostic_mask(category, *_mirrored(labels, dense_pose, keypoints))
    assert iou(mask, flipped[:, ::-1]) > 0.97  # subsampling takes the other one of two pixels


@pytest.mark.parametrize("category", CATEGORIES)
@pytest.mark.parametrize("arms", ["side", "bent"])
def test_back_view_gives_the_same_mask(figure, category, arms):
    front = figure.with_(worn="skirt", arms=arms).maps
    labels, dense_pose, keypoints = (part.copy() for part in front)
    swapped = _swapped(labels, dense_pose, keypoints)  # the wearer's left is now on the left of the image
    fronts = {2: 1, 9: 7, 10: 8, 13: 11, 14: 12}
    behind = np.array([fronts.get(part, part) for part in range(256)], np.uint8)[swapped[1]]
    hair = np.where(swapped[0] == Label.HEAD, np.uint8(Label.HAIR), swapped[0])
    mask = agnostic_mask(category, hair, behind, swapped[2])
    neck = labels == Label.HEAD
    assert iou(mask & ~neck, agnostic_mask(category, *front) & ~neck) > 0.99
    swapped[2][[Joint.NOSE, Joint.LEFT_EYE, Joint.RIGHT_EYE]] = -1, -1, 0
    assert (mask == agnostic_mask(category, hair, behind, swapped[2])).all()


def _swapped(labels, dense_pose, keypoints):
    """Swap the names of left and right."""
    label_swap, part_swap = np.arange(256, dtype=np.uint8), np.arange(256, dtype=np.uint8)
    for left, right in ((9, 10), (12, 13), (14, 15)):
        label_swap[[left, right]] = right, left
    for left, right in ((3, 4), (5, 6), (7, 8), (9, 10), (11, 12), (13, 14), (15, 16), (17, 18), (19, 20), (21, 22)):
        part_swap[[left, right]] = right, left
    order = [0, 1, 5, 6, 7, 2, 3, 4, 11, 12, 13, 8, 9, 10, 15, 14, 17, 16]
    return label_swap[labels], part_swap[dense_pose], keypoints[order].copy()


def _mirrored(labels, dense_pose, keypoints):
    labels, dense_pose, points = _swapped(labels, dense_pose, keypoints)
    points[:, 0] = labels.shape[1] - 1 - points[:, 0]
    return labels[:, ::-1].copy(), dense_pose[:, ::-1].copy(), points


@pytest.mark.parametrize("category", CATEGORIES)
@pytest.mark.parametrize(("down", "right"), [(0, 190), (0, -190), (-140, 0), (200, 0), (-140, 120)])
def test_cropped_person_has_the_cropped_mask(figure, category, down, right):
    maps = figure.with_(worn="dress", arms="bent").maps
    complete = _moved(agnostic_mask(category, *maps), down, right)
    labels, dense_pose = (_moved(part, down, right) for part in maps[:2])
    keypoints = maps[2] + np.array([right, down, 0], np.float32)
    outside = ((keypoints < 0) | (keypoints > (383, 511, 1))).any(1)
    keypoints[outside] = -1, -1, 0
    mask = agnostic_mask(category, labels, dense_pose, keypoints)
    assert rejection_reason(audit(category, mask, labels, dense_pose, keypoints)) is None
    assert mask[np.isin(labels, GARMENT_LABELS[category])].all()
    assert iou(complete, mask) > 0.75


def _moved(image, down, right):
    moved = np.zeros_like(image)
    height, width = image.shape
    moved[max(down, 0) : height + min(down, 0), max(right, 0) : width + min(right, 0)] = image[
        max(-down, 0) : height - max(down, 0), max(-right, 0) : width - max(right, 0)
    ]
    return moved


@pytest.mark.parametrize("category", CATEGORIES)
def test_missing_arm_changes_that_arm_only(figure, category):
    labels, dense_pose, keypoints = figure.with_(worn="dress", sleeve="sleeveless").maps
    complete = agnostic_mask(category, labels, dense_pose, keypoints)
    arm = np.isin(dense_pose, [4, 15, 17, 19, 21])
    labels[arm | (labels == Label.LEFT_ARM)], dense_pose[arm] = 0, 0
    keypoints[[Joint.LEFT_ELBOW, Joint.LEFT_WRIST]] = -1, -1, 0
    mask = agnostic_mask(category, labels, dense_pose, keypoints)
    assert (mask == complete)[:, :215].mean() > 0.999
    assert iou(mask, complete) > 0.85


@pytest.mark.parametrize("category", CATEGORIES)
@pytest.mark.parametrize("joint", list(Joint))
def test_missing_joint_changes_little(figure, category, joint):
    person = figure.with_(worn="dress")
    labels, dense_pose, keypoints = person.maps
    complete = agnostic_mask(category, labels, dense_pose, keypoints)
    keypoints[joint] = -1, -1, 0
    assert iou(complete, agnostic_mask(category, labels, dense_pose, keypoints)) > 0.8


@pytest.mark.parametrize("category", CATEGORIES)
def test_maps_or_joints_alone_give_a_usable_mask(figure, category):
    person = figure.with_(worn="skirt")
    labels, dense_pose, keypoints = person.maps
    complete = agnostic_mask(category, labels, dense_pose, keypoints)
    nothing, no_joint = np.zeros_like(labels), np.full((18, 3), (-1, -1, 0), np.float32)
    for maps in (
        (labels, dense_pose, no_joint),
        (labels, nothing, no_joint),
        (nothing, dense_pose, keypoints),
        (nothing, None, keypoints),
        (nothing, dense_pose, no_joint),
    ):
        mask = agnostic_mask(category, *maps)
        assert rejection_reason(audit(category, mask, *maps)) is None
        assert iou(complete, mask) > 0.45


@pytest.mark.parametrize("category", CATEGORIES)
def test_mask_without_evidence_is_rejected(category):
    maps = np.zeros((64, 48), np.uint8), None, np.full((18, 3), (-1, -1, 0), np.float32)
    assert "nearly empty" in str(rejection_reason(audit(category, agnostic_mask(category, *maps), *maps)))
    full = np.full((64, 48), GARMENT_LABELS[category][0], np.uint8), *maps[1:]
    assert "covers nearly everything" in str(rejection_reason(audit(category, agnostic_mask(category, *full), *full)))


anything = st.builds(
    lambda height, width, seed, joints, labels, dense: (height, width, seed, joints, labels, dense),
    st.integers(1, 200),
    st.integers(1, 200),
    st.integers(0, 2**32 - 1),
    st.lists(
        st.tuples(*[st.floats(width=32, allow_nan=True, allow_infinity=True)] * 2, st.sampled_from([0, 0.01, 0.5, 1])),
        min_size=18,
        max_size=18,
    ),
    st.sampled_from(["empty", "noise", "one"]),
    st.sampled_from(["absent", "empty", "noise"]),
)


@settings(max_examples=150, deadline=None)
@given(anything, st.sampled_from(CATEGORIES))
def test_any_input_gives_a_mask_that_covers_the_garment(drawn, category):
    height, width, seed, joints, kind, dense_kind = drawn
    rng = np.random.default_rng(seed)
    labels = np.zeros((height, width), np.uint8)
    if kind != "empty":
        labels[:] = rng.integers(0, 18, labels.shape if kind == "noise" else ())
    dense_pose = None if dense_kind == "absent" else np.zeros((height, width), np.uint8)
    if dense_kind == "noise":
        dense_pose = rng.integers(0, 25, labels.shape).astype(np.uint8)
    keypoints = np.array(joints, np.float32)
    mask = agnostic_mask(category, labels, dense_pose, keypoints)
    assert mask.shape == labels.shape
    assert mask.dtype == np.bool_
    quality = audit(category, mask, labels, dense_pose, keypoints)
    assert quality.leak_fraction in (0, None)
    assert rejection_reason(quality) is not None or 0 < mask.mean() < 1


wrong_point = st.one_of(
    st.just((0.0, 0.0)),
    st.tuples(st.floats(0, 384), st.floats(0, 512)),  # all on one point
    st.tuples(*[st.sampled_from([-1e30, -5000.0, -300.0, 900.0, 1e9, np.nan, np.inf])] * 2),
)


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(CATEGORIES), st.sampled_from(WORN), st.sets(st.sampled_from(list(Joint)), min_size=3), wrong_point
)
def test_degenerate_joints_count_as_missing(figure, category, worn, joints, point):
    labels, dense_pose, keypoints = figure.with_(worn=worn).maps
    missing = keypoints.copy()
    missing[list(joints)] = -1, -1, 0
    keypoints[list(joints), :2] = point  # with the score of a detected joint
    mask = agnostic_mask(category, labels, dense_pose, keypoints)
    assert mask[np.isin(labels, GARMENT_LABELS[category])].all()
    quality = audit(category, mask, labels, dense_pose, keypoints)
    assert rejection_reason(quality) is None
    assert 0.03 < mask.mean() < 0.6  # no joint and a dress: the bare legs
    if point == (0, 0) or not max(map(abs, point)) < 800:  # else a real joint may be there by chance
        assert (mask == agnostic_mask(category, labels, dense_pose, missing)).all()


@settings(max_examples=30, deadline=None)
@given(st.sampled_from(CATEGORIES), wrong_point, st.booleans())
def test_only_degenerate_joints_give_a_mask_from_the_maps(figure, category, point, dense):
    labels, dense_pose, keypoints = figure.with_(worn="skirt").maps
    keypoints[:, :2] = point
    maps = labels, dense_pose if dense else None, keypoints
    mask = agnostic_mask(category, *maps)
    assert rejection_reason(audit(category, mask, *maps)) is None
    assert mask[np.isin(labels, GARMENT_LABELS[category])].all()
    assert mask.mean() < 0.6


def test_missing_hips_give_a_skirt_shape(figure):
    labels, dense_pose, keypoints = figure.maps
    complete = agnostic_mask(Category.LOWER_BODY, labels, dense_pose, keypoints)
    reduced = keypoints.copy()
    legs = (Joint.RIGHT_KNEE, Joint.LEFT_KNEE, Joint.LEFT_ANKLE)
    reduced[[joint for joint in Joint if joint not in legs]] = -1, -1, 0
    assert iou(agnostic_mask(Category.LOWER_BODY, labels, dense_pose, reduced), complete) > 0.9


@pytest.mark.parametrize("category", CATEGORIES)
@pytest.mark.parametrize("height", [32, 48, 64, 96])
def test_hands_straps_and_hair_stay_visible_in_small_images(figure, category, height):
    for person in all_figures(figure.with_(size=(height, height * 3 // 4))):
        labels, dense_pose, keypoints = person.maps
        labels[np.arange(10, height // 3), np.arange(10, height // 3) * 3 // 4] = Label.BAG  # a strap, one pixel wide
        mask = agnostic_mask(category, labels, dense_pose, keypoints)
        quality = audit(category, mask, labels, dense_pose, keypoints)
        assert quality.leak_fraction in (0, None)
        assert quality.protected_fraction is not None
        assert quality.protected_fraction <= 0.02


@pytest.mark.parametrize("category", CATEGORIES)
def test_ragged_edges_are_smoothed(figure, category):
    """Dents in the label's edge do not change the mask."""
    labels, dense_pose, keypoints = figure.with_(worn="dress", flare=2.6, length=0.8).maps
    complete = agnostic_mask(category, labels, dense_pose, keypoints)
    garment = np.isin(labels, [Label.DRESS, Label.UPPER_CLOTHES]).astype(np.uint8)
    edge = garment - cv2.erode(garment, np.ones((13, 13), np.uint8))
    rows = np.arange(len(labels))[:, None] // 8 % 2 == 0
    labels[(edge & rows).astype(bool)] = 0
    mask = agnostic_mask(category, labels, dense_pose, keypoints)
    assert iou(mask, complete) > 0.975


def test_dress_label_below_the_hips_is_audited_as_lower_garment(figure):
    labels, dense_pose, keypoints = figure.with_(worn="dress").maps
    nothing = np.zeros(labels.shape, bool)
    assert audit(Category.LOWER_BODY, nothing, labels, dense_pose, keypoints).leak_fraction == 1
    mask = agnostic_mask(Category.LOWER_BODY, labels, dense_pose, keypoints)
    assert audit(Category.LOWER_BODY, mask, labels, dense_pose, keypoints).leak_fraction == 0


@settings(max_examples=40, deadline=None)
@given(
    st.sampled_from(CATEGORIES),
    st.sampled_from(WORN),
    st.integers(-3, 3),
    st.integers(-3, 3),
    st.floats(0, 0.05),
    st.integers(0, 2**32 - 1),
)
def test_shifted_and_noisy_maps_leak_little(figure, category, worn, right, down, speckle, seed):
    labels, dense_pose, keypoints = figure.with_(worn=worn).maps
    complete = agnostic_mask(category, labels, dense_pose, keypoints)
    garment = np.isin(labels, GARMENT_LABELS[category])
    rng = np.random.default_rng(seed)
    parsed, dense_pose = np.roll(labels, (down, right), (0, 1)), np.roll(dense_pose, (-down, -right), (0, 1))
    for ids, count in ((parsed, 18), (dense_pose, 25)):
        noisy = rng.random(ids.shape) < speckle
        ids[noisy] = rng.integers(0, count, noisy.sum())
    mask = agnostic_mask(category, parsed, dense_pose, keypoints)
    # A label map shifted by a pixel labels a strip of the garment as protected.
    assert (garment & ~mask).sum() <= (0.012 * (abs(down) + abs(right)) + 0.1 * speckle) * garment.sum()
    assert iou(mask, complete) > 0.945 - 1.5 * speckle  # garment labels in the noise are masked


@pytest.mark.parametrize("category", CATEGORIES)
@pytest.mark.parametrize("worn", WORN)
def test_maps_without_edges_leak_little(figure, category, worn):
    labels, dense_pose, keypoints = figure.with_(worn=worn).maps
    complete = agnostic_mask(category, labels, dense_pose, keypoints)
    garment = np.isin(labels, GARMENT_LABELS[category])
    for ids in (labels, dense_pose):
        kernel = np.ones((5, 5), np.uint8)
        ids[cv2.erode(ids, kernel) != cv2.dilate(ids, kernel)] = 0
    mask = agnostic_mask(category, labels, dense_pose, keypoints)
    assert (garment & ~mask).sum() <= 0.005 * garment.sum()
    assert iou(mask, complete) > 0.9  # hips narrower by 4 of 88 pixels give a narrower skirt


@settings(max_examples=30, deadline=None)
@given(
    st.sampled_from(CATEGORIES),
    st.sampled_from(WORN),
    st.sets(st.integers(0, 17), max_size=6),
    st.sets(st.sampled_from(list(DensePart)), max_size=4),
)
def test_missing_joints_and_parts_never_leak(figure, category, worn, joints, parts):
    labels, dense_pose, keypoints = figure.with_(worn=worn).maps
    complete = agnostic_mask(category, labels, dense_pose, keypoints)
    dense_pose[np.isin(dense_pose, list(parts))] = 0
    keypoints[list(joints)] = -1, -1, 0
    mask = agnostic_mask(category, labels, dense_pose, keypoints)
    assert mask[np.isin(labels, GARMENT_LABELS[category])].all()
    assert iou(mask, complete) > 0.55


@pytest.mark.parametrize(
    ("labels", "dense", "points"),
    [
        (np.zeros((8, 8)), None, np.zeros((18, 3))),
        (np.zeros((8, 8), np.uint8), np.zeros((4, 8), np.uint8), np.zeros((18, 3))),
        (np.zeros((8, 8, 3), np.uint8), None, np.zeros((18, 3))),
        (np.zeros((8, 8), np.uint8), None, np.zeros((17, 3))),
    ],
)
def test_rejects_and_names_invalid_arrays(labels, dense, points):
    with pytest.raises(TryOnError, match=r"label map|dense pose|keypoints"):
        agnostic_mask(Category.DRESSES, labels, dense, points)
