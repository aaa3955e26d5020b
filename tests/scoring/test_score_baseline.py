"""Tests of comparing results with a baseline, and of the options of `tryon score`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tryon.categories import Category
from tryon.cli import main
from tryon.config.evaluate import EvaluateSettings
from tryon.errors import MissingInputError, TryOnError
from tryon.metrics import METRICS
from tryon.runtime.code_version import import_closure
from tryon.runtime.progress import no_progress
from tryon.scoring.compare import Comparison, compare
from tryon.scoring.console_tables import print_comparison, score_rows
from tryon.scoring.fingerprint import CODE, differences
from tryon.scoring.saved_scores import read_runs, runs_from_content
from tryon.scoring.score_folder import ScoreRequest, score_folder
from tryon.workspace import Workspace

pytestmark = pytest.mark.slow

Fill = Callable[..., Path]
SETTINGS = EvaluateSettings(accelerator="cpu", batch_size=4)  # pyright: ignore[reportCallIssue]


def score(
    workspace: Workspace, folder: Path, *protocols: str, categories: tuple = tuple(Category), **more: Any
) -> dict:
    request = ScoreRequest(folder, protocols or ("fitting-room",), "workspace", "paired", categories, **more)
    return score_folder(request, SETTINGS, workspace, no_progress)


def compare_contents(current: dict, baseline: dict) -> Comparison:
    return compare(runs_from_content(current), runs_from_content(baseline))


def test_same_folder_twice_has_no_difference(workspace: Workspace, fill: Fill, weights: Path) -> None:
    folder = fill()
    first, second = (score(workspace, folder, "fitting-room", "catvton") for _ in range(2))
    assert first == second
    comparison = compare_contents(first, second)
    assert not comparison.skipped
    assert {row.difference for row in comparison.metrics if row.current is not None} == {0}
    assert {row.group for row in comparison.metrics} == {*map(str, Category), "all"}


def test_jpeg_and_png_have_different_fingerprints(workspace: Workspace, fill: Fill) -> None:
    png, jpeg = score(workspace, fill("png")), score(workspace, fill("jpeg", suffix=".jpg", quality=95))
    comparison = compare_contents(jpeg, png)
    assert not comparison.metrics
    assert comparison.skipped == ["fitting-room paired: format: JPEG 95 and PNG"]
    with pytest.raises(TryOnError, match="format: JPEG 95 and PNG"):
        print_comparison(comparison)


def test_protocols_differ_and_are_never_compared(workspace: Workspace, fill: Fill, weights: Path) -> None:
    folder = fill()
    current, baseline = score(workspace, folder, "fitting-room"), score(workspace, folder, "catvton")
    scores = [
        content["protocols"][name]["scores"]["all"]
        for content, name in ((current, "fitting-room"), (baseline, "catvton"))
    ]
    assert scores[0]["ssim"] != scores[1]["ssim"]
    comparison = compare_contents(current, baseline)
    assert not comparison.metrics
    assert comparison.skipped == [
        "fitting-room paired: not in the baseline",
        "catvton paired: only in the baseline",
    ]
    fingerprints = [
        content["protocols"][name]["fingerprint"]
        for content, name in ((current, "fitting-room"), (baseline, "catvton"))
    ]
    texts = {str(difference) for difference in differences(*fingerprints)}
    assert "protocol: fitting-room and catvton" in texts
    assert "metrics.kid.scale: 1 and 1000" in texts


def test_compares_common_categories(workspace: Workspace, fill: Fill) -> None:
    folder = fill()
    comparison = compare_contents(score(workspace, folder), score(workspace, folder, categories=(Category.DRESSES,)))
    assert {row.group for row in comparison.metrics} == {"dresses"}
    assert comparison.skipped == [
        "fitting-room paired: upper_body: not in the baseline",
        "fitting-room paired: lower_body: not in the baseline",
    ]


def test_subset_has_different_pair_list(workspace: Workspace, fill: Fill, tmp_path: Path) -> None:
    folder, pairs_file = fill(), tmp_path / "list.txt"
    pairs_file.write_text("200000_200000\n200001_200001\n")
    full = score(workspace, folder, categories=(Category.DRESSES,))
    subset = score(workspace, folder, categories=(Category.DRESSES,), pairs_file=pairs_file)
    assert subset["protocols"]["fitting-room"]["scores"]["dresses"]["n"] == 2
    comparison = compare_contents(subset, full)
    assert not comparison.metrics
    assert "rows.dresses.n: 2 and 3" in comparison.skipped[0]
    assert "rows.dresses.list: " in comparison.skipped[0]


def test_detects_changed_ground_truth_of_same_pairs(workspace: Workspace, fill: Fill) -> None:
    folder = fill()
    first = score(workspace, folder)
    changed = json.loads(json.dumps(first))
    changed["protocols"]["fitting-room"]["fingerprint"]["rows"]["dresses"]["reference"] = "0" * 16
    comparison = compare_contents(first, changed)
    assert {row.group for row in comparison.metrics} == {"upper_body", "lower_body"}
    assert "rows.dresses.reference" in comparison.skipped[0]


def test_skips_only_metrics_with_different_weights(
    workspace: Workspace, fill: Fill, weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = fill()
    with_weights = score(workspace, folder)
    monkeypatch.setenv("TRYON_WEIGHTS", str(weights / "absent"))
    comparison = compare_contents(with_weights, score(workspace, folder))
    keys = {row.key for row in comparison.metrics}
    assert {name for name in keys if name in METRICS} == {"ssim", "ms_ssim", "psnr", "l1"}
    assert not any("lpips" in name for name in keys)
    assert any(reason.startswith("fitting-room paired lpips: weights: ") for reason in comparison.skipped)


def test_compares_metrics_json_of_a_stage(workspace: Workspace, fill: Fill) -> None:
    current = score(workspace, fill())
    block = current["protocols"]["fitting-room"]
    metrics = {group: {"model": scores} for group, scores in block["scores"].items()}
    baseline = {"metrics": {"paired": metrics}, "fingerprints": {"paired": block["fingerprint"]}}
    comparison = compare_contents(current, baseline)
    assert not comparison.skipped
    assert comparison.metrics


@pytest.mark.parametrize(
    "text",
    [
        "{}",
        "[1]",
        "no json",
        '{"protocols": {}}',
        '{"protocols": {"x": {}}}',
        '{"protocols": {"x": {"fingerprint": {}, "scores": {}}}, "setting": "paired"}',
        '{"protocols": {"x": {"fingerprint": {"rows": [], "metrics": {}}, "scores": {}}}, "setting": "paired"}',
    ],
)
def test_rejects_other_files(tmp_path: Path, text: str) -> None:
    path = tmp_path / "other.json"
    path.write_text(text)
    with pytest.raises(MissingInputError, match=path.name):
        read_runs(path)


def test_fingerprint_covers_scoring_code() -> None:
    names = {path.name for module in CODE for path in import_closure(module)}
    assert {
        "fid.py",
        "inception.py",
        "preprocessing.py",
        "ladi.py",
        "zero_padded.py",
        "regions.py",
        "pairwise.py",
    } <= names
    assert not {"score_folder.py", "cli.py", "image_folder.py"} & names


def test_command_writes_prints_and_compares(
    workspace: Workspace, fill: Fill, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, out = fill(), tmp_path / "out.json"
    base = ["score", str(folder), "--root", str(workspace.root)]
    assert main([*base, "--protocol", "all", "--out", str(out)]) == 0
    printed = capsys.readouterr().out
    for text in (
        "fitting-room",
        "ladi",
        "catvton",
        "daflow",
        "upper_body",
        "MS-SSIM",
        "`tryon download-weights`",
        "KID x 1000",
        "fingerprint",
    ):
        assert text in printed
    assert list(json.loads(out.read_text())["protocols"]) == ["fitting-room", "ladi", "catvton", "daflow"]
    assert main([*base, "--baseline", str(out)]) == 0
    assert "difference" in capsys.readouterr().out
    jpeg = fill("jpeg", suffix=".jpg")
    assert main(["score", str(jpeg), "--root", str(workspace.root), "--baseline", str(out)]) == 2
    assert "format: JPEG 75 and PNG" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            ["--protocol", "viton"],
            "unknown value of --protocol: found 'viton', expected one of fitting-room, ladi",
        ),
        (["--dataset", "twin:v0"], "unknown value of --dataset: found 'twin:v0'"),
        (["--setting", "both"], "unknown value of --setting: found 'both'"),
        (["--pairs-file", "absent.txt"], "--pairs-file absent.txt cannot be read"),
        (["--baseline", "absent.json"], "absent.json cannot be read"),
        (["--out", "."], "--out is a folder"),
        (["--out", "data/subset/x.json"], "--out"),
    ],
)
def test_invalid_options_give_one_message(
    workspace: Workspace,
    fill: Fill,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    options: list[str],
    message: str,
) -> None:
    monkeypatch.chdir(workspace.root)
    assert main(["score", str(fill()), "--root", str(workspace.root), *options]) == 2
    assert message in capsys.readouterr().err


def test_rejects_invalid_pairs_files(
    workspace: Workspace, fill: Fill, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = fill()
    (tmp_path / "list.txt").write_text("200000_200000\nunknown\n")
    options = ["--pairs-file", str(tmp_path / "list.txt"), "--root", str(workspace.root)]
    assert main(["score", str(folder), *options]) == 2
    assert "unknown" in capsys.readouterr().err
    (tmp_path / "list.txt").write_text("")
    assert main(["score", str(folder), *options]) == 2
    assert "list.txt is empty" in capsys.readouterr().err
    (tmp_path / "list.txt").write_text("\ufeff200000_200000\n", encoding="utf-8")
    assert main(["score", str(folder), *options]) == 0
    (tmp_path / "list.txt").write_text("200000_200000\n100000_100000\n")
    assert main(["score", str(folder), *options, "--category", "dresses"]) == 2
    assert "categories that --category excludes: found '100000_100000'" in " ".join(capsys.readouterr().err.split())


def test_checks_folder_before_rendering_synthetic_images(
    workspace: Workspace, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tryon.scoring.references.render_pairs", None)
    base = ["--dataset", "twin:v1", "--root", str(workspace.root)]
    assert main(["score", "nowhere", *base]) == 2
    assert "nowhere" in capsys.readouterr().err
    assert main(["score", str(workspace.root), *base, "--category", "dresses"]) == 2
    assert "700 missing" in capsys.readouterr().err


def test_rejects_unavailable_required_metrics(workspace: Workspace, fill: Fill) -> None:
    settings = EvaluateSettings(accelerator="cpu", required_metrics=("lpips",))  # pyright: ignore[reportCallIssue]
    request = ScoreRequest(fill(), ("fitting-room",), "workspace", "paired", tuple(Category))
    with pytest.raises(TryOnError, match=r"lpips: weights .* not found; `tryon download-weights`"):
        score_folder(request, settings, workspace, no_progress)
    for name, message in (("lpipss", "unknown metric"), ("lpips_vgg", "not part of the requested protocols")):
        settings = EvaluateSettings(accelerator="cpu", required_metrics=(name,))  # pyright: ignore[reportCallIssue]
        with pytest.raises(TryOnError, match=message):
            score_folder(request, settings, workspace, no_progress)


def test_checks_required_metrics_before_scoring(
    workspace: Workspace, fill: Fill, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tryon.scoring.score_folder._score_protocol", None)
    settings = EvaluateSettings(accelerator="cpu", required_metrics=("lpips",))  # pyright: ignore[reportCallIssue]
    request = ScoreRequest(fill(), ("fitting-room",), "workspace", "paired", tuple(Category))
    with pytest.raises(TryOnError, match=r"lpips: weights"):
        score_folder(request, settings, workspace, no_progress)


def test_different_garment_masks_restrict_comparison_to_whole_images(workspace: Workspace, fill: Fill) -> None:
    first = score(workspace, fill())
    changed = json.loads(json.dumps(first))
    changed["protocols"]["fitting-room"]["fingerprint"]["rows"]["dresses"]["regions"] = "0" * 16
    comparison = compare_contents(first, changed)
    assert len(comparison.skipped) == 1
    assert "positions of garment and neckline in the ground truth of dresses" in comparison.skipped[0]
    inside = {row.group for row in comparison.metrics if row.key == "l1_garment"}
    assert inside == {"upper_body", "lower_body"}
    assert {row.group for row in comparison.metrics if row.key == "l1"} == {*map(str, Category), "all"}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("scores", "all", "ssim"), "much"),
        (("scores", "all", "ssim"), float("nan")),
        (("scores", "all"), None),
        (("fingerprint", "rows", "dresses"), 3),
        (("fingerprint", "metrics", "ssim"), [1]),
        (("fingerprint", "rows"), "dresses"),
    ],
)
def test_rejects_damaged_result_files(
    workspace: Workspace, fill: Fill, tmp_path: Path, path: tuple[str, ...], value: object
) -> None:
    content = score(workspace, fill())
    block = content["protocols"]["fitting-room"]
    for key in path[:-1]:
        block = block[key]
    block[path[-1]] = value
    (tmp_path / "damaged.json").write_text(json.dumps(content))
    with pytest.raises(MissingInputError, match=r"damaged\.json"):
        read_runs(tmp_path / "damaged.json")


def test_narrow_terminals_omit_columns(workspace: Workspace, fill: Fill) -> None:
    content = score(workspace, fill())
    assert "MS-SSIM" in score_rows(content, 120)[0]
    assert list(score_rows(content, 80)[0]) == ["protocol", "category", "N", "SSIM", "PSNR", "LPIPS", "FID", "KID"]
