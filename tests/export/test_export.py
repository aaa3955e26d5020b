"""An export goes on where it stopped, mends what is damaged, mixes nothing, and says what is wrong in one message."""

from __future__ import annotations

import errno
import json
import subprocess
from pathlib import Path

import pytest

from tests.export.conftest import PAIRS, ids, row_of, write_category, write_rows
from tryon.categories import Category, Split
from tryon.cli import main
from tryon.dresscode.layout import relative_path
from tryon.errors import DiskError, MissingInputError, ParameterError, TryOnError
from tryon.export import Format, shards
from tryon.export.export import export, parse_size
from tryon.export.request import ExportRequest
from tryon.export.rows import FULL, iter_rows, read_rows
from tryon.manifest import MANIFEST, read_table
from tryon.runtime.progress import no_progress
from tryon.runtime.stage_result import StageResult
from tryon.workspace import Workspace

Captured = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def in_one_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRYON_WORKERS", "1")


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


def run(
    workspace: Workspace,
    out: Path,
    format: Format = Format.VITON_HD,
    categories: list[Category] | None = None,
    settings: list[Split] | None = None,
) -> StageResult:
    return export(
        ExportRequest(format, None, out, workspace), categories or list(Category), settings or list(Split), no_progress
    )


def content(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def states(out: Path) -> set[str]:
    return {facts["state"] for facts in json.loads((out / "export.json").read_text())["categories"].values()}


@pytest.mark.parametrize("format", list(Format))
def test_worker_processes_change_no_byte(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, format: Format
) -> None:
    run(workspace, tmp_path / "one", format)
    monkeypatch.setenv("TRYON_WORKERS", "2")
    run(workspace, tmp_path / "two", format)
    assert content(tmp_path / "one") == content(tmp_path / "two")


@pytest.mark.parametrize("files", [0, 1, 20, 50])
def test_a_killed_export_goes_on_and_ends_with_the_same_bytes(
    workspace: Workspace, out: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, files: int
) -> None:
    run(workspace, tmp_path / "whole")
    put, left = shards._write_file, files

    def dies(path: Path, data: bytes) -> None:
        nonlocal left
        if left == 0:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.with_name(f".{path.name}.tmp").write_bytes(data[: len(data) // 2])
            raise KeyboardInterrupt
        left -= 1
        put(path, data)

    with monkeypatch.context() as during:
        during.setattr(shards, "_write_file", dies)
        with pytest.raises(KeyboardInterrupt):
            run(workspace, out)
    assert states(out) == {"unfinished"}
    assert not list(out.rglob("*pairs*.txt"))
    run(workspace, out)
    assert content(out) == content(tmp_path / "whole")
    assert states(out) == {"finished"}


def test_what_is_whole_is_not_written_again_and_what_is_damaged_is_mended(workspace: Workspace, out: Path) -> None:
    assert "was whole" not in run(workspace, out).summary
    before = content(out)
    times = {path: path.stat().st_mtime_ns for path in out.rglob("*.png")}
    assert "was whole, nothing written" in run(workspace, out).summary
    assert {path: path.stat().st_mtime_ns for path in out.rglob("*.png")} == times
    one, two = sorted(out.rglob("*_mask.png"))[::8][:2]
    one.write_bytes(one.read_bytes()[:-7])
    two.unlink()
    run(workspace, out)
    assert content(out) == before


def test_a_finished_export_is_verified_without_the_raw_files(workspace: Workspace, out: Path) -> None:
    run(workspace, out, Format.CATVTON)
    for file in workspace.raw.rglob("*.jpg"):
        file.unlink()
    assert "was whole" in run(workspace, out, Format.CATVTON).summary


def test_checksums_are_in_the_form_of_sha256sum(workspace: Workspace, out: Path) -> None:
    run(workspace, out)
    notes = sorted(str(path.relative_to(out)) for path in (out / "checksums").iterdir())
    done = subprocess.run(["sha256sum", "--check", "--quiet", *notes], cwd=out, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    listed = {line.split("  ")[1] for note in notes for line in (out / note).read_text().splitlines()}
    assert listed == {name for name in content(out) if name.endswith((".png", ".jpg"))}


def test_a_person_of_several_pairs_is_written_once(workspace: Workspace, out: Path) -> None:
    run(workspace, out, Format.CATVTON)
    for category in Category:
        lines = (out / "checksums" / f"{category}-00000.txt").read_text().splitlines()
        names = [line.split("  ")[1] for line in lines]
        assert len(names) == len(set(names)) == 6 * 3


def test_quarantined_rows_are_left_out_and_counted(workspace: Workspace, out: Path) -> None:
    summary = run(workspace, out, Format.MASKS)
    assert [row["quarantined"] for row in summary.table] == [1, 1, 1]
    assert not [name for name in content(out) if "999999" in name]
    assert "999999" not in (out / "dresses" / "train_pairs.txt").read_text()


def test_only_what_was_asked_for_is_written(workspace: Workspace, out: Path) -> None:
    run(workspace, out, Format.VITON_HD, [Category.DRESSES], [Split.TEST_PAIRED])
    names = content(out)
    assert {name.split("/")[0] for name in names} == {"dresses", "checksums", "export.json", "README.txt"}
    assert {name for name in names if name.endswith("pairs.txt")} == set()
    assert "dresses/test_pairs_paired.txt" in names
    assert len([name for name in names if "/image/" in name]) == 3


def test_another_category_joins_an_export(workspace: Workspace, out: Path, tmp_path: Path) -> None:
    for category in reversed(Category):
        run(workspace, out, Format.CATVTON, [category])
    run(workspace, tmp_path / "at once", Format.CATVTON)
    assert content(out) == content(tmp_path / "at once")


def test_an_export_of_another_manifest_or_of_other_settings_is_refused(workspace: Workspace, out: Path) -> None:
    run(workspace, out)
    before = content(out)
    with pytest.raises(ParameterError, match=r"other settings, pairs"):
        run(workspace, out, settings=[Split.TRAIN])
    with pytest.raises(ParameterError, match=r"another layout"):
        run(workspace, out, Format.MASKS)
    with pytest.raises(ParameterError, match=r"another size"):
        export(ExportRequest(Format.VITON_HD, (64, 48), out, workspace), list(Category), list(Split), no_progress)
    write_category(workspace, Category.DRESSES, recipe="r2")
    with pytest.raises(ParameterError, match=r"other manifest_sha256, recipe.*Name another folder"):
        run(workspace, out)
    assert content(out) == before


def test_another_version_of_the_code_does_not_go_on(
    workspace: Workspace, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(workspace, out)
    monkeypatch.setattr("tryon.export.export_record.code_version", lambda _: "another")
    with pytest.raises(ParameterError, match="another version of the code"):
        run(workspace, out)


def test_a_folder_with_other_things_in_it_is_refused(workspace: Workspace, out: Path) -> None:
    out.mkdir()
    run(workspace, out, Format.MASKS)  # empty is fine
    for number, (name, data) in enumerate({"holiday.jpg": "", "export.json": "{}", ".git": ""}.items()):
        other = out.parent / f"other{number}"
        other.mkdir()
        (other / name).write_text(data)
        with pytest.raises(ParameterError, match="--out"):
            run(workspace, other, Format.MASKS)
        assert [path.name for path in other.iterdir()] == [name]
    with pytest.raises(ParameterError, match="is a folder"):
        run(workspace, out / "README.txt")


def test_all_missing_raw_files_are_named_before_anything_is_written(workspace: Workspace, out: Path) -> None:
    roles = [("person", Category.DRESSES, 0), ("garment", Category.UPPER_BODY, 4), ("dense_pose", "lower_body", 2)]
    gone = [relative_path(role, Category(one), ids(Category(one))[number]) for role, one, number in roles]
    for path in gone:
        (workspace.raw / path).unlink()
    with pytest.raises(MissingInputError) as raised:
        run(workspace, out)
    assert all(path.as_posix() in str(raised.value) for path in gone)
    assert "3 of 54 raw files" in str(raised.value)
    assert "tryon download" in str(raised.value)
    assert not out.exists()


def test_a_raw_file_that_changed_is_named(workspace: Workspace, out: Path) -> None:
    path = workspace.raw / relative_path("person", Category.DRESSES, ids(Category.DRESSES)[1])
    path.write_bytes(path.read_bytes() + b" ")
    with pytest.raises(MissingInputError, match=path.name):
        run(workspace, out)
    assert states(out) == {"unfinished"}


def test_a_full_disk_is_one_message_and_leaves_no_part_of_a_file(
    workspace: Workspace, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write, room = Path.write_bytes, 9

    def full(path: Path, data: bytes) -> int:
        nonlocal room
        room -= path.suffix == ".tmp"
        if room < 0:
            write(path, data[:10])
            raise OSError(errno.ENOSPC, "No space left on device", str(path))
        return write(path, data)

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(DiskError, match=r"No space left.*run the same command again, which goes on where it stopped"):
        run(workspace, out)
    assert not list(out.rglob("*.tmp"))
    monkeypatch.undo()
    monkeypatch.setenv("TRYON_WORKERS", "1")
    run(workspace, out)
    assert states(out) == {"finished"}


def test_an_unwritable_place_is_one_message(workspace: Workspace, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DiskError, match=r"below: every folder of its path is a folder.*or name another --out"):
        run(workspace, tmp_path / "file" / "below")


@pytest.mark.parametrize("place", ["raw", "raw/new", "index", "manifests/x", "subset", "work/export", "evaluation"])
def test_no_export_goes_where_only_the_stages_write(workspace: Workspace, place: str) -> None:
    before = content(workspace.data)
    for out in (workspace.data / place, workspace.data / "new" / ".." / place):
        with pytest.raises(ParameterError, match=r"--out: is none of raw, index.*the stages own these"):
            run(workspace, out)
    assert content(workspace.data) == before
    run(workspace, workspace.data / "export", Format.MASKS)


def test_the_readme_says_where_masks_are_of_different_sizes(workspace: Workspace, out: Path) -> None:
    run(workspace, out, Format.MASKS)
    readme = out / "README.txt"
    assert "The masks were made at 128x96.\n" in readme.read_text()
    larger = [row_of(workspace, Category.DRESSES, *pair) | {"height": 256, "width": 192} for pair in PAIRS]
    write_rows(workspace, Category.DRESSES, larger)
    other = out.with_name("other")
    run(workspace, other, Format.MASKS, [Category.LOWER_BODY])
    run(workspace, other, Format.MASKS, [Category.DRESSES])
    told = "The masks were made at DIFFERENT SIZES: lower_body 128x96, dresses 256x192.\n"
    assert told in (other / "README.txt").read_text()


def test_a_manifest_with_nothing_to_export_is_named(workspace: Workspace, out: Path) -> None:
    rows = [row_of(workspace, Category.DRESSES, "train", 0, 0)]
    write_rows(workspace, Category.DRESSES, rows)
    with pytest.raises(TryOnError, match="manifest of dresses: has good rows of test_paired"):
        run(workspace, out, categories=[Category.DRESSES], settings=[Split.TEST_PAIRED])
    workspace.manifest(Category.DRESSES).unlink()
    with pytest.raises(MissingInputError, match="tryon agnostic dresses"):
        run(workspace, out)


def test_an_index_that_is_not_the_manifests_is_refused_where_it_is_read(workspace: Workspace, out: Path) -> None:
    index = workspace.index(Category.DRESSES)
    index.write_bytes(workspace.index(Category.UPPER_BODY).read_bytes())
    with pytest.raises(MissingInputError, match="was made from"):
        run(workspace, out)
    run(workspace, out, Format.CATVTON)  # it does not need the index


def test_viton_hd_refuses_people_whose_own_garment_has_another_id(workspace: Workspace, out: Path) -> None:
    rows = [row_of(workspace, Category.DRESSES, "train", 0, 1)]
    write_rows(workspace, Category.DRESSES, rows)
    with pytest.raises(TryOnError, match=r"000200_000201.*catvton"):
        run(workspace, out)
    assert not out.exists()
    run(workspace, out, Format.CATVTON)


def test_people_without_dense_pose_are_counted_not_drawn(workspace: Workspace, out: Path) -> None:
    rows = [row_of(workspace, Category.DRESSES, "train", number, number) for number in range(2)]
    rows[1] |= {"dense_pose": None, "dense_pose_bytes": None, "dense_pose_sha256": None}
    write_rows(workspace, Category.DRESSES, rows)
    summary = run(workspace, out, categories=[Category.DRESSES])
    assert "1 people have no DensePose map" in summary.summary
    assert [path.name for path in out.rglob("image-densepose/*")] == ["000200_00.jpg"]


def test_a_manifest_that_changes_meanwhile_is_noticed(
    workspace: Workspace, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def changed(*_: object) -> list[int]:
        write_category(workspace, Category.DRESSES, recipe="r2")
        return [0]

    monkeypatch.setattr("tryon.export.export.map_chunks", changed)
    with pytest.raises(MissingInputError, match="stays as it is while it is exported"):
        run(workspace, out)
    assert states(out) == {"unfinished"}


def test_a_run_of_rows_is_the_same_wherever_the_row_groups_lie(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tryon.manifest.table.ROW_GROUP", 4)
    write_category(workspace, Category.DRESSES)
    path = workspace.manifest(Category.DRESSES)
    every = read_table(path, MANIFEST).select(list(FULL)).to_pylist()
    assert len(every) == 10
    for start in range(10):
        for stop in range(start, 11):
            assert read_rows(Category.DRESSES, False, workspace, start, stop) == every[start:stop]
    assert [row["pair_id"] for row in iter_rows(Category.DRESSES, True, workspace)] == [r["pair_id"] for r in every]


@pytest.mark.parametrize("text", ["512", "512x", "x384", "512X384", "8x8", "5000x10", "512x384x3", "-512x384", ""])
def test_a_size_of_another_form_is_refused(text: str) -> None:
    with pytest.raises(ParameterError, match="--size"):
        parse_size(text)
    assert parse_size("512x384") == (512, 384)


def test_the_command_writes_an_export_and_prints_its_folder(workspace: Workspace, out: Path, capsys: Captured) -> None:
    place = ["--out", str(out), "--root", str(workspace.root)]
    narrow = ["--category", "dresses", "--split", "train", "--split", "test_paired", "--size", "64x48"]
    assert main(["export", "--format", "masks", *place, *narrow]) == 0
    said = capsys.readouterr()
    assert said.out == f"{out}\n"
    assert "12 files written" in said.err
    stamp = json.loads((out / "export.json").read_text())
    assert stamp["size"] == [64, 48]
    assert stamp["categories"]["dresses"]["settings"] == ["train", "test_paired"]


@pytest.mark.parametrize("wrong", [["--format", "openpose"], ["--category", "shoes"], ["--size", "big"]])
def test_the_command_refuses_what_it_does_not_know(
    workspace: Workspace, out: Path, capsys: Captured, wrong: list[str]
) -> None:
    arguments = ["export", "--format", "masks", "--out", str(out), "--root", str(workspace.root), *wrong]
    assert main(arguments) == 2
    said = capsys.readouterr().err
    assert wrong[0] in said
    assert "Traceback" not in said
    assert not out.exists()
