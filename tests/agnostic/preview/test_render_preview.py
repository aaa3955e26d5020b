"""Previews from the manifest or from a sample; no other file is written."""

import cv2
import numpy as np
import pytest

import tryon.agnostic.preview.render_preview as previews
import tryon.agnostic.stage as stage
from tryon.agnostic.preview.contact_sheet import PreviewEntry, contact_sheet
from tryon.agnostic.preview.person_strip import GAP, LEAK_COLOR, PROTECTED_COLOR, encode
from tryon.agnostic.preview.render_preview import render_preview
from tryon.categories import Category
from tryon.cli import main
from tryon.config.agnostic import AgnosticSettings
from tryon.errors import MissingInputError, ParameterError
from tryon.manifest import INDEX, MASK_PREVIEWS, read_table, table_from_rows, write_table
from tryon.runtime.code_version import ROOT
from tryon.runtime.progress import no_progress

DRESSES, SIZE = Category.DRESSES, (128, 96)
DEFAULT = AgnosticSettings()
OFFICIAL = AgnosticSettings.model_validate({"method": "dresscode-official"})
STRIP = (256, 5 * 192 + 4 * GAP, 3)


def draw(workspace, settings=DEFAULT, count=2, **options):
    return render_preview(DRESSES, settings, SIZE, workspace, count, no_progress, **options)


def files(workspace):
    return {path for path in workspace.data.rglob("*") if path.is_file() and workspace.raw not in path.parents}


def test_preview_without_manifest_uses_a_sample(indexed):
    before = files(indexed)
    path, text = draw(indexed)
    assert path == indexed.preview(DRESSES)
    assert files(indexed) - before == {path}
    assert "a sample of 5 of 5 people" in text
    height, width = cv2.imread(str(path)).shape[:2]
    assert width == STRIP[1] + 2 * 14
    assert height > 4 * 256


def test_preview_uses_the_manifest_of_the_same_settings(indexed, monkeypatch):
    stage.agnostic(DRESSES, DEFAULT, SIZE, indexed, no_progress)
    manifest = indexed.manifest(DRESSES).read_bytes()
    sampled, _ = draw(indexed, OFFICIAL)
    official = sampled.read_bytes()
    assert "a sample" in draw(indexed, OFFICIAL)[1]
    monkeypatch.setattr(previews, "process_batch", None)
    path, text = draw(indexed)
    assert "all 5 people with a mask in the manifest" in text
    assert path.read_bytes() != official
    assert indexed.manifest(DRESSES).read_bytes() == manifest


def test_sample_and_manifest_give_the_same_preview(indexed):
    from_sample = draw(indexed)[0].read_bytes()
    stage.agnostic(DRESSES, DEFAULT, SIZE, indexed, no_progress)
    assert draw(indexed)[0].read_bytes() == from_sample


def test_out_sets_the_path(indexed, tmp_path):
    path = tmp_path / "new" / "image.jpg"
    assert draw(indexed, out=path)[0] == path
    assert path.is_file()
    assert not indexed.preview(DRESSES).exists()


def test_rejects_missing_index_and_index_without_usable_rows(indexed):
    rows = read_table(indexed.index(DRESSES), INDEX).to_pylist()
    bad = [row | {"status": "quarantined", "reason": "bad"} for row in rows]
    write_table(indexed.index(DRESSES), table_from_rows(bad, INDEX), INDEX)
    with pytest.raises(MissingInputError, match="no usable row"):
        draw(indexed)
    indexed.index(DRESSES).unlink()
    with pytest.raises(MissingInputError, match="tryon download"):
        draw(indexed)


def test_stage_stores_images_of_worst_and_typical_people(indexed, monkeypatch):
    monkeypatch.setattr(stage, "NUM_WORST", 3)
    stage.agnostic(DRESSES, DEFAULT, SIZE, indexed, no_progress)
    rows = read_table(indexed.mask_images(DRESSES), MASK_PREVIEWS).to_pylist()
    assert [row["why"] for row in rows] == ["worst"] * 3 + ["typical"] * 2
    assert len({row["person_id"] for row in rows}) == 5
    for row in rows:
        image = cv2.imdecode(np.frombuffer(row["image"], np.uint8), cv2.IMREAD_COLOR)
        assert image.shape == STRIP
        assert row["worn"] == "dress"
        assert 0.05 < row["mask_fraction"] < 0.6


def strip_of(workspace, settings):
    """Return the preview of a person by a method, and the five images in it."""
    mask_plan = stage.plan(DRESSES, settings, SIZE, workspace)
    audits = previews._sample_audits(mask_plan, workspace, 5, no_progress)
    masks = audits["mask_png"]
    (entry,) = previews.render_people({4: "worst"}, audits, lambda number: masks[number].as_py(), mask_plan, workspace)
    return entry, [entry.image[:, number * (192 + GAP) : number * (192 + GAP) + 192] for number in range(5)]


def test_strip_contains_photo_maps_mask_and_agnostic_image(indexed):
    entry, (photo, labels, dense, mask, agnostic) = strip_of(indexed, DEFAULT)
    assert entry.image.shape == STRIP
    masked = (mask == 255).all(-1)
    assert (agnostic[masked] == 0).all()
    assert (agnostic[(mask == 0).all(-1)] == photo[(mask == 0).all(-1)]).all()
    assert masked.mean() == pytest.approx(entry.numbers["mask_fraction"], abs=0.01)
    assert len(np.unique(labels.reshape(-1, 3), axis=0)) > 5
    assert len(np.unique(dense.reshape(-1, 3), axis=0)) > 10
    assert entry.violations == frozenset()


def test_errors_are_colored_in_the_mask(indexed):
    entry, images = strip_of(indexed, OFFICIAL)
    fraction = (images[3] == PROTECTED_COLOR).all(-1).mean()
    assert fraction > 0.002
    assert "protected_fraction" in entry.violations
    assert not (images[3] == LEAK_COLOR).all(-1).any()


def test_sheet_without_people():
    image = cv2.imdecode(np.frombuffer(contact_sheet("dresses", []), np.uint8), cv2.IMREAD_COLOR)
    assert image.shape[1] > 600


def test_sheet_can_be_reduced_and_is_deterministic():
    numbers = dict.fromkeys(("leak_fraction", "protected_fraction", "mask_fraction", "outline_similarity"))
    strip = np.random.default_rng(1).integers(0, 255, STRIP, np.uint8)
    people = [PreviewEntry("worst", "000001", "skirt", numbers, frozenset(), strip)]
    assert contact_sheet("t", people) == contact_sheet("t", people)
    assert len(contact_sheet("t", people, 128)) < len(contact_sheet("t", people))
    assert encode(strip) == encode(strip)


def test_command_writes_the_preview_and_prints_its_path(indexed, capsys):
    text = (ROOT / "params" / "default.yaml").read_text()
    indexed.params_file.write_text(text)
    before = files(indexed)
    assert main(["agnostic", "dresses", "--preview", "1", "--root", str(indexed.root)]) == 0
    captured = capsys.readouterr()
    assert captured.out == f"{indexed.preview(DRESSES)}\n"
    assert "a sample of 5 of 5 people" in captured.err
    assert files(indexed) - before == {indexed.preview(DRESSES)}
    folder = indexed.root / "own"
    assert main(["agnostic", "dresses", "--preview", "1", "--out", str(folder), "--root", str(indexed.root)]) == 0
    assert [path.name for path in folder.iterdir()] == ["dresses.jpg"]


def test_command_rejects_out_without_preview(indexed, capsys):
    assert main(["agnostic", "dresses", "--out", "own", "--root", str(indexed.root)]) == 2
    assert "--preview" in capsys.readouterr().err


def test_damaged_manifest_is_reported_and_a_sample_used(indexed):
    stage.agnostic(DRESSES, DEFAULT, SIZE, indexed, no_progress)
    path = indexed.manifest(DRESSES)
    good = path.read_bytes()
    for damaged in (b"", good[:1000], good[: len(good) // 2] + b"?" * 500 + good[len(good) // 2 + 500 :]):
        path.write_bytes(damaged)
        text = draw(indexed)[1]
        assert "a sample of 5 of 5 people" in text
        assert "the manifest is damaged and not used" in text
        assert "Run `tryon agnostic dresses` again" in text
        assert path.read_bytes() == damaged


def test_rejects_folders_of_the_stages(indexed):
    with pytest.raises(ParameterError, match="--out"):
        draw(indexed, out=indexed.raw / "dresses" / "preview.jpg")


def test_file_in_place_of_a_folder_is_one_message(indexed, capsys):
    indexed.params_file.write_bytes((ROOT / "params" / "default.yaml").read_bytes())
    indexed.manifest(DRESSES).parent.write_text("in the way")
    assert main(["agnostic", "dresses", "--root", str(indexed.root)]) == 2
    text = capsys.readouterr().err
    assert "Traceback" not in text
    assert str(indexed.manifest(DRESSES).parent) in text
    assert "run the same command again" in text
    indexed.manifest(DRESSES).parent.unlink()
    assert main(["agnostic", "dresses", "--root", str(indexed.root)]) == 0
