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
from tryon.synthetic.archive import stamp, write_archive, write_folder
from tryon.synthetic.ground_truth_io import decode_flow
from tryon.synthetic.item_files import encode_jpeg, render_in_garment
from tryon.synthetic.parsing_noise import ERROR_KINDS

EVERYTHING = SyntheticSettings(train_pairs=1, test_pairs=2, uv=True, flow=True, parsing_noise_fraction=0.7)
ROLES = ("person", "garment", "keypoints", "skeleton", "label_map", "dense_pose")


def pairs(root: Path, split: Split, category: Category) -> list[Pair]:
    return parse_pair_list((root / pair_list_path(split, category)).read_text(), "list")


def files(root: Path, role: str) -> list[Path]:
    items = {c: [p.person_id for s in (Split.TRAIN, Split.TEST_PAIRED) for p in pairs(root, s, c)] for c in Category}
    return [root / relative_path(role, category, item) for category in Category for item in items[category]]


def test_every_item_has_its_six_files_and_nothing_else_is_there(twin):
    with zipfile.ZipFile(twin.archive) as archive:
        names = set(archive.namelist())
    expected = {path.relative_to(twin.root).as_posix() for role in ROLES for path in files(twin.root, role)}
    expected |= {pair_list_path(s, c).as_posix() for s in Split for c in (None, *Category)}
    assert names == expected | {SYNTHETIC_MARKER}


def test_archive_and_truth_say_which_twin_they_are_of(twin, everything):
    for mark in (SYNTHETIC_MARKER, TRUTH_MARKER):
        assert (twin.root / mark).read_text() == (
            "A synthetic twin of Dress Code: drawn figures, no photograph of anybody.\n"
            "seed: 7\ntrain_pairs: 2\ntest_pairs: 3\nlevel: catalogue\nparser_errors: 0.0\n"
        )
        added = EVERYTHING.model_copy(update={"uv": False, "flow": "none"})
        assert (everything / mark).read_text() == stamp(EVERYTHING, 7) == stamp(added, 7)


def test_lists_have_two_columns_in_a_category_and_three_in_the_root(twin):
    for split in Split:
        together = []
        for category in Category:
            lines = (twin.root / pair_list_path(split, category)).read_text().splitlines()
            assert {len(line.split("\t")) for line in lines} == {2}
            together += [f"{line}\t{category.list_code}" for line in lines]
        assert (twin.root / pair_list_path(split)).read_text().splitlines() == together


def test_ids_are_six_digits_unique_and_equal_within_a_pair(twin):
    seen = []
    for category in Category:
        for split in (Split.TRAIN, Split.TEST_PAIRED):
            for pair in pairs(twin.root, split, category):
                assert pair.person_id == pair.garment_id
                seen.append(pair.person_id)
    assert len(set(seen)) == len(seen) == 3 * (2 + 3)
    assert all(len(item) == 6 and item.isdigit() for item in seen)


def test_unpaired_gives_every_test_garment_to_another_test_person(twin):
    for category in Category:
        unpaired, paired = (pairs(twin.root, s, category) for s in (Split.TEST_UNPAIRED, Split.TEST_PAIRED))
        people = [pair.person_id for pair in paired]
        assert [pair.person_id for pair in unpaired] == people
        assert sorted(pair.garment_id for pair in unpaired) == people
        assert all(pair.person_id != pair.garment_id for pair in unpaired)


@pytest.mark.parametrize("role", ["person", "garment", "skeleton"])
def test_photos_are_jpeg_of_quality_95_and_halved_color(twin, tmp_path, role):
    Image.new("RGB", (8, 8)).save(tmp_path / "reference.jpg", quality=95)
    reference = Image.open(tmp_path / "reference.jpg").quantization
    for path in files(twin.root, role):
        with Image.open(path) as photo:
            assert (photo.format, photo.mode, photo.size) == ("JPEG", "RGB", (768, 1024))
            assert JpegImagePlugin.get_sampling(photo) == 2  # 4:2:0
            assert photo.quantization == reference


def test_label_maps_are_palette_pngs_whose_indices_are_the_labels(twin):
    found = set()
    for path in files(twin.root, "label_map"):
        with Image.open(path) as image:
            assert (image.format, image.mode, image.size) == ("PNG", "P", (768, 1024))
            found |= set(np.unique(np.array(image)).tolist())
    assert found <= set(range(18))
    assert {0, 2, 4, 6, 7, 9, 10, 11, 14, 15} <= found


def test_dense_maps_are_gray_pngs_of_ids(twin):
    for path in files(twin.root, "dense_pose"):
        with Image.open(path) as image:
            assert (image.format, image.mode, image.size) == ("PNG", "L", (768, 1024))
            ids = np.array(image)
        assert ids.max() <= 24
        assert 2 in ids


def test_key_points_are_eighteen_rows_with_a_running_index(twin):
    for path in files(twin.root, "keypoints"):
        rows = json.loads(path.read_text())["keypoints"]
        assert [len(row) for row in rows] == [4] * 18
        found = [row for row in rows if row[2] > 0]
        assert [row[3] for row in found] == list(range(len(found)))
        assert all(0 <= x < 384 and 0 <= y < 512 for x, y, _, _ in found)
        assert all(row == [-1, -1, 0, -1] for row in rows if row[2] == 0)


def test_truth_covers_every_unpaired_row_and_is_that_person_in_that_garment(twin):
    with zipfile.ZipFile(twin.truth) as archive:
        names = set(archive.namelist()) - {"attributes.csv", "people.csv", TRUTH_MARKER}
    expected = set()
    for category in Category:
        for pair in pairs(twin.root, Split.TEST_UNPAIRED, category):
            roles = ("truth", "truth_label_map")
            expected |= {relative_path(role, category, pair.pair_id).as_posix() for role in roles}
    assert names == expected
    first = pairs(twin.root, Split.TEST_UNPAIRED, Category.DRESSES)[0]
    people = [pair.person_id for pair in pairs(twin.root, Split.TEST_PAIRED, Category.DRESSES)]
    image = render_in_garment(
        7, Category.DRESSES, 2 + people.index(first.person_id), 2 + people.index(first.garment_id)
    )
    stored = twin.root / relative_path("truth", Category.DRESSES, first.pair_id)
    assert stored.read_bytes() == encode_jpeg(image.photo)
    with Image.open(twin.root / relative_path("truth_label_map", Category.DRESSES, first.pair_id)) as labels:
        assert labels.mode == "P"
        assert np.array_equal(np.array(labels), image.label_map)


def test_attributes_tell_every_garment(twin):
    with (twin.root / "attributes.csv").open() as text:
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


def test_people_are_told_by_how_they_stand(twin):
    rows = table(twin.root, "people.csv")
    assert tuple(rows[0]) == PEOPLE_COLUMNS
    assert [row["person_id"] for row in rows] == [row["garment_id"] for row in table(twin.root, "attributes.csv")]
    assert {row["arm_pose"] for row in rows} <= {"side", "bent", "crossed", "hidden"}
    assert {row["level"] for row in rows} == {"catalogue"}


def content(root: Path) -> dict[str, bytes]:
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def test_a_folder_holds_the_members_of_archive_and_truth(twin, tmp_path, monkeypatch):
    monkeypatch.setenv("TRYON_WORKERS", "2")
    write_folder(tmp_path / "root", SyntheticSettings(train_pairs=2, test_pairs=3), 7, no_progress)
    assert content(tmp_path / "root") == content(twin.root)


def test_with_everything_on_folder_and_zips_hold_the_same_members_whatever_the_processes(
    everything, tmp_path, monkeypatch
):
    monkeypatch.setenv("TRYON_WORKERS", "2")
    write_archive(tmp_path / "twin.zip", EVERYTHING, 7, no_progress)
    zipped = {}
    for part in ("twin.zip", "twin.truth.zip"):
        with zipfile.ZipFile(tmp_path / part) as archive:
            zipped |= {name: archive.read(name) for name in archive.namelist()}
    assert zipped == content(everything)


def test_what_is_added_leaves_the_rest_as_it_is(everything, tmp_path, monkeypatch):
    monkeypatch.setenv("TRYON_WORKERS", "1")
    write_folder(tmp_path / "plain", SyntheticSettings(train_pairs=1, test_pairs=2), 7, no_progress)
    plain, rich = content(tmp_path / "plain"), content(everything)
    added = {name for name in rich if name not in plain}
    assert {Path(name).parts[-2] if "/" in name else name for name in added} == {
        "flow",
        "dense",
        "truth_labels",
        "parser_errors.csv",
    }
    changed = {name for name in plain if plain[name] != rich[name]}
    assert changed == {SYNTHETIC_MARKER, TRUTH_MARKER} | {
        name.replace("truth_labels/", "label_maps/")[:-4] + "_4.png" for name in added if "truth_l" in name
    }


def test_flow_can_be_had_of_test_pairs_alone(everything, tmp_path, monkeypatch):
    monkeypatch.setenv("TRYON_WORKERS", "1")
    write_folder(tmp_path / "tested", SyntheticSettings(train_pairs=1, test_pairs=2, flow="test"), 7, no_progress)
    found = {name: data for name, data in content(tmp_path / "tested").items() if "/flow/" in name}
    wanted = {
        relative_path("flow", category, pair.pair_id).as_posix()
        for category in Category
        for split in (Split.TEST_PAIRED, Split.TEST_UNPAIRED)
        for pair in pairs(everything, split, category)
    }
    assert found == {name: data for name, data in content(everything).items() if name in wanted}
    assert len(found) == len(wanted) == 12


def test_flow_covers_paired_and_unpaired_rows_where_the_garment_is(everything):
    for category in Category:
        for split in Split:
            for pair in pairs(everything, split, category):
                flow, cover = decode_flow((everything / relative_path("flow", category, pair.pair_id)).read_bytes())
                assert flow.shape == (1024, 768, 2)
                unpaired = split is Split.TEST_UNPAIRED
                path = relative_path("truth_label_map", category, pair.pair_id)
                if not unpaired:
                    clean = relative_path("clean_label_map", category, pair.person_id)
                    given = relative_path("label_map", category, pair.person_id)
                    path = clean if (everything / clean).exists() else given
                labels = decode_label_map((everything / path).read_bytes())
                garment = {"upper_body": (4,), "lower_body": (5, 6), "dresses": (7,)}[category]
                worn = np.isin(labels, garment)
                belt = labels == 8  # may be the garment's or the other half's
                assert (((cover == 1) != worn) & ~belt).mean() < 0.002
                assert (flow[cover > 0] > 0).all(-1).mean() > 0.99
                assert (flow.reshape(-1, 2).max(0) < (768, 1024)).all()


def test_parser_errors_are_listed_and_the_true_label_map_is_kept(everything):
    rows = table(everything, "parser_errors.csv")
    assert tuple(rows[0]) == PARSING_NOISE_COLUMNS
    assert {row["kind"] for row in rows} <= set(ERROR_KINDS)
    wrong = {(row["category"], row["person_id"]) for row in rows}
    kept = {(path.parts[-3], path.stem) for path in everything.glob("*/truth_labels/*.png")}
    assert wrong == kept
    assert 1 <= len(kept) < 9
    for category, person in kept:
        clean, given = (
            decode_label_map((everything / relative_path(role, Category(category), person)).read_bytes())
            for role in ("clean_label_map", "label_map")
        )
        allowed = np.zeros(clean.shape, bool)
        for row in rows:
            if (row["category"], row["person_id"]) == (category, person):
                left, top, width, height = (int(row[name]) for name in PARSING_NOISE_COLUMNS[3:])
                allowed[top : top + height, left : left + width] = True
        assert (clean != given).any()
        assert not (clean != given)[~allowed].any()


def test_the_bytes_depend_on_the_seed_and_not_on_the_number_of_processes(tmp_path, monkeypatch):
    settings = SyntheticSettings(train_pairs=1, test_pairs=2)
    hashes = {}
    for name, workers, seed in (("one", "1", 3), ("two", "2", 3), ("other", "1", 4)):
        monkeypatch.setenv("TRYON_WORKERS", workers)
        write_archive(tmp_path / f"{name}.zip", settings, seed, no_progress)
        hashes[name] = [sha256_file(tmp_path / f"{name}{end}") for end in (".zip", ".truth.zip")]
    assert hashes["one"] == hashes["two"]
    assert hashes["one"][0] != hashes["other"][0]


def test_more_training_pairs_leave_the_first_items_as_they_are(twin, tmp_path, monkeypatch):
    monkeypatch.setenv("TRYON_WORKERS", "1")
    write_archive(tmp_path / "small.zip", SyntheticSettings(train_pairs=1, test_pairs=2), 7, no_progress)
    name = relative_path("person", Category.UPPER_BODY, "000000").as_posix()
    with zipfile.ZipFile(tmp_path / "small.zip") as small, zipfile.ZipFile(twin.archive) as large:
        assert small.read(name) == large.read(name)


def test_members_are_stored_with_a_fixed_date(twin):
    for part in (twin.archive, twin.truth):
        with zipfile.ZipFile(part) as archive:
            assert {m.date_time for m in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
            assert {m.compress_type for m in archive.infolist()} == {zipfile.ZIP_STORED}


def test_an_interrupted_archive_leaves_nothing(tmp_path, monkeypatch):
    monkeypatch.setenv("TRYON_WORKERS", "1")

    def stop(done: int, total: int, what: str) -> None:
        if done == 2:
            raise KeyboardInterrupt

    for write in (write_archive, write_folder):
        with pytest.raises(KeyboardInterrupt):
            write(tmp_path / "twin.zip", SyntheticSettings(train_pairs=1, test_pairs=2), 7, stop)
        assert list(tmp_path.iterdir()) == []
