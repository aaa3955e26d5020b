"""The stage: one manifest row per index row, deterministic bytes, and resuming from complete shards."""

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

pytestmark = pytest.mark.slow

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


def test_manifest_has_one_row_per_index_row_in_order(indexed):
    reported = []
    summary = run(indexed, progress=lambda done, total, what: reported.append((done, total, what)))
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
        assert row["config_hash"] == read_metadata(indexed.manifest(DRESSES))["config_hash"]
    assert rows[-1]["status"] == "quarantined"
    assert rows[-1]["reason"] == "label map is not a complete PNG file"
    assert rows[-1]["mask_png"] is None
    assert reported[-1] == (5, 5, "dresses masks")
    assert summary.summary == "10 rows of dresses have a mask of 128x96 pixels; 1 are quarantined."
    assert [row["in %"] for row in summary.table] == ["leak", "protected", "masked", "outline"]
    assert summary.table[0]["max"] == 0
    assert summary.table[0]["limit"] == pytest.approx(0.1)
    assert list(summary.images) == ["distribution", "worst"]  # five people are all among the worst
    assert all(1000 < len(image) < 220_000 for image in summary.images.values())


def test_masks_cover_the_garment_of_the_files(indexed):
    run(indexed, size=(64, 48))
    for row, source in zip(manifest(indexed)[:-1], index(indexed), strict=False):
        labels = decode_label_map((indexed.raw / source["label_map"]).read_bytes(), (64, 48))
        assert decode_mask(row["mask_png"])[garment_region(labels, DRESSES)].all()


def test_mask_of_a_person_is_computed_once(indexed, monkeypatch):
    made = []
    monkeypatch.setattr(stage, "make_shard", lambda people, *a, **k: [made.extend(people), make_shard(people, *a, **k)])
    monkeypatch.setenv("TRYON_WORKERS", "1")
    run(indexed)
    assert len(made) == 5
    masks = {}
    for row in manifest(indexed)[:-1]:
        assert masks.setdefault(row["person_id"], row["mask_png"]) == row["mask_png"]
    assert len(masks) == 5


def test_sleeve_column_is_of_the_new_garment(indexed):
    run(indexed)
    for row in manifest(indexed)[:-1]:
        assert row["sleeve"] == ("sleeveless", "short", "long")[int(row["garment_id"]) % 3]


def test_garment_attributes_of_the_index_are_copied(indexed):
    rows = [row | {"sleeve": "long", "neckline": "v", "pattern": "stripes"} for row in index(indexed)]
    write_table(indexed.index(DRESSES), table_from_rows(rows, INDEX), INDEX)
    run(indexed)
    for row in manifest(indexed):
        assert (row["sleeve"], row["neckline"], row["pattern"]) == ("long", "v", "stripes")


def test_person_attributes_of_the_index_take_precedence(indexed):
    run(indexed)
    classified = manifest(indexed)
    attributes = {"worn": "skirt", "arm_pose": "crossed"}
    rows = [row | (attributes if row["person_id"] in ("000001", "000009") else {}) for row in index(indexed)]
    write_table(indexed.index(DRESSES), table_from_rows(rows, INDEX), INDEX)
    run(indexed)
    for before, row in zip(classified, manifest(indexed), strict=True):
        assert row == before | (attributes if row["person_id"] in ("000001", "000009") else {})  # the same mask


def test_number_of_workers_changes_no_byte_and_leaves_no_work_files(indexed, small_shards, monkeypatch):
    outputs = set()
    for workers in ("1", "2"):
        monkeypatch.setenv("TRYON_WORKERS", workers)
        run(indexed)
        outputs.add(indexed.manifest(DRESSES).read_bytes())
        assert not (indexed.work_dir("agnostic") / DRESSES).exists()
    assert len(outputs) == 1


def test_pickled_plan_run_from_threads_gives_the_same_bytes(indexed, small_shards):
    run(indexed)
    expected = indexed.manifest(DRESSES).read_bytes()
    mask_plan = pickle.loads(pickle.dumps(stage.plan(DRESSES, SETTINGS, SIZE, indexed)))
    assert mask_plan.num_people == 5
    with ThreadPoolExecutor(3) as threads, ThreadPoolExecutor(2) as pool:
        counts = threads.map(lambda shard: stage.run_shard(mask_plan, shard, indexed, pool), range(3))
        assert list(counts) == [2, 2, 1]
    stage.collect(mask_plan, indexed)
    assert indexed.manifest(DRESSES).read_bytes() == expected


def test_interrupted_run_resumes_from_complete_shards(indexed, small_shards, monkeypatch):
    run(indexed)
    expected = indexed.manifest(DRESSES).read_bytes()
    mask_plan = stage.plan(DRESSES, SETTINGS, SIZE, indexed)
    first, second, _ = (
        shard_path(people, mask_plan.job(indexed), mask_plan.config_hash) for people in mask_plan.shards
    )
    stage.run_shard(mask_plan, 0, indexed)
    stage.run_shard(mask_plan, 1, indexed)
    second.write_bytes(second.read_bytes()[:-1])  # damaged
    before = first.stat().st_mtime_ns, second.stat().st_mtime_ns
    with pytest.raises(TryOnError, match=r"complete shard.*tryon agnostic dresses"):
        stage.collect(mask_plan, indexed)
    monkeypatch.setenv("TRYON_WORKERS", "1")
    monkeypatch.setattr(stage, "collect", lambda mask_plan, workspace: None)
    run(indexed)
    assert first.stat().st_mtime_ns == before[0]
    assert second.stat().st_mtime_ns != before[1]
    monkeypatch.undo()
    stage.collect(mask_plan, indexed)
    assert indexed.manifest(DRESSES).read_bytes() == expected


def test_shard_paths_depend_on_the_size(indexed):
    mask_plan = stage.plan(DRESSES, SETTINGS, SIZE, indexed)
    smaller = stage.plan(DRESSES, SETTINGS, (64, 48), indexed)
    assert mask_plan.config_hash != smaller.config_hash
    paths = {shard_path(item.shards[0], item.job(indexed), item.config_hash) for item in (mask_plan, smaller)}
    assert len(paths) == 2
    assert {path.parent for path in paths} == {work_folder(mask_plan.job(indexed))}


def test_settings_select_the_method(indexed):
    run(indexed)
    default = manifest(indexed)
    loose = {"method": "dresscode-official", "quality_limits": {"max_protected_fraction": 1.0}}
    stage.agnostic(DRESSES, AgnosticSettings.model_validate(loose), SIZE, indexed, no_progress)
    for row, official in zip(default[:-1], manifest(indexed), strict=False):
        assert row["config_hash"] != official["config_hash"]
        assert row["mask_png"] != official["mask_png"]
        assert row["outline_similarity"] < official["outline_similarity"]


def test_person_without_evidence_is_quarantined(indexed):
    rows = index(indexed)
    none = dict.fromkeys(f"{role}{end}" for role in ROLES for end in ("", "_bytes", "_sha256"))
    rows[0] |= none
    rows[1] |= none
    write_table(indexed.index(DRESSES), table_from_rows(rows, INDEX), INDEX)
    run(indexed)
    first, second, *others = manifest(indexed)
    for row in (first, second):
        assert row["status"] == "quarantined"
        assert "nearly empty" in row["reason"]
        assert row["mask_png"] is None
    assert sum(row["status"] == "ok" for row in others) == 8


def test_undecodable_file_is_quarantined(indexed):
    _rewrite(indexed, "label_map", b"no image")
    run(indexed)
    row = manifest(indexed)[0]
    assert row["status"] == "quarantined"
    assert "label map is not a complete PNG file" in row["reason"]


def _rewrite(workspace, role, data):
    """Replace a file of the first person, in the index too."""
    from tryon.runtime.atomic_files import sha256_bytes

    rows = index(workspace)
    (workspace.raw / rows[0][role]).write_bytes(data)
    for row in rows[:2]:
        row |= {f"{role}_bytes": len(data), f"{role}_sha256": sha256_bytes(data)}
    write_table(workspace.index(DRESSES), table_from_rows(rows, INDEX), INDEX)


@pytest.mark.parametrize("damage", [Path.unlink, lambda path: path.write_bytes(path.read_bytes()[::-1])])
def test_missing_or_changed_raw_files_are_errors_and_the_manifest_stays(indexed, damage):
    run(indexed)
    before = indexed.manifest(DRESSES).read_bytes()
    damage(indexed.raw / index(indexed)[0]["dense_pose"])
    with pytest.raises(MissingInputError, match=r"dense.*tryon download"):
        run(indexed)
    assert indexed.manifest(DRESSES).read_bytes() == before


def test_changed_photo_is_an_error_and_masks_are_reused(indexed):
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


def test_manifest_records_the_hash_of_its_index(indexed):
    run(indexed)
    assert read_metadata(indexed.manifest(DRESSES))["index_sha256"] == sha256_file(indexed.index(DRESSES))


def test_rejects_index_that_changes_during_the_run(indexed):
    mask_plan = stage.plan(DRESSES, SETTINGS, SIZE, indexed)
    stage.run_shard(mask_plan, 0, indexed)
    write_table(indexed.index(DRESSES), table_from_rows(index(indexed)[:-1], INDEX), INDEX)
    with pytest.raises(MissingInputError, match="tryon agnostic dresses"):
        stage.collect(mask_plan, indexed)


def test_missing_index_names_the_command(indexed):
    indexed.index(DRESSES).unlink()
    with pytest.raises(MissingInputError, match="tryon download"):
        run(indexed)


def test_index_without_usable_rows_is_an_error_and_the_manifest_stays(indexed):
    run(indexed)
    before, rows = indexed.manifest(DRESSES).read_bytes(), index(indexed)
    bad = [row | {"status": "quarantined", "reason": "label map is not a complete PNG file"} for row in rows]
    write_table(indexed.index(DRESSES), table_from_rows(bad, INDEX), INDEX)
    with pytest.raises(TryOnError, match=r"all 11 rows of dresses.*11 x label map is not a complete PNG file"):
        run(indexed)
    assert indexed.manifest(DRESSES).read_bytes() == before


def test_category_without_rows_has_an_empty_manifest(indexed):
    write_table(indexed.index(DRESSES), table_from_rows([], INDEX), INDEX)
    assert run(indexed).images == {}
    assert manifest(indexed) == []


def blank_label_map(workspace, number):
    """Make a person's label map all background, in the index too."""
    rows = index(workspace)
    relative = next(row["label_map"] for row in rows if row["person_id"] == f"{number:06d}")
    content = cv2.imencode(".png", np.zeros(SIZE, np.uint8))[1].tobytes()
    (workspace.raw / relative).write_bytes(content)
    changed = {"label_map_bytes": len(content), "label_map_sha256": sha256_bytes(content)}
    rows = [row | changed if row["label_map"] == relative else row for row in rows]
    write_table(workspace.index(DRESSES), table_from_rows(rows, INDEX), INDEX)


def test_label_map_without_garment_is_a_violation(indexed):
    blank_label_map(indexed, 2)
    with pytest.raises(MaskQualityError, match=r"(?s)2 of 10 rows.*000002_000002 \(unknown\)") as raised:
        run(indexed)
    assert "\n    max_leak_fraction: 1\n" in str(raised.value)
    assert "\n    max_rejected_fraction: 0.2\n" in str(raised.value)
    tolerant = SETTINGS.model_copy(
        update={"quality_limits": SETTINGS.quality_limits.model_copy(update={"max_rejected_fraction": 0.2})}
    )
    stage.agnostic(DRESSES, tolerant, SIZE, indexed, no_progress)
    bad = [row for row in manifest(indexed)[:-1] if row["status"] != "ok"]
    assert {row["person_id"] for row in bad} == {"000002"}
    assert "the label map shows no garment of this category" in bad[0]["reason"]
    assert bad[0]["mask_png"] is not None  # kept for inspection
    accept_all = SETTINGS.quality_limits.model_copy(update={"max_leak_fraction": 1.0})
    stage.agnostic(DRESSES, SETTINGS.model_copy(update={"quality_limits": accept_all}), SIZE, indexed, no_progress)
    assert [row["status"] for row in manifest(indexed)[:-1]] == ["ok"] * 10
