from __future__ import annotations

import csv
import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, JpegImagePlugin

from tryon.categories import Category, Split
from tryon.config.download import SyntheticSettings
from tryon.dresscode.layout import (
    ATTRIBUTE_COLUMNS,
    PARSING_NOISE_COLUMNS,
    PEOPLE_COLUMNS,
    SYNTHETIC_MARKER,
    TRUTH_MARKER,
    pair_list_path,
    relative_path,
)
from tryon.dresscode.pair_lists import Pair, parse_pair_list
from tryon.dresscode.readers import decode_label_map
from tryon.runtime.atomic_files import sha256_file
from tryon.runtime.progress import no_progress
from tryon.synthetic.archive import format_marker, write_archive, write_folder
from tryon.synthetic.ground_truth_io import decode_flow
from tryon.synthetic.item_files import encode_jpeg, render_in_garment
from tryon.synthetic.parsing_noise import ERROR_KINDS

pytestmark = pytest.mark.slow

EVERYTHING = SyntheticSettings(train_pairs=1, test_pairs=2, uv=True, flow=True, parsing_noise_fraction=0.7)
ROLES = ("person", "garment", "keypoints", "skeleton", "label_map", "dense_pose")


def pairs(root: Path, split: Split, category: Category) -> list[Pair]:
    return parse_pair_list((root / pair_list_path(split, category)).read_text(), "list")


def files(root: Path, role: str) -> list[Path]:
    items = {c: [p.person_id for s in (Split.TRAIN, Split.TEST_PAIRED) for p in pairs(root, s, c)] for c in Category}
    return [root / relative_path(role, category, item) for category in Category for item in items[category]]


def test_archive_holds_six_files_per_item_and_nothing_else(plain):
    with zipfile.ZipFile(plain.archive) as archive:
        names = set(archive.namelist())
    expected = {path.relative_to(plain.root).as_posix() for role in ROLES for path in files(plain.root, role)}
    expected |= {pair_list_path(s, c).as_posix() for s in Split for c in (None, *Category)}
    assert names == expected | {SYNTHETIC_MARKER}


def test_markers_list_seed_and_settings(plain, everything):
    for marker in (SYNTHETIC_MARKER, TRUTH_MARKER):
        assert (plain.root / marker).read_text() == (
            "A synthetic twin of Dress Code: drawn figures, no photograph of anybody.\n"
            "seed: 7\ntrain_pairs: 2\ntest_pairs: 3\nlevel: catalogue\nparser_errors: 0.0\n"
        )
        added = EVERYTHING.model_copy(update={"uv": False, "flow": "none"})
        assert (everything / marker).read_text() == format_marker(EVERYTHING, 7) == format_marker(added, 7)


def test_pair_lists_have_two_columns_in_a_category_and_three_in_the_root(plain):
    for split in Split:
        combined = []
        for category in Category:
            lines = (plain.root / pair_list_path(split, category)).read_text().splitlines()
            assert {len(line.split("\t")) for line in lines} == {2}
            combined += [f"{line}\t{category.list_code}" for line in lines]
        assert (plain.root / pair_list_path(split)).read_text().splitlines() == combined


def test_ids_have_six_unique_digits_and_match_within_a_pair(plain):
    ids = []
    for category in Category:
        for split in (Split.TRAIN, Split.TEST_PAIRED):
            for pair in pairs(plain.root, split, category):
                assert pair.person_id == pair.garment_id
                ids.append(pair.person_id)
    assert len(set(ids)) == len(ids) == 3 * (2 + 3)
    assert all(len(item) == 6 and item.isdigit() for item in ids)


def test_unpaired_list_assigns_every_test_garment_to_another_person(plain):
    for category in Category:
        unpaired, paired = (pairs(plain.root, s, category) for s in (Split.TEST_UNPAIRED, Split.TEST_PAIRED))
        people = [pair.person_id for pair in paired]
        assert [pair.person_id for pair in unpaired] == people
        assert sorted(pair.garment_id for pair in unpaired) == people
        assert all(pair.person_id != pair.garment_id for pair in unpaired)


@pytest.mark.parametrize("role", ["person", "garment", "skeleton"])
def test_photos_are_jpeg_of_quality_95_with_chroma_subsampling(plain, tmp_path, role):
    Image.new("RGB", (8, 8)).save(tmp_path / "reference.jpg", quality=95)
    reference = Image.open(tmp_path / "reference.jpg").quantization
    for path in files(plain.root, role):
        with Image.open(path) as photo:
            assert (photo.format, photo.mode, photo.size) == ("JPEG", "RGB", (768, 1024))
            assert JpegImagePlugin.get_sampling(photo) == 2  # 4:2:0
            assert photo.quantization == reference


def test_label_maps_are_palette_pngs_of_labels(plain):
    labels = set()
    for path in files(plain.root, "label_map"):
        with Image.open(path) as image:
            assert (image.format, image.mode, image.size) == ("PNG", "P", (768, 1024))
            labels |= set(np.unique(np.array(image)).tolist())
    assert labels <= set(range(18))
    assert {0, 2, 4, 6, 7, 9, 10, 11, 14, 15} <= labels


def test_dense_pose_maps_are_gray_pngs_of_ids(plain):
    for path in files(plain.root, "dense_pose"):
        with Image.open(path) as image:
            assert (image.format, image.mode, image.size) == ("PNG", "L", (768, 1024))
            ids = np.array(image)
        assert ids.max() <= 24
        assert 2 in ids


def test_keypoints_are_eighteen_rows_with_a_running_index(plain):
    for path in files(plain.root, "keypoints"):
        rows = json.loads(path.read_text())["keypoints"]
        assert [len(row) for row in rows] == [4] * 18
        visible = [row for row in rows if row[2] > 0]
        assert [row[3] for row in visible] == list(range(len(visible)))
        assert all(0 <= x < 384 and 0 <= y < 512 for x, y, _, _ in visible)
        assert all(row == [-1, -1, 0, -1] for row in rows if row[2] == 0)


def test_ground_truth_shows_every_unpaired_person_in_the_garment(plain):
    with zipfile.ZipFile(plain.truth) as archive:
        names = set(archive.namelist()) - {"attributes.csv", "people.csv", TRUTH_MARKER}
    expected = set()
    for category in Category:
        for pair in pairs(plain.root, Split.TEST_UNPAIRED, category):
            roles = ("truth", "truth_label_map")
            expected |= {relative_path(role, category, pair.pair_id).as_posix() for role in roles}
    assert names == expected
    first = pairs(plain.root, Split.TEST_UNPAIRED, Category.DRESSES)[0]
    people = [pair.person_id for pair in pairs(plain.root, Split.TEST_PAIRED, Category.DRESSES)]
    image = render_in_garment(
        7, Category.DRESSES, 2 + people.index(first.person_id), 2 + people.index(first.garment_id)
    )
    stored = plain.root / relative_path("truth", Category.DRESSES, first.pair_id)
    assert stored.read_bytes() == encode_jpeg(image.photo)
    with Image.open(plain.root / relative_path("truth_label_map", Category.DRESSES, first.pair_id)) as labels:
        assert labels.mode == "P"
        assert np.array_equal(np.array(labels), image.label_map)


def test_attributes_list_every_garment(plain):
    with (plain.root / "attributes.csv").open() as text:
        rows = list(csv.DictReader(text))
    assert tuple(rows[0]) == ATTRIBUTE_COLUMNS
    assert len({row["garment_id"] for row in rows}) == len(rows) == 15
    for row in rows:
        worn = {"upper_body": {"top"}, "lower_body": {"trousers", "skirt"}, "dresses": {"dress"}}[row["category"]]
        assert row["worn"] in worn
        assert row["pattern"]
        assert (row["sleeve"] == "") == (row["category"] == "lower_body")


def table(root: Path, name: str) -> list[dict[str, str]]:
    with (root / name).open() as text:
        return list(csv.DictReader(text))


def test_people_list_arm_pose_and_level(plain):
    rows = table(plain.root, "people.csv")
    assert tuple(rows[0]) == PEOPLE_COLUMNS
    assert [row["person_id"] for row in rows] == [row["garment_id"] for row in table(plain.root, "attributes.csv")]
    assert {row["arm_pose"] for row in rows} <= {"side", "bent", "crossed", "hidden"}
    assert {row["level"] for row in rows} == {"catalogue"}


def read_files(root: Path) -> dict[str, bytes]:
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def test_folder_holds_the_members_of_both_archives(plain, tmp_path, monkeypatch):
    monkeypatch.setenv("TRYON_WORKERS", "2")
    write_folder(tmp_path / "root", SyntheticSettings(train_pairs=2, test_pairs=3), 7, no_progress)
    assert read_files(tmp_path / "root") == read_files(plain.root)


def test_folder_and_zips_with_all_options_match_for_any_number_of_processes(everything, tmp_path, monkeypatch):
    monkeypatch.setenv("TRYON_WORKERS", "2")
    write_archive(tmp_path / "set.zip", EVERYTHING, 7, no_progress)
    zipped = {}
    for part in ("set.zip", "set.truth.zip"):
        with zipfile.ZipFile(tmp_path / part) as archive:
            zipped |= {name: archive.read(name) for name in archive.namelist()}
    assert zipped == read_files(everything)


def test_options_change_only_markers_and_noisy_label_maps(everything, tmp_path, monkeypatch):
    monkeypatch.setenv("TRYON_WORKERS", "1")
    write_folder(tmp_path / "plain", SyntheticSettings(train_pairs=1, test_pairs=2), 7, no_progress)
    base, full = read_files(tmp_path / "plain"), read_files(everything)
    added = {name for name in full if name not in base}
    assert {Path(name).parts[-2] if "/" in name else name for name in added} == {
        "flow",
        "dense",
        "truth_labels",
        "parser_errors.csv",
    }
    changed = {name for name in base if base[name] != full[name]}
    assert changed == {SYNTHETIC_MARKER, TRUTH_MARKER} | {
        name.replace("truth_labels/", "label_maps/")[:-4] + "_4.png" for name in added if "truth_l" in name
    }


def test_writes_flow_of_test_pairs_only(everything, tmp_path, monkeypatch):
    monkeypatch.setenv("TRYON_WORKERS", "1")
    write_folder(tmp_path / "flow", SyntheticSettings(train_pairs=1, test_pairs=2, flow="test"), 7, no_progress)
    actual = {name: data for name, data in read_files(tmp_path / "flow").items() if "/flow/" in name}
    expected = {
        relative_path("flow", category, pair.pair_id).as_posix()
        for category in Category
        for split in (Split.TEST_PAIRED, Split.TEST_UNPAIRED)
        for pair in pairs(everything, split, category)
    }
    assert actual == {name: data for name, data in read_files(everything).items() if name in expected}
    assert len(actual) == len(expected) == 12


def test_flow_covers_the_garment_of_every_row(everything):
    for category in Category:
        for split in Split:
            for pair in pairs(everything, split, category):
                flow, cover = decode_flow((everything / relative_path("flow", category, pair.pair_id)).read_bytes())
                assert flow.shape == (1024, 768, 2)
                unpaired = split is Split.TEST_UNPAIRED
                path = relative_path("truth_label_map", category, pair.pair_id)
                if not unpaired:
                    clean = relative_path("clean_label_map", category, pair.person_id)
                    noisy = relative_path("label_map", category, pair.person_id)
                    path = clean if (everything / clean).exists() else noisy
                labels = decode_label_map((everything / path).read_bytes())
                garment = {"upper_body": (4,), "lower_body": (5, 6), "dresses": (7,)}[category]
                worn = np.isin(labels, garment)
                belt = labels == 8  # may belong to either garment
                assert (((cover == 1) != worn) & ~belt).mean() < 0.002
                assert (flow[cover > 0] > 0).all(-1).mean() > 0.99
                assert (flow.reshape(-1, 2).max(0) < (768, 1024)).all()


def test_parsing_noise_is_listed_and_the_clean_label_map_kept(everything):
    rows = table(everything, "parser_errors.csv")
    assert tuple(rows[0]) == PARSING_NOISE_COLUMNS
    assert {row["kind"] for row in rows} <= set(ERROR_KINDS)
    listed = {(row["category"], row["person_id"]) for row in rows}
    clean_maps = {(path.parts[-3], path.stem) for path in everything.glob("*/truth_labels/*.png")}
    assert listed == clean_maps
    assert 1 <= len(clean_maps) < 9
    for category, person in clean_maps:
        clean, noisy = (
            decode_label_map((everything / relative_path(role, Category(category), person)).read_bytes())
            for role in ("clean_label_map", "label_map")
        )
        allowed = np.zeros(clean.shape, bool)
        for row in rows:
            if (row["category"], row["person_id"]) == (category, person):
                left, top, width, height = (int(row[name]) for name in PARSING_NOISE_COLUMNS[3:])
                allowed[top : top + height, left : left + width] = True
        assert (clean != noisy).any()
        assert not (clean != noisy)[~allowed].any()


def test_bytes_depend_on_the_seed_not_on_the_number_of_processes(tmp_path, monkeypatch):
    settings = SyntheticSettings(train_pairs=1, test_pairs=2)
    hashes = {}
    for name, workers, seed in (("serial", "1", 3), ("parallel", "2", 3), ("reseeded", "1", 4)):
        monkeypatch.setenv("TRYON_WORKERS", workers)
        write_archive(tmp_path / f"{name}.zip", settings, seed, no_progress)
        hashes[name] = [sha256_file(tmp_path / f"{name}{end}") for end in (".zip", ".truth.zip")]
    assert hashes["serial"] == hashes["parallel"]
    assert hashes["serial"][0] != hashes["reseeded"][0]


def test_more_training_pairs_keep_the_first_items(plain, tmp_path, monkeypatch):
    monkeypatch.setenv("TRYON_WORKERS", "1")
    write_archive(tmp_path / "small.zip", SyntheticSettings(train_pairs=1, test_pairs=2), 7, no_progress)
    name = relative_path("person", Category.UPPER_BODY, "000000").as_posix()
    with zipfile.ZipFile(tmp_path / "small.zip") as small, zipfile.ZipFile(plain.archive) as large:
        assert small.read(name) == large.read(name)


def test_members_are_stored_with_a_fixed_date(plain):
    for part in (plain.archive, plain.truth):
        with zipfile.ZipFile(part) as archive:
            assert {m.date_time for m in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
            assert {m.compress_type for m in archive.infolist()} == {zipfile.ZIP_STORED}


def test_interrupted_writing_leaves_no_files(tmp_path, monkeypatch):
    monkeypatch.setenv("TRYON_WORKERS", "1")

    def stop(done: int, total: int, what: str) -> None:
        if done == 2:
            raise KeyboardInterrupt

    for write in (write_archive, write_folder):
        with pytest.raises(KeyboardInterrupt):
            write(tmp_path / "set.zip", SyntheticSettings(train_pairs=1, test_pairs=2), 7, stop)
        assert list(tmp_path.iterdir()) == []
