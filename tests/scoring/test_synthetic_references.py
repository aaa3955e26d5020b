"""The frozen twin as a reference: its own bytes, drawn when needed, looked at again every time."""

from __future__ import annotations

from pathlib import Path

import pytest

from tryon.categories import Category, Split
from tryon.dresscode.layout import relative_path
from tryon.errors import SourceError
from tryon.runtime.atomic_files import sha256_bytes
from tryon.runtime.progress import no_progress
from tryon.scoring import synthetic_references as twin
from tryon.scoring.references import synthetic_references
from tryon.scoring.synthetic_references import IMAGE_HASHES, SyntheticPair, render_pairs, synthetic_pairs
from tryon.synthetic.item_files import RenderOptions, make_item, make_truth
from tryon.synthetic.pair_plan import PairPlan
from tryon.synthetic.versions import VERSIONS

NAME = "twin:v1"
FEW = 2


@pytest.fixture
def short_lists(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first pairs of every list alone."""
    whole = synthetic_pairs
    monkeypatch.setattr(twin, "synthetic_pairs", lambda *arguments: whole(*arguments)[:FEW])
    monkeypatch.setattr("tryon.scoring.references.synthetic_pairs", twin.synthetic_pairs)
    monkeypatch.setenv("TRYON_WORKERS", "1")


def frozen(monkeypatch: pytest.MonkeyPatch, category: Category, setting: Split, pairs: list[SyntheticPair]) -> None:
    monkeypatch.setitem(IMAGE_HASHES[NAME][category], setting, twin._hash_of(pairs))


def drawn(cache: Path, category: Category, setting: Split) -> list[SyntheticPair]:
    pairs = twin.synthetic_pairs(NAME, category, setting, cache)
    twin._render(VERSIONS[NAME], category, pairs)
    return pairs


def test_every_list_of_every_frozen_version_has_a_hash() -> None:
    assert set(IMAGE_HASHES) == set(VERSIONS)
    for hashes in IMAGE_HASHES.values():
        assert set(hashes) == set(Category)
        assert all(set(own) == {Split.TEST_PAIRED, Split.TEST_UNPAIRED} for own in hashes.values())


def test_rendered_images_equal_the_archive(short_lists: None, tmp_path: Path) -> None:
    version = VERSIONS[NAME]
    plan = PairPlan(version.settings.train_pairs, version.settings.test_pairs, version.seed)
    paired = drawn(tmp_path, Category.DRESSES, Split.TEST_PAIRED)[0]
    archive = make_item(version.seed, Category.DRESSES, paired.numbers[0], paired.person_id, RenderOptions()).archive
    for path, role in zip(paired.files, ("person", "label_map", "keypoints"), strict=True):
        member = relative_path(role, Category.DRESSES, paired.person_id).as_posix()
        assert path.read_bytes() == dict(archive)[member]
    unpaired = drawn(tmp_path, Category.DRESSES, Split.TEST_UNPAIRED)[0]
    pair = plan.named_pair(Category.DRESSES, unpaired.numbers)
    truth = make_truth(version.seed, Category.DRESSES, unpaired.numbers, pair, RenderOptions()).truth
    assert unpaired.photo.read_bytes() == dict(truth)[f"dresses/truth/{pair.pair_id}.jpg"]
    assert (
        unpaired.label_map.read_bytes()
        == dict(truth)[relative_path("truth_label_map", "dresses", pair.pair_id).as_posix()]
    )
    assert unpaired.photo.stem == pair.pair_id


def test_renders_damaged_images_again_and_rejects_other_versions(
    short_lists: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    which = Category.LOWER_BODY, Split.TEST_UNPAIRED
    pairs = drawn(tmp_path, *which)
    frozen(monkeypatch, *which, pairs)
    before = sha256_bytes(pairs[0].photo.read_bytes())
    pairs[0].photo.write_bytes(b"damage")
    pairs[1].label_map.unlink()
    assert render_pairs(NAME, *which, tmp_path, no_progress) == pairs
    assert sha256_bytes(pairs[0].photo.read_bytes()) == before
    monkeypatch.setitem(IMAGE_HASHES[NAME][which[0]], which[1], "0" * 64)
    with pytest.raises(SourceError, match=r"differ from the frozen version.*frozen with OpenCV"):
        render_pairs(NAME, *which, tmp_path, no_progress)


def test_unpaired_pairs_have_person_and_truth(
    short_lists: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    category = Category.UPPER_BODY
    for setting in (Split.TEST_PAIRED, Split.TEST_UNPAIRED):
        frozen(monkeypatch, category, setting, drawn(tmp_path, category, setting))
    references = synthetic_references(NAME, "unpaired", tmp_path, no_progress)
    references.prepare((category,))
    assert len(references.pairs) == 3 * FEW
    line = references.pairs[0]
    assert line.category == category
    assert line.pair_id in references.pairs_with_truth
    person, truth = (references.packed(line, role, (512, 384)) for role in ("person", "truth"))
    assert person.shape == truth.shape == (512, 384, 3)
    assert (person != truth).any()
    assert references.original(line, "truth").shape == (1024, 768, 3)
    garment, keypoints = references.garment(line)
    assert garment.shape == (512, 384)
    assert 0.02 < garment.mean() < 0.5
    assert keypoints.shape == (18, 3)
    assert line.pair_id in references.pairs_with_garment
