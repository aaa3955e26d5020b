"""A scene's window holds all that is there, and what was told once is told the same to recipe and audit."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tryon.agnostic.masks.audit import audit, audit_person
from tryon.agnostic.masks.label_masks import garment_mask
from tryon.agnostic.masks.methods import MARGINS, METHODS, PERSON_METHODS
from tryon.agnostic.masks.parsed_person import ParsedPerson
from tryon.agnostic.masks.protection import PROTECTED_LABELS, protected_labels
from tryon.categories import Category
from tryon.dresscode.labels import garment_region


@given(st.integers(0, 2**32 - 1), st.booleans())
def test_the_window_has_a_margin_around_all_labels_and_parts(seed, dense):
    rng = np.random.default_rng(seed)
    labels, parts = np.zeros((2, 200, 150), np.uint8)
    labels[tuple(rng.integers(0, 150, (2, 3)))] = 7
    parts[tuple(rng.integers(0, 150, (2, 3)))] = 200
    scene = ParsedPerson(labels, parts if dense else None, np.zeros((18, 3)))
    beyond = np.ones(labels.shape, bool)
    beyond[scene.box.window] = False
    assert not labels[beyond].any()
    assert not (dense and parts[beyond].any())
    assert scene.labels.shape == labels[scene.box.window].shape
    first = np.argwhere(labels | (parts if dense else 0)).min(0)
    assert scene.box.corner == complex(*np.maximum(first - 8, 0)[::-1])


@pytest.mark.parametrize("category", Category)
def test_an_empty_border_around_a_image_changes_no_mask_within(figure, category):
    """Nothing but the window's place differs: no region is cut off by its edges."""
    labels, dense_pose, keypoints = figure.with_(worn="dress").maps
    inside = (slice(None), slice(60, 60 + labels.shape[1]))
    wide = np.zeros((2, labels.shape[0], labels.shape[1] + 100), np.uint8)
    wide[0][inside], wide[1][inside] = labels, dense_pose
    moved = keypoints + np.where(keypoints[:, 2:] > 0, (60, 0, 0), 0).astype(np.float32)
    mask = METHODS["fitting-room"](category, labels, dense_pose, keypoints)
    assert (METHODS["fitting-room"](category, wide[0], wide[1], moved)[inside] != mask).mean() < 1e-4


@pytest.mark.parametrize("config_hash", METHODS)
@pytest.mark.parametrize("category", Category)
def test_a_scene_gives_the_mask_and_the_audit_of_its_maps(figure, category, recipe):
    maps = figure.with_(worn="skirt", arms="bent").maps
    scene = ParsedPerson(*maps)
    margin = MARGINS[recipe](scene.height)
    mask = PERSON_METHODS[recipe](category, scene)
    assert (mask == METHODS[recipe](category, *maps)).all()
    assert audit_person(category, mask, scene, margin) == audit(category, mask, *maps, margin=margin)


def test_what_was_told_is_kept_and_cannot_be_changed(figure):
    scene = ParsedPerson(*figure.maps)
    top = scene.cached(garment_mask, Category.UPPER_BODY)
    assert scene.cached(garment_mask, Category.UPPER_BODY) is top
    assert (top == garment_region(scene.labels, Category.UPPER_BODY)).all()
    assert (scene.cached(garment_mask, Category.LOWER_BODY) != top).any()
    with pytest.raises(ValueError, match="read-only"):
        top[0, 0] = 1


@pytest.mark.parametrize("category", list(Category))
def test_labels_that_stay_whole_are_those_of_the_table_whatever_ids_a_map_has(category):
    labels = np.arange(256, dtype=np.uint8).reshape(16, 16)
    scene = ParsedPerson(labels, None, np.zeros((18, 3)))
    assert (protected_labels(scene, category) == np.isin(scene.labels, PROTECTED_LABELS[category])).all()
