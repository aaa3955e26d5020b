"""Tests of the evaluate stage on a small project with an untrained network."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
import torchvision

from tryon.categories import Category
from tryon.config.evaluate import EvaluateSettings
from tryon.errors import MissingInputError, ParameterError, TryOnError, WeightsError
from tryon.evaluate.stage import evaluate
from tryon.evaluate.summary import summary_table
from tryon.loading.packed_dataset import PackedDataset
from tryon.metrics import METRICS
from tryon.pretrained_weights import WEIGHTS, WeightFile
from tryon.runtime.progress import no_progress
from tryon.runtime.stage_result import StageResult
from tryon.scoring.protocols.fitting_room import EVALUATION
from tryon.scoring.row_scores import RowScores
from tryon.training.checkpoint import load_checkpoint, save_checkpoint
from tryon.workspace import Workspace

pytestmark = pytest.mark.slow

SETTINGS = EvaluateSettings(accelerator="cpu", batch_size=2, num_gallery_samples=2)
KEYS = EVALUATION.keys()
ROWS = 3
"""Test rows of each category and setting in the project."""

MakeRows = Callable[[str, bool], list[dict[str, Any]]]
WriteList = Callable[[Workspace, str, list[dict[str, Any]]], None]


def _content(workspace: Workspace) -> dict[str, Any]:
    return json.loads((workspace.evaluation / "metrics.json").read_text())


def _files(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_every_setting_category_and_method_has_every_key(evaluated: Workspace) -> None:
    metrics = _content(evaluated)["metrics"]
    assert list(metrics) == ["paired", "unpaired"]
    for categories in metrics.values():
        assert list(categories) == [*Category, "all"]
        for methods in categories.values():
            assert list(methods) == ["model", "masked_input", "mean_color_fill", "oracle_warp"]
            assert all(list(scores) == list(KEYS) for scores in methods.values())


def test_missing_scores_have_reasons(evaluated: Workspace) -> None:
    content = _content(evaluated)
    methods = [methods for categories in content["metrics"].values() for methods in categories.values()]
    scores = [scores for each in methods for scores in each.values()]
    missing = {key for each in scores for key, value in each.items() if value is None}
    explained = {entry["metric"] for entry in content["unavailable"]}
    assert all(key in explained or KEYS[key][0].name in explained for key in missing)
    reasons = {entry["metric"]: entry["reason"] for entry in content["unavailable"] if entry["where"] == "everywhere"}
    assert set(reasons) == set(METRICS) - {"ssim", "psnr", "l1"}
    assert reasons.pop("ms_ssim") == "images are smaller than 176 pixels"
    assert all("tryon download-weights" in reason for reason in reasons.values())
    assert content["warnings"] == []


def test_row_scores_are_saved_and_average_to_the_table(evaluated: Workspace) -> None:
    scores, metrics = RowScores.read(evaluated.evaluation / "scores.parquet"), _content(evaluated)["metrics"]
    for setting in ("paired", "unpaired"):
        for method in ("model", "masked_input", "mean_color_fill", "oracle_warp"):
            matrix = scores.matrix(setting, method)
            assert len(matrix) == len(set(scores.pair_ids(setting, method))) == 3 * ROWS
            for key, column in zip(scores.keys, matrix.T, strict=True):
                mean = metrics[setting]["all"][method][key]
                values = column[~np.isnan(column)]
                assert mean == (pytest.approx(values.mean(), abs=1e-6) if len(values) else None)


def test_garment_and_outside_errors_add_up_to_whole_image(evaluated: Workspace) -> None:
    rows = PackedDataset.read(evaluated.subset("test_paired")).select_category(Category.DRESSES)
    fraction = rows.sample(0).garment_mask.mean()  # the same for every row
    scores = _content(evaluated)["metrics"]["paired"]["dresses"]["masked_input"]
    assert fraction * scores["l1_garment"] + (1 - fraction) * scores["l1_outside"] == pytest.approx(
        scores["l1"], abs=1e-6
    )


def test_masked_input_score_matches_hand_computed_value(evaluated: Workspace) -> None:
    rows = PackedDataset.read(evaluated.subset("test_paired")).select_category(Category.DRESSES)
    samples = [rows.sample(index) for index in range(len(rows))]
    expected = np.mean([sample.person[sample.garment_mask].mean() / 255 for sample in samples])
    content = _content(evaluated)
    scores = content["metrics"]["paired"]["dresses"]["masked_input"]
    assert scores["l1_garment"] == pytest.approx(expected, abs=1e-6)  # the garment is masked completely: it is black
    assert content["rows"]["paired"] == {str(category): ROWS for category in Category}


def test_oracle_warp_bounds_baselines_and_is_exact_outside_garment(evaluated: Workspace) -> None:
    content = _content(evaluated)
    for setting, categories in content["metrics"].items():
        for category, methods in categories.items():
            oracle = methods["oracle_warp"]
            assert (
                0
                < oracle["l1_garment"]
                <= min(methods[baseline]["l1_garment"] for baseline in ("masked_input", "mean_color_fill"))
            )
            assert oracle["l1_outside"] == 0
            assert content["summary"][setting][category]["oracle_warp"] == oracle["l1_garment"]
    assert "oracle_warp" not in {entry["metric"] for entry in content["unavailable"]}
    assert "The oracle warp is the upper bound" in (evaluated.evaluation / "report.html").read_text()


def test_oracle_warp_is_null_with_one_reason_if_a_row_lacks_flow(
    workspace: Workspace, make_rows: MakeRows, write_list: WriteList
) -> None:
    rows = make_rows("test_paired", False)
    write_list(workspace, "test_paired", [rows[0] | {"oracle_warp": None}, *rows[1:]])
    write_list(workspace, "test_unpaired", [row | {"oracle_warp": None} for row in make_rows("test_unpaired", True)])
    result = evaluate(SETTINGS, 7, workspace, no_progress)
    content = _content(workspace)
    for categories in content["metrics"].values():
        for methods in categories.values():
            assert list(methods["oracle_warp"]) == list(KEYS)
            assert set(methods["oracle_warp"].values()) == {None}
            assert methods["model"]["l1_garment"] is not None
    (entry,) = [entry for entry in content["unavailable"] if entry["metric"] == "oracle_warp"]
    assert (entry["where"], "download.synthetic.flow" in entry["reason"]) == ("everywhere", True)
    assert "oracle_warp" not in result.summary
    page = (workspace.evaluation / "report.html").read_text()
    assert 'scope="col">Oracle warp' not in page
    for text in (page, (workspace.evaluation / "model_card.md").read_text()):
        assert entry["reason"] in " ".join(text.split())


def test_unpaired_rows_are_compared_with_their_ground_truth(evaluated: Workspace) -> None:
    # Ground truth differs from the person only inside the mask, so that the masked input is exact outside it.
    columns = ("pair_id", "category", "truth", "truth_garment_mask", "mask", "height", "width")
    rows = PackedDataset.read(evaluated.subset("test_unpaired"), columns).select_category(Category.UPPER_BODY)
    masks = np.stack([rows.mask("mask", i) for i in range(len(rows))])
    truth = np.stack([rows.image("truth", i) for i in range(len(rows))])
    expected = np.mean([(image * mask[..., None]).mean() / 255 for image, mask in zip(truth, masks, strict=True)])
    assert _content(evaluated)["metrics"]["unpaired"]["upper_body"]["masked_input"]["l1"] == pytest.approx(
        expected, abs=1e-6
    )


def test_pairwise_scores_are_null_without_unpaired_ground_truth(
    workspace: Workspace, make_rows: MakeRows, write_list: WriteList
) -> None:
    write_list(workspace, "test_unpaired", make_rows("test_unpaired", False))
    reports: list[tuple[int, int]] = []

    def progress(done: int, total: int, description: str) -> None:
        if description == "rows scored (fitting-room, unpaired)":
            reports.append((done, total))

    result = evaluate(SETTINGS, 7, workspace, progress)
    assert reports == sorted(reports)
    assert reports[-1] == (3 * ROWS, 3 * ROWS)
    content = _content(workspace)
    for methods in content["metrics"]["unpaired"].values():
        assert {value for scores in methods.values() for value in scores.values()} == {None}
    assert {row["setting"] for row in result.table} == {"paired"}
    assert set(content["summary"]) == {"paired"}
    reasons = {entry["reason"] for entry in content["unavailable"] if entry["metric"] == "l1"}
    assert reasons == {"these rows have no ground-truth image"}
    assert (workspace.evaluation / "report.html").is_file()


def test_category_without_rows_is_null_with_reason(
    workspace: Workspace, make_rows: MakeRows, write_list: WriteList
) -> None:
    write_list(
        workspace, "test_paired", [row for row in make_rows("test_paired", False) if row["category"] != "dresses"]
    )
    evaluate(SETTINGS, 7, workspace, no_progress)
    content = _content(workspace)
    assert content["metrics"]["paired"]["dresses"]["model"]["l1"] is None
    assert content["metrics"]["paired"]["all"]["model"]["l1"] is not None
    (entry,) = [entry for entry in content["unavailable"] if entry["metric"] == "l1"]
    assert (entry["where"], entry["reason"]) == ("paired dresses", "there are no test rows")


def test_outputs_are_byte_identical_and_independent_of_location(workspace: Workspace, evaluated: Workspace) -> None:
    workspace.evaluation.mkdir(parents=True)
    (workspace.evaluation / "stale").write_text("stale")
    evaluate(SETTINGS, 7, workspace, no_progress)
    assert _files(workspace.evaluation) == _files(evaluated.evaluation)


def test_batch_size_does_not_change_scores(workspace: Workspace, evaluated: Workspace) -> None:
    first = _content(evaluated)["metrics"]["paired"]["all"]["model"]
    evaluate(SETTINGS.model_copy(update={"batch_size": 3}), 7, workspace, no_progress)
    second = _content(workspace)["metrics"]["paired"]["all"]["model"]
    assert second == pytest.approx(first, abs=2e-4)  # a batch's convolutions may round a pixel to the next level


def test_galleries_contain_every_category_and_setting(evaluated: Workspace) -> None:
    strips = sorted((evaluated.evaluation / "galleries").rglob("*.jpg"))
    assert len(strips) == 2 * 3 * 2
    for path in strips:
        columns = 5 if path.parent.name.startswith("unpaired") else 4
        image = cv2.imread(str(path))
        assert image is not None
        assert image.shape == (64, columns * 48 + (columns - 1) * 4, 3)


def test_stage_result_matches_summary_table(finished: tuple[Workspace, StageResult]) -> None:
    workspace, result = finished
    assert list(result.table) == summary_table(_content(workspace))
    assert len(result.table) == 2 * 4
    assert result.summary.startswith("L1 inside the garment: paired 0.")
    assert set(result.images) == {f"{s}-{c.replace('_', '-')}" for s in ("paired", "unpaired") for c in Category}
    assert all(len(image) < 300_000 for image in result.images.values())


def test_uses_available_weights(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(2)
    workspace.weights.mkdir(parents=True)
    torch.save(torchvision.models.alexnet(weights=None).state_dict(), workspace.weights / WEIGHTS["alexnet"].file)
    monkeypatch.setitem(
        WEIGHTS, "alexnet", WeightFile("alexnet", WEIGHTS["alexnet"].file, "a test")
    )  # without a published hash
    evaluate(SETTINGS.model_copy(update={"required_metrics": ("lpips",)}), 7, workspace, no_progress)
    scores = _content(workspace)["metrics"]["unpaired"]["dresses"]
    assert 0 < scores["mean_color_fill"]["lpips"] < scores["masked_input"]["lpips"]


def test_rejects_damaged_weights(workspace: Workspace) -> None:
    workspace.weights.mkdir(parents=True)
    path = workspace.weights / WEIGHTS["alexnet"].file
    path.write_bytes(b"damaged")
    with pytest.raises(WeightsError, match="SHA-256") as caught:
        evaluate(SETTINGS, 7, workspace, no_progress)
    assert path.name in caught.value.problem


def test_unavailable_required_metric_fails_and_preserves_old_output(workspace: Workspace) -> None:
    workspace.evaluation.mkdir(parents=True)
    (workspace.evaluation / "metrics.json").write_text("stale")
    settings = SETTINGS.model_copy(update={"required_metrics": ("ssim", "lpips", "fid")})
    with pytest.raises(TryOnError, match=r"lpips: weights .*; fid: weights .*`tryon download-weights`"):
        evaluate(settings, 7, workspace, no_progress)
    assert _files(workspace.evaluation) == {"metrics.json": b"stale"}


def test_rejects_unknown_required_metric(workspace: Workspace) -> None:
    with pytest.raises(ParameterError, match=r"evaluate\.required_metrics.*'speed'.*ssim"):
        evaluate(SETTINGS.model_copy(update={"required_metrics": ("speed",)}), 7, workspace, no_progress)


def test_missing_checkpoint_names_the_command(workspace: Workspace) -> None:
    (workspace.checkpoints / "best.ckpt").unlink()
    with pytest.raises(WeightsError, match=r"best\.ckpt.*`tryon finetune`"):
        evaluate(SETTINGS, 7, workspace, no_progress)
    assert not workspace.evaluation.exists()


def test_missing_and_empty_subsets_name_the_command(workspace: Workspace, write_list: WriteList) -> None:
    for part in ("test_paired", "test_unpaired"):
        write_list(workspace, part, [])
    with pytest.raises(MissingInputError, match=r"has no test rows.*`tryon sample`"):
        evaluate(SETTINGS, 7, workspace, no_progress)
    workspace.subset("test_unpaired").unlink()
    with pytest.raises(MissingInputError, match=r"test_unpaired\.arrow.*`tryon sample`"):
        evaluate(SETTINGS, 7, workspace, no_progress)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU here")
def test_rejects_absent_gpu(workspace: Workspace) -> None:
    with pytest.raises(ParameterError, match=r"evaluate\.accelerator"):
        evaluate(SETTINGS.model_copy(update={"accelerator": "cuda"}), 7, workspace, no_progress)


def test_respects_requested_number_of_threads(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    default = torch.get_num_threads()
    monkeypatch.setenv("TRYON_THREADS", str(default + 1))
    (workspace.checkpoints / "best.ckpt").unlink()  # stops the stage early
    try:
        with pytest.raises(WeightsError):
            evaluate(SETTINGS, 7, workspace, no_progress)
        assert torch.get_num_threads() == default + 1
    finally:
        torch.set_num_threads(default)


def test_rejects_non_finite_network_output(workspace: Workspace) -> None:
    path = workspace.checkpoints / "best.ckpt"
    checkpoint = load_checkpoint(path)
    checkpoint.model["dafnet.lights_decoder.2.bias"][:] = float("nan")
    save_checkpoint(path, checkpoint)
    with pytest.raises(TryOnError, match="000000_000000, 000001_000001"):
        evaluate(SETTINGS, 7, workspace, no_progress)
    assert not workspace.evaluation.exists()
