"""Tests of rendered ground truth of the frozen synthetic data set."""

from __future__ import annotations

from pathlib import Path

import pytest

from tryon.categories import Category, Split
from tryon.dresscode.layout import relative_path
from tryon.errors import SourceError
from tryon.runtime.atomic_files import sha256_bytes
from tryon.runtime.progress import no_progress
from tryon.scoring import synthetic_references as module
from tryon.scoring.references import synthetic_references
from tryon.scoring.synthetic_references import IMAGE_HASHES, SyntheticPair, render_pairs, synthetic_pairs
from tryon.synthetic.item_files import RenderOptions, make_ground_truth, make_item
from tryon.synthetic.pair_plan import PairPlan
from tryon.synthetic.versions import VERSIONS

NAME = "twin:v1"
NUM_PAIRS = 2


@pytest.fixture
def short_lists(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorten every pair list."""
    all_pairs = synthetic_pairs
    monkeypatch.setattr(module, "synthetic_pairs", lambda *arguments: all_pairs(*arguments)[:NUM_PAIRS])
    monkeypatch.setattr("tryon.scoring.references.synthetic_pairs", module.synthetic_pairs)
    monkeypatch.setenv("TRYON_WORKERS", "1")


def set_hash(monkeypatch: pytest.MonkeyPatch, category: Category, setting: Split, pairs: list[SyntheticPair]) -> None:
    monkeypatch.setitem(IMAGE_HASHES[NAME][category], setting, module._hash_of(pairs))


def render(cache: Path, category: Category, setting: Split) -> list[SyntheticPair]:
    pairs = module.synthetic_pairs(NAME, category, setting, cache)
    module._render(VERSIONS[NAME], category, pairs)
    return pairs


def test_every_list_of_every_frozen_version_has_a_hash() -> None:
    assert set(IMAGE_HASHES) == set(VERSIONS)
    for hashes in IMAGE_HASHES.values():
        assert set(hashes) == set(Category)
        assert all(set(lists) == {Split.TEST_PAIRED, Split.TEST_UNPAIRED} for lists in hashes.values())


def test_rendered_images_equal_the_archive(short_lists: None, tmp_path: Path) -> None:
    version = VERSIONS[NAME]
    plan = PairPlan(version.settings.train_pairs, version.settings.test_pairs, version.seed)
    paired = render(tmp_path, Category.DRESSES, Split.TEST_PAIRED)[0]
    archive = make_item(version.seed, Category.DRESSES, paired.numbers[0], paired.person_id, RenderOptions()).archive
    for path, role in zip(paired.files, ("person", "label_map", "keypoints"), strict=True):
        member = relative_path(role, Category.DRESSES, paired.person_id).as_posix()
        assert path.read_bytes() == dict(archive)[member]
    unpaired = render(tmp_path, Category.DRESSES, Split.TEST_UNPAIRED)[0]
    pair = plan.to_ids(Category.DRESSES, unpaired.numbers)
    truth = make_ground_truth(version.seed, Category.DRESSES, unpaired.numbers, pair, RenderOptions()).truth
    assert unpaired.photo.read_bytes() == dict(truth)[f"dresses/truth/{pair.pair_id}.jpg"]
    assert (
        unpaired.label_map.read_bytes()
        == dict(truth)[relative_path("truth_label_map", "dresses", pair.pair_id).as_posix()]
    )
    assert unpaired.photo.stem == pair.pair_id


def test_renders_damaged_images_again_and_rejects_other_versions(
    short_lists: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pair_list = Category.LOWER_BODY, Split.TEST_UNPAIRED
    pairs = render(tmp_path, *pair_list)
    set_hash(monkeypatch, *pair_list, pairs)
    digest = sha256_bytes(pairs[0].photo.read_bytes())
    pairs[0].photo.write_bytes(b"damaged")
    pairs[1].label_map.unlink()
    assert render_pairs(NAME, *pair_list, tmp_path, no_progress) == pairs
    assert sha256_bytes(pairs[0].photo.read_bytes()) == digest
    monkeypatch.setitem(IMAGE_HASHES[NAME][pair_list[0]], pair_list[1], "0" * 64)
    with pytest.raises(SourceError, match=r"differ from the frozen version.*frozen with OpenCV"):
        render_pairs(NAME, *pair_list, tmp_path, no_progress)


def test_unpaired_pairs_have_person_and_ground_truth(
    short_lists: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    category = Category.UPPER_BODY
    for setting in (Split.TEST_PAIRED, Split.TEST_UNPAIRED):
        set_hash(monkeypatch, category, setting, render(tmp_path, category, setting))
    references = synthetic_references(NAME, "unpaired", tmp_path, no_progress)
    references.prepare((category,))
    assert len(references.pairs) == 3 * NUM_PAIRS
    pair = references.pairs[0]
    assert pair.category == category
    assert pair.pair_id in references.pairs_with_truth
    person, truth = (references.packed(pair, role, (512, 384)) for role in ("person", "truth"))
    assert person.shape == truth.shape == (512, 384, 3)
    assert (person != truth).any()
    assert references.original(pair, "truth").shape == (1024, 768, 3)
    garment, keypoints = references.garment(pair)
    assert garment.shape == (512, 384)
    assert 0.02 < garment.mean() < 0.5
    assert keypoints.shape == (18, 3)
    assert pair.pair_id in references.pairs_with_garment
