"""The stage: one manifest row per index row, the same bytes however it ran, resumed from verified shards only."""

import pickle
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import pytest

import tryon.agnostic.plan as planning
import tryon.agnostic.stage as stage
from tryon.agnostic.process_person import ROLES
from tryon.agnostic.quality_limits import MaskQualityError
from tryon.agnostic.shards import make_shard, shard_path, work_folder
from tryon.categories import Category
from tryon.config.agnostic import AgnosticSettings
from tryon.dresscode.labels import garment_region
from tryon.dresscode.readers import decode_label_map
from tryon.errors import MissingInputError, TryOnError
from tryon.manifest import INDEX, MANIFEST, read_metadata, read_table, table_from_rows, write_table
from tryon.manifest.mask_png import decode_mask
from tryon.runtime.atomic_files import sha256_bytes, sha256_file
from tryon.runtime.progress import no_progress

SIZE = (128, 96)
DRESSES = Category.DRESSES
SETTINGS = AgnosticSettings()


def run(workspace, size=SIZE, progress=no_progress):
    return stage.agnostic(DRESSES, SETTINGS, size, workspace, progress)


def manifest(workspace):
    return read_table(workspace.manifest(DRESSES), MANIFEST).to_pylist()


def index(workspace):
    return read_table(workspace.index(DRESSES), INDEX).to_pylist()


@pytest.fixture
def small_shards(monkeypatch):
    monkeypatch.setattr(planning, "SHARD_SIZE", 2)


def test_every_index_row_becomes_a_manifest_row_in_order(indexed):
    seen = []
    summary = run(indexed, progress=lambda done, total, what: seen.append((done, total, what)))
    rows = manifest(indexed)
    assert [row["pair_id"] for row in rows] == [row["pair_id"] for row in index(indexed)]
    for row in rows[:-1]:
        assert (row["status"], row["reason"], row["height"], row["width"]) == ("ok", None, *SIZE)
        assert decode_mask(row["mask_png"]).shape == SIZE
        assert row["mask_fraction"] == pytest.approx(decode_mask(row["mask_png"]).mean(), abs=1e-6)
        assert row["leak_fraction"] == 0
        assert row["worn"] == "dress"
        assert row["arm_pose"] == "side"
        assert row["missing_joints"] == 0
        assert row["method"] == read_metadata(indexed.manifest(DRESSES))["method"]
    assert rows[-1]["status"] == "quarantined"
    assert rows[-1]["reason"] == "label_map: is a whole PNG file"
    assert rows[-1]["mask_png"] is None
    assert seen[-1] == (5, 5, "dresses masks")
    assert summary.summary == "10 rows of dresses have a mask of 128x96 pixels; 1 are quarantined."
    assert [row["in %"] for row in summary.table] == ["leak", "protected", "hidden", "outline"]
    assert summary.table[0]["largest"] == 0
    assert summary.table[0]["limit"] == pytest.approx(0.1)
    assert list(summary.images) == ["distribution", "worst"]  # with five people none is left to be typical
    assert all(1000 < len(image) < 220_000 for image in summary.images.values())


def test_masks_hide_the_garment_of_the_files(indexed):
    run(indexed, size=(64, 48))
    for row, source in zip(manifest(indexed)[:-1], index(indexed), strict=False):
        labels = decode_label_map((indexed.raw / source["label_map"]).read_bytes(), (64, 48))
        assert decode_mask(row["mask_png"])[garment_region(labels, DRESSES)].all()


def test_rows_of_one_person_share_one_mask_made_once(indexed, monkeypatch):
    made = []
    monkeypatch.setattr(stage, "make_shard", lambda people, *a, **k: [made.extend(people), make_shard(people, *a, **k)])
    monkeypatch.setenv("TRYON_WORKERS", "1")
    run(indexed)
    assert len(made) == 5
    masks = {}
    for row in manifest(indexed)[:-1]:
        assert masks.setdefault(row["person_id"], row["mask_png"]) == row["mask_png"]
    assert len(masks) == 5


def test_the_sleeve_column_is_about_the_new_garment(indexed):
    run(indexed)
    for row in manifest(indexed)[:-1]:
        assert row["sleeve"] == ("sleeveless", "short", "long")[int(row["garment_id"]) % 3]


def test_what_the_index_knows_of_the_garment_is_kept(indexed):
    rows = [row | {"sleeve": "long", "neckline": "v", "pattern": "stripes"} for row in index(indexed)]
    write_table(indexed.index(DRESSES), table_from_rows(rows, INDEX), INDEX)
    run(indexed)
    for row in manifest(indexed):
        assert (row["sleeve"], row["neckline"], row["pattern"]) == ("long", "v", "stripes")


def test_what_the_index_knows_of_the_person_goes_before_what_the_maps_tell(indexed):
    run(indexed)
    told = manifest(indexed)
    known = {"worn": "skirt", "arm_pose": "crossed"}
    rows = [row | (known if row["person_id"] in ("000001", "000009") else {}) for row in index(indexed)]
    write_table(indexed.index(DRESSES), table_from_rows(rows, INDEX), INDEX)
    run(indexed)
    for before, row in zip(told, manifest(indexed), strict=True):
        assert row == before | (known if row["person_id"] in ("000001", "000009") else {})  # the same mask


def test_any_number_of_processes_gives_the_same_bytes_and_leaves_no_work_area(indexed, small_shards, monkeypatch):
    outputs = set()
    for workers in ("1", "2"):
        monkeypatch.setenv("TRYON_WORKERS", workers)
        run(indexed)
        outputs.add(indexed.manifest(DRESSES).read_bytes())
        assert not (indexed.work_dir("agnostic") / DRESSES).exists()
    assert len(outputs) == 1


def test_shards_run_from_threads_by_a_pickled_plan_give_the_same_bytes(indexed, small_shards):
    run(indexed)
    expected = indexed.manifest(DRESSES).read_bytes()
    planned = pickle.loads(pickle.dumps(stage.plan(DRESSES, SETTINGS, SIZE, indexed)))
    assert planned.people == 5
    with ThreadPoolExecutor(3) as threads, ThreadPoolExecutor(2) as pool:
        counts = threads.map(lambda shard: stage.run_shard(planned, shard, indexed, pool), range(3))
        assert list(counts) == [2, 2, 1]
    stage.collect(planned, indexed)
    assert indexed.manifest(DRESSES).read_bytes() == expected


def test_a_run_that_was_stopped_goes_on_from_whole_shards_only(indexed, small_shards, monkeypatch):
    run(indexed)
    expected = indexed.manifest(DRESSES).read_bytes()
    planned = stage.plan(DRESSES, SETTINGS, SIZE, indexed)
    first, second, _ = (shard_path(people, planned.job(indexed), planned.config_hash) for people in planned.shards)
    stage.run_shard(planned, 0, indexed)
    stage.run_shard(planned, 1, indexed)
    second.write_bytes(second.read_bytes()[:-1])  # damaged after it was made
    before = first.stat().st_mtime_ns, second.stat().st_mtime_ns
    with pytest.raises(TryOnError, match=r"finished shard.*tryon agnostic dresses"):
        stage.collect(planned, indexed)
    monkeypatch.setenv("TRYON_WORKERS", "1")
    monkeypatch.setattr(stage, "collect", lambda planned, workspace: None)
    run(indexed)
    assert first.stat().st_mtime_ns == before[0]
    assert second.stat().st_mtime_ns != before[1]
    monkeypatch.undo()
    stage.collect(planned, indexed)
    assert indexed.manifest(DRESSES).read_bytes() == expected


def test_shards_of_another_size_or_recipe_are_not_taken_for_ours(indexed):
    planned = stage.plan(DRESSES, SETTINGS, SIZE, indexed)
    other = stage.plan(DRESSES, SETTINGS, (64, 48), indexed)
    assert planned.config_hash != other.config_hash
    paths = {shard_path(one.shards[0], one.job(indexed), one.config_hash) for one in (planned, other)}
    assert len(paths) == 2
    assert {path.parent for path in paths} == {work_folder(planned.job(indexed))}


def test_the_recipe_is_chosen_by_the_settings(indexed):
    run(indexed)
    ours = manifest(indexed)
    loose = {"method": "dresscode-official", "quality_limits": {"max_protected_fraction": 1.0}}
    stage.agnostic(DRESSES, AgnosticSettings.model_validate(loose), SIZE, indexed, no_progress)
    for one, other in zip(ours[:-1], manifest(indexed), strict=False):
        assert one["method"] != other["method"]
        assert one["mask_png"] != other["mask_png"]
        assert one["outline_similarity"] < other["outline_similarity"]


def test_a_person_without_any_evidence_is_quarantined_with_the_reason(indexed):
    rows = index(indexed)
    none = dict.fromkeys(f"{role}{end}" for role in ROLES for end in ("", "_bytes", "_sha256"))
    rows[0] |= none
    rows[1] |= none
    write_table(indexed.index(DRESSES), table_from_rows(rows, INDEX), INDEX)
    run(indexed)
    first, second, *others = manifest(indexed)
    for row in (first, second):
        assert row["status"] == "quarantined"
        assert "nothing found to hide" in row["reason"]
        assert row["mask_png"] is None
    assert sum(row["status"] == "ok" for row in others) == 8


def test_a_file_that_does_not_decode_is_quarantined_with_the_reason(indexed):
    _rewrite(indexed, "label_map", b"no image")
    run(indexed)
    row = manifest(indexed)[0]
    assert row["status"] == "quarantined"
    assert "label map: is a whole PNG file" in row["reason"]


def _rewrite(workspace, role, data):
    """Replace a file of the first person's, in the index too."""
    from tryon.runtime.atomic_files import sha256_bytes

    rows = index(workspace)
    (workspace.raw / rows[0][role]).write_bytes(data)
    for row in rows[:2]:
        row |= {f"{role}_bytes": len(data), f"{role}_sha256": sha256_bytes(data)}
    write_table(workspace.index(DRESSES), table_from_rows(rows, INDEX), INDEX)


@pytest.mark.parametrize("damage", [Path.unlink, lambda path: path.write_bytes(path.read_bytes()[::-1])])
def test_raw_files_that_are_gone_or_changed_stop_the_stage_and_keep_the_old_manifest(indexed, damage):
    run(indexed)
    before = indexed.manifest(DRESSES).read_bytes()
    damage(indexed.raw / index(indexed)[0]["dense_pose"])
    with pytest.raises(MissingInputError, match=r"dense.*tryon download"):
        run(indexed)
    assert indexed.manifest(DRESSES).read_bytes() == before


def test_a_photo_that_was_edited_stops_the_stage_and_no_mask_is_lost(indexed):
    photo = indexed.raw / index(indexed)[0]["person"]
    data = photo.read_bytes()
    photo.write_bytes(data[::-1])
    with pytest.raises(MissingInputError, match=r"_0\.jpg.*tryon download"):
        run(indexed)
    assert not indexed.manifest(DRESSES).exists()
    assert len(list((indexed.work_dir("agnostic") / DRESSES).glob("*.parquet"))) == 1
    photo.write_bytes(data)
    run(indexed)
    assert not (indexed.work_dir("agnostic") / DRESSES).exists()


def test_the_manifest_says_which_index_it_was_made_from(indexed):
    run(indexed)
    assert read_metadata(indexed.manifest(DRESSES))["index_sha256"] == sha256_file(indexed.index(DRESSES))


def test_an_index_that_changes_while_masks_are_made_is_refused(indexed):
    planned = stage.plan(DRESSES, SETTINGS, SIZE, indexed)
    stage.run_shard(planned, 0, indexed)
    write_table(indexed.index(DRESSES), table_from_rows(index(indexed)[:-1], INDEX), INDEX)
    with pytest.raises(MissingInputError, match="tryon agnostic dresses"):
        stage.collect(planned, indexed)


def test_a_missing_index_names_the_command(indexed):
    indexed.index(DRESSES).unlink()
    with pytest.raises(MissingInputError, match="tryon download"):
        run(indexed)


def test_an_index_without_good_rows_is_told_and_the_manifest_stays(indexed):
    run(indexed)
    before, rows = indexed.manifest(DRESSES).read_bytes(), index(indexed)
    bad = [row | {"status": "quarantined", "reason": "label_map: is whole"} for row in rows]
    write_table(indexed.index(DRESSES), table_from_rows(bad, INDEX), INDEX)
    with pytest.raises(TryOnError, match=r"all 11 rows of dresses: are set aside.*11 x label_map: is whole"):
        run(indexed)
    assert indexed.manifest(DRESSES).read_bytes() == before


def test_a_category_that_has_no_rows_gets_an_empty_manifest(indexed):
    write_table(indexed.index(DRESSES), table_from_rows([], INDEX), INDEX)
    assert run(indexed).images == {}
    assert manifest(indexed) == []


def blank_label_map(workspace, number):
    """Make a person's label map all background, and the index say so."""
    rows = index(workspace)
    relative = next(row["label_map"] for row in rows if row["person_id"] == f"{number:06d}")
    content = cv2.imencode(".png", np.zeros(SIZE, np.uint8))[1].tobytes()
    (workspace.raw / relative).write_bytes(content)
    changed = {"label_map_bytes": len(content), "label_map_sha256": sha256_bytes(content)}
    rows = [row | changed if row["label_map"] == relative else row for row in rows]
    write_table(workspace.index(DRESSES), table_from_rows(rows, INDEX), INDEX)


def test_a_row_whose_label_map_shows_no_garment_is_bad_and_set_aside_with_the_reason(indexed):
    blank_label_map(indexed, 2)
    with pytest.raises(MaskQualityError, match=r"(?s)2 of 10 rows.*000002_000002 \(unknown\)") as raised:
        run(indexed)
    assert "\n    max_leak_fraction: 1\n" in str(raised.value)
    assert "\n    max_rejected_fraction: 0.2\n" in str(raised.value)
    some = SETTINGS.model_copy(
        update={"quality_limits": SETTINGS.quality_limits.model_copy(update={"max_rejected_fraction": 0.2})}
    )
    stage.agnostic(DRESSES, some, SIZE, indexed, no_progress)
    bad = [row for row in manifest(indexed)[:-1] if row["status"] != "ok"]
    assert {row["person_id"] for row in bad} == {"000002"}
    assert "the label map shows no garment of this category" in bad[0]["reason"]
    assert bad[0]["mask_png"] is not None  # it is drawn, and may be looked at
    everything = SETTINGS.quality_limits.model_copy(update={"max_leak_fraction": 1.0})
    stage.agnostic(DRESSES, SETTINGS.model_copy(update={"quality_limits": everything}), SIZE, indexed, no_progress)
    assert [row["status"] for row in manifest(indexed)[:-1]] == ["ok"] * 10
