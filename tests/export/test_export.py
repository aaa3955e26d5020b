"""An export resumes, repairs damaged files, mixes no inputs, and reports errors in one message."""

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
from tryon.export.rows import WRITE_COLUMNS, iter_rows, read_rows
from tryon.manifest import MANIFEST, read_table
from tryon.runtime.progress import no_progress
from tryon.runtime.stage_result import StageResult
from tryon.workspace import Workspace

pytestmark = pytest.mark.slow

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
    splits: list[Split] | None = None,
) -> StageResult:
    return export(
        ExportRequest(format, None, out, workspace), categories or list(Category), splits or list(Split), no_progress
    )


def content(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def states(out: Path) -> set[str]:
    return {facts["state"] for facts in json.loads((out / "export.json").read_text())["categories"].values()}


@pytest.mark.parametrize("format", list(Format))
def test_number_of_workers_changes_no_byte(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, format: Format
) -> None:
    run(workspace, tmp_path / "one", format)
    monkeypatch.setenv("TRYON_WORKERS", "2")
    run(workspace, tmp_path / "two", format)
    assert content(tmp_path / "one") == content(tmp_path / "two")


@pytest.mark.parametrize("files", [0, 1, 20, 50])
def test_killed_export_resumes_to_identical_bytes(
    workspace: Workspace, out: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, files: int
) -> None:
    run(workspace, tmp_path / "complete")
    write_file, left = shards._write_file, files

    def dies(path: Path, data: bytes) -> None:
        nonlocal left
        if left == 0:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.with_name(f".{path.name}.tmp").write_bytes(data[: len(data) // 2])
            raise KeyboardInterrupt
        left -= 1
        write_file(path, data)

    with monkeypatch.context() as during:
        during.setattr(shards, "_write_file", dies)
        with pytest.raises(KeyboardInterrupt):
            run(workspace, out)
    assert states(out) == {"unfinished"}
    assert not list(out.rglob("*pairs*.txt"))
    run(workspace, out)
    assert content(out) == content(tmp_path / "complete")
    assert states(out) == {"finished"}


def test_complete_files_are_skipped_and_damaged_ones_repaired(workspace: Workspace, out: Path) -> None:
    assert "is complete" not in run(workspace, out).summary
    before = content(out)
    times = {path: path.stat().st_mtime_ns for path in out.rglob("*.png")}
    assert "is complete, nothing written" in run(workspace, out).summary
    assert {path: path.stat().st_mtime_ns for path in out.rglob("*.png")} == times
    truncated, removed = sorted(out.rglob("*_mask.png"))[::8][:2]
    truncated.write_bytes(truncated.read_bytes()[:-7])
    removed.unlink()
    run(workspace, out)
    assert content(out) == before


def test_finished_export_is_verified_without_raw_files(workspace: Workspace, out: Path) -> None:
    run(workspace, out, Format.CATVTON)
    for file in workspace.raw.rglob("*.jpg"):
        file.unlink()
    assert "is complete" in run(workspace, out, Format.CATVTON).summary


def test_checksums_are_in_the_format_of_sha256sum(workspace: Workspace, out: Path) -> None:
    run(workspace, out)
    files = sorted(str(path.relative_to(out)) for path in (out / "checksums").iterdir())
    done = subprocess.run(["sha256sum", "--check", "--quiet", *files], cwd=out, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    listed = {line.split("  ")[1] for file in files for line in (out / file).read_text().splitlines()}
    assert listed == {name for name in content(out) if name.endswith((".png", ".jpg"))}


def test_person_of_several_pairs_is_written_once(workspace: Workspace, out: Path) -> None:
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


def test_only_the_requested_category_and_split_are_written(workspace: Workspace, out: Path) -> None:
    run(workspace, out, Format.VITON_HD, [Category.DRESSES], [Split.TEST_PAIRED])
    names = content(out)
    assert {name.split("/")[0] for name in names} == {"dresses", "checksums", "export.json", "README.txt"}
    assert {name for name in names if name.endswith("pairs.txt")} == set()
    assert "dresses/test_pairs_paired.txt" in names
    assert len([name for name in names if "/image/" in name]) == 3


def test_categories_can_be_exported_one_by_one(workspace: Workspace, out: Path, tmp_path: Path) -> None:
    for category in reversed(Category):
        run(workspace, out, Format.CATVTON, [category])
    run(workspace, tmp_path / "at once", Format.CATVTON)
    assert content(out) == content(tmp_path / "at once")


def test_rejects_other_manifest_or_settings(workspace: Workspace, out: Path) -> None:
    run(workspace, out)
    before = content(out)
    with pytest.raises(ParameterError, match=r"other settings, pairs"):
        run(workspace, out, splits=[Split.TRAIN])
    with pytest.raises(ParameterError, match=r"another layout"):
        run(workspace, out, Format.MASKS)
    with pytest.raises(ParameterError, match=r"another size"):
        export(ExportRequest(Format.VITON_HD, (64, 48), out, workspace), list(Category), list(Split), no_progress)
    write_category(workspace, Category.DRESSES, config_hash="r2")
    with pytest.raises(ParameterError, match=r"other manifest_sha256, config_hash.*Choose another folder"):
        run(workspace, out)
    assert content(out) == before


def test_rejects_other_version_of_the_code(workspace: Workspace, out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run(workspace, out)
    monkeypatch.setattr("tryon.export.export_record.code_version", lambda _: "another")
    with pytest.raises(ParameterError, match="another version of the code"):
        run(workspace, out)


def test_rejects_folder_with_other_files(workspace: Workspace, out: Path) -> None:
    out.mkdir()
    run(workspace, out, Format.MASKS)  # an empty folder is accepted
    for number, (name, data) in enumerate({"holiday.jpg": "", "export.json": "{}", ".git": ""}.items()):
        folder = out.parent / f"folder{number}"
        folder.mkdir()
        (folder / name).write_text(data)
        with pytest.raises(ParameterError, match="--out"):
            run(workspace, folder, Format.MASKS)
        assert [path.name for path in folder.iterdir()] == [name]
    with pytest.raises(ParameterError, match="is not a folder"):
        run(workspace, out / "README.txt")


def test_missing_raw_files_are_named_before_writing(workspace: Workspace, out: Path) -> None:
    roles = [("person", Category.DRESSES, 0), ("garment", Category.UPPER_BODY, 4), ("dense_pose", "lower_body", 2)]
    gone = [relative_path(role, Category(name), ids(Category(name))[number]) for role, name, number in roles]
    for path in gone:
        (workspace.raw / path).unlink()
    with pytest.raises(MissingInputError) as raised:
        run(workspace, out)
    assert all(path.as_posix() in str(raised.value) for path in gone)
    assert "3 of 54 raw files" in str(raised.value)
    assert "tryon download" in str(raised.value)
    assert not out.exists()


def test_changed_raw_file_is_named(workspace: Workspace, out: Path) -> None:
    path = workspace.raw / relative_path("person", Category.DRESSES, ids(Category.DRESSES)[1])
    path.write_bytes(path.read_bytes() + b" ")
    with pytest.raises(MissingInputError, match=path.name):
        run(workspace, out)
    assert states(out) == {"unfinished"}


def test_full_disk_is_one_message_and_leaves_no_partial_file(
    workspace: Workspace, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write, remaining = Path.write_bytes, 9

    def full(path: Path, data: bytes) -> int:
        nonlocal remaining
        remaining -= path.suffix == ".tmp"
        if remaining < 0:
            write(path, data[:10])
            raise OSError(errno.ENOSPC, "No space left on device", str(path))
        return write(path, data)

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(DiskError, match=r"No space left.*run the same command again"):
        run(workspace, out)
    assert not list(out.rglob("*.tmp"))
    monkeypatch.undo()
    monkeypatch.setenv("TRYON_WORKERS", "1")
    run(workspace, out)
    assert states(out) == {"finished"}


def test_unwritable_folder_is_one_message(workspace: Workspace, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DiskError, match=r"below.*choose another --out"):
        run(workspace, tmp_path / "file" / "below")


@pytest.mark.parametrize("folder", ["raw", "raw/new", "index", "manifests/x", "subset", "work/export", "evaluation"])
def test_rejects_folders_of_the_stages(workspace: Workspace, folder: str) -> None:
    before = content(workspace.data)
    for out in (workspace.data / folder, workspace.data / "new" / ".." / folder):
        with pytest.raises(ParameterError, match=r"--out"):
            run(workspace, out)
    assert content(workspace.data) == before
    run(workspace, workspace.data / "export", Format.MASKS)


def test_readme_warns_of_masks_of_different_sizes(workspace: Workspace, out: Path) -> None:
    run(workspace, out, Format.MASKS)
    readme = out / "README.txt"
    assert "The masks were made at 128x96.\n" in readme.read_text()
    larger = [row_of(workspace, Category.DRESSES, *pair) | {"height": 256, "width": 192} for pair in PAIRS]
    write_rows(workspace, Category.DRESSES, larger)
    mixed = out.with_name("mixed")
    run(workspace, mixed, Format.MASKS, [Category.LOWER_BODY])
    run(workspace, mixed, Format.MASKS, [Category.DRESSES])
    warning = "The masks were made at DIFFERENT SIZES: lower_body 128x96, dresses 256x192.\n"
    assert warning in (mixed / "README.txt").read_text()


def test_manifest_without_usable_rows_is_named(workspace: Workspace, out: Path) -> None:
    rows = [row_of(workspace, Category.DRESSES, "train", 0, 0)]
    write_rows(workspace, Category.DRESSES, rows)
    with pytest.raises(TryOnError, match="manifest of dresses has no usable rows of test_paired"):
        run(workspace, out, categories=[Category.DRESSES], splits=[Split.TEST_PAIRED])
    workspace.manifest(Category.DRESSES).unlink()
    with pytest.raises(MissingInputError, match="tryon agnostic dresses"):
        run(workspace, out)


def test_rejects_other_index_if_it_is_read(workspace: Workspace, out: Path) -> None:
    index = workspace.index(Category.DRESSES)
    index.write_bytes(workspace.index(Category.UPPER_BODY).read_bytes())
    with pytest.raises(MissingInputError, match="is not made from"):
        run(workspace, out)
    run(workspace, out, Format.CATVTON)  # it does not need the index


def test_viton_hd_rejects_persons_whose_garment_has_another_id(workspace: Workspace, out: Path) -> None:
    rows = [row_of(workspace, Category.DRESSES, "train", 0, 1)]
    write_rows(workspace, Category.DRESSES, rows)
    with pytest.raises(TryOnError, match=r"000200_000201.*catvton"):
        run(workspace, out)
    assert not out.exists()
    run(workspace, out, Format.CATVTON)


def test_people_without_dense_pose_are_counted(workspace: Workspace, out: Path) -> None:
    rows = [row_of(workspace, Category.DRESSES, "train", number, number) for number in range(2)]
    rows[1] |= {"dense_pose": None, "dense_pose_bytes": None, "dense_pose_sha256": None}
    write_rows(workspace, Category.DRESSES, rows)
    summary = run(workspace, out, categories=[Category.DRESSES])
    assert "1 people have no DensePose map" in summary.summary
    assert [path.name for path in out.rglob("image-densepose/*")] == ["000200_00.jpg"]


def test_rejects_manifest_that_changes_during_the_export(
    workspace: Workspace, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def changed(*_: object) -> list[int]:
        write_category(workspace, Category.DRESSES, config_hash="r2")
        return [0]

    monkeypatch.setattr("tryon.export.export.map_chunks", changed)
    with pytest.raises(MissingInputError, match="changed during the export"):
        run(workspace, out)
    assert states(out) == {"unfinished"}


def test_read_rows_does_not_depend_on_row_groups(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tryon.manifest.table.ROW_GROUP", 4)
    write_category(workspace, Category.DRESSES)
    path = workspace.manifest(Category.DRESSES)
    every = read_table(path, MANIFEST).select(list(WRITE_COLUMNS)).to_pylist()
    assert len(every) == 10
    for start in range(10):
        for stop in range(start, 11):
            assert read_rows(Category.DRESSES, False, workspace, start, stop) == every[start:stop]
    assert [row["pair_id"] for row in iter_rows(Category.DRESSES, True, workspace)] == [r["pair_id"] for r in every]


@pytest.mark.parametrize("text", ["512", "512x", "x384", "512X384", "8x8", "5000x10", "512x384x3", "-512x384", ""])
def test_rejects_malformed_size(text: str) -> None:
    with pytest.raises(ParameterError, match="--size"):
        parse_size(text)
    assert parse_size("512x384") == (512, 384)


def test_command_writes_an_export_and_prints_its_folder(workspace: Workspace, out: Path, capsys: Captured) -> None:
    folders = ["--out", str(out), "--root", str(workspace.root)]
    selection = ["--category", "dresses", "--split", "train", "--split", "test_paired", "--size", "64x48"]
    assert main(["export", "--format", "masks", *folders, *selection]) == 0
    captured = capsys.readouterr()
    assert captured.out == f"{out}\n"
    assert "12 files written" in captured.err
    record = json.loads((out / "export.json").read_text())
    assert record["size"] == [64, 48]
    assert record["categories"]["dresses"]["settings"] == ["train", "test_paired"]


@pytest.mark.parametrize("wrong", [["--format", "openpose"], ["--category", "shoes"], ["--size", "big"]])
def test_command_rejects_invalid_options(workspace: Workspace, out: Path, capsys: Captured, wrong: list[str]) -> None:
    arguments = ["export", "--format", "masks", "--out", str(out), "--root", str(workspace.root), *wrong]
    assert main(arguments) == 2
    message = capsys.readouterr().err
    assert wrong[0] in message
    assert "Traceback" not in message
    assert not out.exists()
