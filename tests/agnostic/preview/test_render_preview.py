"""Images to look at: from the manifest or from a sample, legible, and nothing else is written."""

import cv2
import numpy as np
import pytest

import tryon.agnostic.preview.render_preview as previews
import tryon.agnostic.stage as stage
from tryon.agnostic.preview.contact_sheet import PreviewEntry, contact_sheet
from tryon.agnostic.preview.person_strip import GAP, HARM, LEAK, encode
from tryon.agnostic.preview.render_preview import render_preview
from tryon.categories import Category
from tryon.cli import main
from tryon.config.agnostic import AgnosticSettings
from tryon.errors import MissingInputError, ParameterError
from tryon.manifest import INDEX, MASK_PREVIEWS, read_table, table_from_rows, write_table
from tryon.runtime.code_version import ROOT
from tryon.runtime.progress import no_progress

DRESSES, SIZE = Category.DRESSES, (128, 96)
OURS = AgnosticSettings()
OFFICIAL = AgnosticSettings.model_validate({"method": "dresscode-official"})
STRIP = (256, 5 * 192 + 4 * GAP, 3)


def draw(workspace, settings=OURS, count=2, **options):
    return render_preview(DRESSES, settings, SIZE, workspace, count, no_progress, **options)


def files(workspace):
    return {path for path in workspace.data.rglob("*") if path.is_file() and workspace.raw not in path.parents}


def test_before_there_is_a_manifest_masks_are_made_for_the_image_alone(indexed):
    before = files(indexed)
    path, said = draw(indexed)
    assert path == indexed.preview(DRESSES)
    assert files(indexed) - before == {path}
    assert "a sample of 5 of 5 people" in said
    height, width = cv2.imread(str(path)).shape[:2]
    assert width == STRIP[1] + 2 * 14
    assert height > 4 * 256


def test_a_manifest_of_these_settings_is_shown_as_it_is(indexed, monkeypatch):
    stage.agnostic(DRESSES, OURS, SIZE, indexed, no_progress)
    manifest = indexed.manifest(DRESSES).read_bytes()
    sampled, _ = draw(indexed, OFFICIAL)
    official = sampled.read_bytes()
    assert "a sample" in draw(indexed, OFFICIAL)[1]
    monkeypatch.setattr(previews, "process_batch", None)
    path, said = draw(indexed)
    assert "all 5 people with a mask in the manifest" in said
    assert path.read_bytes() != official
    assert indexed.manifest(DRESSES).read_bytes() == manifest


def test_sample_and_manifest_show_the_same_people_where_all_are_in_the_sample(indexed):
    one = draw(indexed)[0].read_bytes()
    stage.agnostic(DRESSES, OURS, SIZE, indexed, no_progress)
    assert draw(indexed)[0].read_bytes() == one


def test_a_file_of_ones_own(indexed, tmp_path):
    path = tmp_path / "new" / "image.jpg"
    assert draw(indexed, out=path)[0] == path
    assert path.is_file()
    assert not indexed.preview(DRESSES).exists()


def test_without_an_index_or_a_good_row_there_is_nothing_to_draw(indexed):
    rows = read_table(indexed.index(DRESSES), INDEX).to_pylist()
    bad = [row | {"status": "quarantined", "reason": "bad"} for row in rows]
    write_table(indexed.index(DRESSES), table_from_rows(bad, INDEX), INDEX)
    with pytest.raises(MissingInputError, match="has a good row"):
        draw(indexed)
    indexed.index(DRESSES).unlink()
    with pytest.raises(MissingInputError, match="tryon download"):
        draw(indexed)


def test_the_stage_keeps_images_of_the_worst_and_of_typical_people(indexed, monkeypatch):
    monkeypatch.setattr(stage, "SHOWN_WORST", 3)
    stage.agnostic(DRESSES, OURS, SIZE, indexed, no_progress)
    rows = read_table(indexed.mask_images(DRESSES), MASK_PREVIEWS).to_pylist()
    assert [row["why"] for row in rows] == ["worst"] * 3 + ["typical"] * 2
    assert len({row["person_id"] for row in rows}) == 5
    for row in rows:
        image = cv2.imdecode(np.frombuffer(row["image"], np.uint8), cv2.IMREAD_COLOR)
        assert image.shape == STRIP
        assert row["worn"] == "dress"
        assert 0.05 < row["mask_fraction"] < 0.6


def strip_of(workspace, settings):
    """A strip of a person by a recipe, and the five images in it."""
    planned = stage.plan(DRESSES, settings, SIZE, workspace)
    audits = previews._sample_audits(planned, workspace, 5, no_progress)
    masks = audits["mask_png"]
    (shown,) = previews.render_people({4: "worst"}, audits, lambda number: masks[number].as_py(), planned, workspace)
    return shown, [shown.image[:, number * (192 + GAP) : number * (192 + GAP) + 192] for number in range(5)]


def test_a_strip_shows_photo_maps_mask_and_agnostic_image(indexed):
    shown, (photo, labels, dense, mask, agnostic) = strip_of(indexed, OURS)
    assert shown.image.shape == STRIP
    hidden = (mask == 255).all(-1)
    assert (agnostic[hidden] == 0).all()
    assert (agnostic[(mask == 0).all(-1)] == photo[(mask == 0).all(-1)]).all()
    assert hidden.mean() == pytest.approx(shown.numbers["mask_fraction"], abs=0.01)
    assert len(np.unique(labels.reshape(-1, 3), axis=0)) > 5
    assert len(np.unique(dense.reshape(-1, 3), axis=0)) > 10
    assert shown.faults == frozenset()


def test_faults_are_marked_in_the_mask(indexed):
    shown, images = strip_of(indexed, OFFICIAL)
    share = (images[3] == HARM).all(-1).mean()
    assert share > 0.002
    assert "protected_fraction" in shown.faults
    assert not (images[3] == LEAK).all(-1).any()


def test_a_sheet_of_nobody_is_a_image_too():
    image = cv2.imdecode(np.frombuffer(contact_sheet("dresses", []), np.uint8), cv2.IMREAD_COLOR)
    assert image.shape[1] > 600


def test_a_sheet_can_be_smaller_and_is_the_same_every_time():
    numbers = dict.fromkeys(("leak_fraction", "protected_fraction", "mask_fraction", "outline_similarity"))
    strip = np.random.default_rng(1).integers(0, 255, STRIP, np.uint8)
    people = [PreviewEntry("worst", "000001", "skirt", numbers, frozenset(), strip)]
    assert contact_sheet("t", people) == contact_sheet("t", people)
    assert len(contact_sheet("t", people, 128)) < len(contact_sheet("t", people))
    assert encode(strip) == encode(strip)


def test_the_command_draws_prints_the_path_and_writes_nothing_else(indexed, capsys):
    text = (ROOT / "params" / "default.yaml").read_text()
    indexed.params_file.write_text(text)
    before = files(indexed)
    assert main(["agnostic", "dresses", "--preview", "1", "--root", str(indexed.root)]) == 0
    said = capsys.readouterr()
    assert said.out == f"{indexed.preview(DRESSES)}\n"
    assert "a sample of 5 of 5 people" in said.err
    assert files(indexed) - before == {indexed.preview(DRESSES)}
    own = indexed.root / "own"
    assert main(["agnostic", "dresses", "--preview", "1", "--out", str(own), "--root", str(indexed.root)]) == 0
    assert [path.name for path in own.iterdir()] == ["dresses.jpg"]


def test_a_folder_for_images_that_are_not_drawn_is_refused(indexed, capsys):
    assert main(["agnostic", "dresses", "--out", "own", "--root", str(indexed.root)]) == 2
    assert "--out: goes with --preview" in capsys.readouterr().err


def test_a_damaged_manifest_is_told_and_a_sample_shown(indexed):
    stage.agnostic(DRESSES, OURS, SIZE, indexed, no_progress)
    path = indexed.manifest(DRESSES)
    good = path.read_bytes()
    for damaged in (b"", good[:1000], good[: len(good) // 2] + b"?" * 500 + good[len(good) // 2 + 500 :]):
        path.write_bytes(damaged)
        said = draw(indexed)[1]
        assert "a sample of 5 of 5 people" in said
        assert "the manifest is not looked at, for it is damaged" in said
        assert "Run `tryon agnostic dresses` again" in said
        assert path.read_bytes() == damaged


def test_images_are_not_drawn_where_only_the_stages_write(indexed):
    with pytest.raises(ParameterError, match="--out: is none of raw"):
        draw(indexed, out=indexed.raw / "dresses" / "look.jpg")


def test_a_file_in_the_way_is_one_message_and_the_same_command_goes_on(indexed, capsys):
    indexed.params_file.write_bytes((ROOT / "params" / "default.yaml").read_bytes())
    indexed.manifest(DRESSES).parent.write_text("in the way")
    assert main(["agnostic", "dresses", "--root", str(indexed.root)]) == 2
    said = capsys.readouterr().err
    assert "Traceback" not in said
    assert f"error: {indexed.manifest(DRESSES).parent}: every folder of its path is a folder" in said
    assert "Move the file that is in the way, then run the same command again" in said
    indexed.manifest(DRESSES).parent.unlink()
    assert main(["agnostic", "dresses", "--root", str(indexed.root)]) == 0
