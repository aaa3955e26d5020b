"""A person's window contains all labels, and cached masks are shared by mask method and audit."""

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
def test_window_has_a_margin_around_all_labels_and_parts(seed, dense):
    rng = np.random.default_rng(seed)
    labels, parts = np.zeros((2, 200, 150), np.uint8)
    labels[tuple(rng.integers(0, 150, (2, 3)))] = 7
    parts[tuple(rng.integers(0, 150, (2, 3)))] = 200
    person = ParsedPerson(labels, parts if dense else None, np.zeros((18, 3)))
    outside = np.ones(labels.shape, bool)
    outside[person.window.slices] = False
    assert not labels[outside].any()
    assert not (dense and parts[outside].any())
    assert person.labels.shape == labels[person.window.slices].shape
    first = np.argwhere(labels | (parts if dense else 0)).min(0)
    assert person.window.corner == complex(*np.maximum(first - 8, 0)[::-1])


@pytest.mark.parametrize("category", Category)
def test_empty_border_does_not_change_the_mask(figure, category):
    """Only the window's position differs: no region is cut off by its edges."""
    labels, dense_pose, keypoints = figure.with_(worn="dress").maps
    inside = (slice(None), slice(60, 60 + labels.shape[1]))
    wide = np.zeros((2, labels.shape[0], labels.shape[1] + 100), np.uint8)
    wide[0][inside], wide[1][inside] = labels, dense_pose
    moved = keypoints + np.where(keypoints[:, 2:] > 0, (60, 0, 0), 0).astype(np.float32)
    mask = METHODS["fitting-room"](category, labels, dense_pose, keypoints)
    assert (METHODS["fitting-room"](category, wide[0], wide[1], moved)[inside] != mask).mean() < 1e-4


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("category", Category)
def test_person_gives_the_mask_and_the_audit_of_its_maps(figure, category, method):
    maps = figure.with_(worn="skirt", arms="bent").maps
    person = ParsedPerson(*maps)
    margin = MARGINS[method](person.height)
    mask = PERSON_METHODS[method](category, person)
    assert (mask == METHODS[method](category, *maps)).all()
    assert audit_person(category, mask, person, margin) == audit(category, mask, *maps, margin=margin)


def test_cached_masks_are_read_only(figure):
    person = ParsedPerson(*figure.maps)
    top = person.cached(garment_mask, Category.UPPER_BODY)
    assert person.cached(garment_mask, Category.UPPER_BODY) is top
    assert (top == garment_region(person.labels, Category.UPPER_BODY)).all()
    assert (person.cached(garment_mask, Category.LOWER_BODY) != top).any()
    with pytest.raises(ValueError, match="read-only"):
        top[0, 0] = 1


@pytest.mark.parametrize("category", list(Category))
def test_protected_labels_are_those_of_the_table_for_any_ids(category):
    labels = np.arange(256, dtype=np.uint8).reshape(16, 16)
    person = ParsedPerson(labels, None, np.zeros((18, 3)))
    assert (protected_labels(person, category) == np.isin(person.labels, PROTECTED_LABELS[category])).all()
