from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tryon.categories import Category, Split
from tryon.config.download import DownloadSettings
from tryon.download.fingerprint import write_fingerprint
from tryon.download.stage import download
from tryon.dresscode.layout import relative_path
from tryon.errors import MissingInputError, SourceError
from tryon.manifest import FINDINGS, INDEX, read_table
from tryon.manifest.schemas import FILE_ROLES
from tryon.runtime.atomic_files import sha256_file
from tryon.runtime.progress import no_progress
from tryon.runtime.stage_result import StageResult
from tryon.workspace import Workspace

Run = Callable[..., StageResult]


def rows_of(workspace: Workspace, category: Category) -> list[dict]:
    return read_table(workspace.index(category), INDEX).to_pylist()


def findings_of(workspace: Workspace) -> list[dict]:
    return read_table(workspace.findings, FINDINGS).to_pylist()


def outputs(workspace: Workspace) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(workspace.findings.parent.iterdir())}


def test_index_has_one_row_per_line_in_list_order_with_sizes_and_hashes(
    run: Run, data_set: Path, workspace: Workspace
) -> None:
    summary = run(data_set)
    for category in Category:
        lines = [
            (split, *(word[:-6] for word in line.split()))
            for split, name in (
                ("train", "train_pairs.txt"),
                ("test_paired", "test_pairs_paired.txt"),
                ("test_unpaired", "test_pairs_unpaired.txt"),
            )
            for line in (data_set / category / name).read_text().splitlines()
        ]
        rows = rows_of(workspace, category)
        assert [(row["split"], row["person_id"], row["garment_id"]) for row in rows] == lines
        for row in rows:
            for role in FILE_ROLES:
                assert (
                    row[f"{role}_sha256"] == sha256_file(workspace.raw / row[role]) == sha256_file(data_set / row[role])
                )
                assert row[f"{role}_bytes"] == (data_set / row[role]).stat().st_size
            assert (row["height"], row["width"], row["status"], row["reason"]) == (1024, 768, "ok", None)
            assert row["licence"] == "dresscode-academic"
            assert (row["uv"], row["truth"]) == (None, None)
    assert findings_of(workspace) == []
    assert [line["train"] for line in summary.table] == [3, 3, 3]


def test_folder_and_zip_give_the_same_bytes_and_so_does_a_second_run(
    run: Run, data_set: Path, workspace: Workspace, zipped: Callable[..., Path]
) -> None:
    run(data_set)
    from_folder = outputs(workspace)
    run(zipped(data_set, top="any/top folder/"))
    assert outputs(workspace) == from_folder
    run(data_set)
    assert outputs(workspace) == from_folder


def test_number_of_workers_changes_no_byte(
    run: Run, data_set: Path, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(data_set)
    one_worker = outputs(workspace)
    monkeypatch.setattr("tryon.download.stage.SHARD", 25)
    monkeypatch.setenv("TRYON_WORKERS", "2")
    run(data_set)
    assert outputs(workspace) == one_worker


@pytest.mark.parametrize(
    ("role", "damage", "problem"),
    [
        ("person", lambda data: data[: len(data) // 2], "image is not a complete JPEG or PNG file"),
        ("garment", lambda data: b"", "image is not a complete JPEG or PNG file"),
        ("label_map", lambda data: data[:-12], "label map is not a complete PNG file"),
        ("dense_pose", lambda data: b"\x89PNG not really", "image is not a complete JPEG or PNG file"),
        ("keypoints", lambda data: data[:-1], "keypoints are not JSON with a list `keypoints`"),
        ("keypoints", lambda data: b'{"keypoints": [[1, 2, 3, 4]]}', "keypoints are not 18 finite points x, y, score"),
        ("skeleton", lambda data: data[:100], "image is not a complete JPEG or PNG file"),
        ("person", None, "file not found"),
        ("keypoints", None, "file not found"),
    ],
)
def test_invalid_file_quarantines_its_pairs_with_the_reason(
    run: Run,
    data_set: Path,
    workspace: Workspace,
    role: str,
    damage: Callable[[bytes], bytes] | None,
    problem: str,
) -> None:
    category = Category.LOWER_BODY
    relative = relative_path(role, category, "000103").as_posix()  # a test item: named by two or three rows
    path = data_set / relative
    if damage is None:
        path.unlink()
    else:
        path.write_bytes(damage(path.read_bytes()))
    run(data_set, max_invalid_fraction=0.5)
    rows = rows_of(workspace, category)
    bad = {(row["split"], row["pair_id"]) for row in rows if row["status"] == "quarantined"}
    unpaired = "000104_000103" if role == "garment" else "000103_000104"
    assert bad == {("test_paired", "000103_000103"), ("test_unpaired", unpaired)}
    assert {row["reason"] for row in rows if row["status"] != "ok"} == {f"{relative}: {problem}"}
    findings = findings_of(workspace)
    assert {(row["split"], row["pair_id"], row["file"], row["problem"]) for row in findings} == {
        (*pair, relative, problem) for pair in bad
    }
    assert len(findings) == 2
    assert all(row["status"] == "ok" for row in rows_of(workspace, Category.DRESSES))


def test_wrong_sizes_and_ids_are_findings(run: Run, data_set: Path, workspace: Workspace) -> None:
    import cv2
    import numpy as np
    from PIL import Image

    small = cv2.imencode(".jpg", np.zeros((512, 384, 3), np.uint8))[1].tobytes()
    (data_set / "upper_body/images/000000_0.jpg").write_bytes(small)
    wrong = np.zeros((1024, 768), np.uint8)
    wrong[0, 0] = 18
    Image.fromarray(wrong).convert("P").save(data_set / "upper_body/label_maps/000001_4.png")
    wrong[0, 0] = 25
    Image.fromarray(wrong).save(data_set / "upper_body/dense/000002_5.png")
    run(data_set, max_invalid_fraction=0.5)
    assert [(row["pair_id"], row["problem"], row["found"]) for row in findings_of(workspace)] == [
        ("000000_000000", "image size is not 1024x768", "512x384"),
        ("000001_000001", "label map has an id above 17", "18"),
        ("000002_000002", "dense pose has an id above 24", "25"),
    ]


def test_rejects_too_many_invalid_pairs_and_keeps_the_index(run: Run, data_set: Path, workspace: Workspace) -> None:
    run(data_set)
    before = outputs(workspace)
    (data_set / "dresses/keypoints/000200_2.json").unlink()
    with pytest.raises(
        SourceError, match=r"1 of 21.*dresses 000200_000200 \(dresses/keypoints/000200_2.json: file not found"
    ):
        run(data_set, max_invalid_fraction=0.04)
    assert outputs(workspace) == before
    rejected = workspace.work_dir("download") / "findings.parquet"
    with pytest.raises(SourceError, match=re.escape(str(rejected))):
        run(data_set, max_invalid_fraction=0.04)
    assert [(row["file"], row["problem"]) for row in read_table(rejected, FINDINGS).to_pylist()] == [
        ("dresses/keypoints/000200_2.json", "file not found")
    ]
    run(data_set, max_invalid_fraction=0.05)
    assert outputs(workspace) != before
    assert not rejected.exists()


def test_skeleton_images_are_optional(run: Run, data_set: Path, workspace: Workspace) -> None:
    for category in Category:
        shutil.rmtree(data_set / category / "skeletons")
    assert run(data_set).summary == "21 pairs, 0 of them quarantined; 0 findings."
    assert {row["skeleton"] for row in rows_of(workspace, Category.DRESSES)} == {None}


def test_second_listing_of_a_pair_is_quarantined(run: Run, data_set: Path, workspace: Workspace) -> None:
    path = data_set / "dresses/train_pairs.txt"
    path.write_text(path.read_text() + path.read_text().splitlines()[0] + "\n")
    run(data_set, max_invalid_fraction=0.1)
    rows = [row for row in rows_of(workspace, Category.DRESSES) if row["pair_id"] == "000200_000200"]
    assert [row["status"] for row in rows] == ["ok", "quarantined"]
    assert rows[1]["reason"] == "pair is listed twice"


def test_truth_and_attributes_next_to_a_source_are_indexed(
    run: Run, data_set: Path, truth: Path, workspace: Workspace
) -> None:
    run(data_set, licence="synthetic")
    for category in Category:
        for row in rows_of(workspace, category):
            unpaired = row["split"] == Split.TEST_UNPAIRED
            assert (row["truth"] is not None) is unpaired
            assert row["licence"] == "synthetic"
            assert row["worn"] == f"worn-{row['person_id']}"  # in the person image
            assert row["sleeve"] == f"sleeve-{row['garment_id']}"  # of the new garment
            assert (row["neckline"], row["pattern"]) == (None, "plain")
            if unpaired:
                assert row["truth_sha256"] == sha256_file(truth / row["truth"])
                assert row["truth_label_map_sha256"] == sha256_file(truth / row["truth_label_map"])


@pytest.mark.parametrize("licence", [None, "agreed in writing"])
def test_known_bad_label_map_is_quarantined_except_in_synthetic_data(
    run: Run, data_set: Path, workspace: Workspace, monkeypatch: pytest.MonkeyPatch, licence: str | None
) -> None:
    monkeypatch.setattr("tryon.download.index_rows.KNOWN_BAD_LABEL_MAPS", {Category.UPPER_BODY: ("000001",)})
    run(data_set, max_invalid_fraction=0.1, licence=licence)
    bad = [row for row in rows_of(workspace, Category.UPPER_BODY) if row["status"] != "ok"]
    assert [row["reason"] for row in bad] == [
        "upper_body/label_maps/000001_4.png: label map is wrong in the official release"
    ]
    (data_set / "synthetic.txt").write_text("drawn")
    run(data_set, licence=licence)
    assert all(row["status"] == "ok" for row in rows_of(workspace, Category.UPPER_BODY))


def test_rejects_source_without_current_fingerprint(data_set: Path, workspace: Workspace) -> None:
    settings = DownloadSettings.model_validate({"source": str(data_set)})
    with pytest.raises(MissingInputError, match=r"source.json.*tryon refresh-inputs"):
        download(settings, 7, workspace, no_progress)
    write_fingerprint(workspace, settings)
    (data_set / "dresses/images/000200_0.jpg").write_bytes(b"changed")
    with pytest.raises(MissingInputError, match="tryon refresh-inputs"):
        download(settings, 7, workspace, no_progress)
    assert not workspace.findings.exists()


def test_rejects_source_that_changes_during_the_run(
    run: Run, data_set: Path, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tryon.download import stage

    def late(raw: Path) -> dict:
        (data_set / "dresses/images/000299_0.jpg").write_bytes(b"still arriving")
        return {}

    monkeypatch.setattr(stage, "read_garment_attributes", late)
    with pytest.raises(MissingInputError, match="tryon refresh-inputs"):
        run(data_set)
    assert not workspace.findings.exists()


def test_relative_source_is_resolved_from_the_workspace(run: Run, data_set: Path, workspace: Workspace) -> None:
    workspace.root.mkdir(parents=True)
    shutil.move(data_set, workspace.root / "here")
    assert run("here").summary.startswith("21 pairs, 0 of them quarantined")


def test_uv_maps_are_unpacked_on_request_only(run: Run, data_set: Path, workspace: Workspace) -> None:
    import numpy as np

    good, bad = (data_set / f"dresses/dense/00020{number}_5_uv.npz" for number in (0, 1))
    np.savez(good, uv=np.zeros((2, 1024, 768), np.float32))
    np.savez(bad, uv=np.zeros((2, 8, 8), np.float32))
    run(data_set)
    assert not (workspace.raw / "dresses/dense/000200_5_uv.npz").exists()
    run(data_set, include_densepose_uv=True, max_invalid_fraction=0.1)
    rows = {row["pair_id"]: row for row in rows_of(workspace, Category.DRESSES) if row["split"] == "train"}
    assert rows["000200_000200"]["uv_sha256"] == sha256_file(good)
    assert rows["000201_000201"]["reason"].endswith("uv shape is not 2x1024x768")
    assert (rows["000202_000202"]["uv"], rows["000202_000202"]["status"]) == (None, "ok")
    run(data_set)
    assert not (workspace.raw / "dresses/dense/000200_5_uv.npz").exists()
