"""The evaluate stage and `tryon score` give the same scores and fingerprints."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from tryon.categories import Category
from tryon.config.evaluate import EvaluateSettings
from tryon.evaluate.baselines import masked_input
from tryon.evaluate.predict import GroundTruth, PredictedBatch, reference_hashes
from tryon.loading.packed_dataset import TRAINING_COLUMNS, PackedDataset
from tryon.metrics.regions import GARMENT, IMAGE, NECKLINE, OUTSIDE
from tryon.runtime.progress import no_progress
from tryon.scoring.compare import compare
from tryon.scoring.saved_scores import read_runs, runs_from_content
from tryon.scoring.score_folder import ScoreRequest, score_folder
from tryon.workspace import Workspace

SETTINGS = EvaluateSettings(accelerator="cpu", batch_size=2)  # pyright: ignore[reportCallIssue]


@pytest.mark.parametrize("setting", ["paired", "unpaired"])
def test_stage_and_score_command_agree_on_same_images(
    evaluated: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, setting: str
) -> None:
    """Score the masked input as PNG files and compare with the stage's scores of that baserow."""
    monkeypatch.delenv("TRYON_WEIGHTS", raising=False)
    rows = PackedDataset.read(evaluated.subset(f"test_{setting}"), (*TRAINING_COLUMNS,))
    for number in range(len(rows)):
        sample = rows.sample(number)
        image = masked_input(sample.person[None], sample.mask[None])[0]
        cv2.imwrite(str(tmp_path / f"{sample.pair_id}.png"), np.ascontiguousarray(image[..., ::-1]))
    request = ScoreRequest(tmp_path, ("fitting-room",), "workspace", setting, tuple(Category))
    current = runs_from_content(score_folder(request, SETTINGS, evaluated, no_progress))
    metrics = evaluated.evaluation / "metrics.json"
    content = json.loads(metrics.read_text())["metrics"][setting]
    baseline = [
        replace(run, scores={group: methods["masked_input"] for group, methods in content.items()}, rows=None)
        for run in read_runs(metrics)
        if run.setting == setting
    ]
    comparison = compare(current, baseline)
    # the stage computes more metrics than the command
    assert all(
        row.key.startswith(("ssim", "ms_ssim", "psnr", "l1", "lpips", "fid", "kid")) for row in comparison.metrics
    )
    assert not comparison.skipped
    differences = [row.difference for row in comparison.metrics if row.current is not None]
    assert {row.key for row in comparison.metrics} >= {"l1", "l1_garment", "psnr_outside", "ssim_neckline"}
    assert len(differences) >= 4 * 3 * 3
    assert differences == pytest.approx([0] * len(differences), abs=1e-6)


def predicted_batch(region: np.ndarray) -> PredictedBatch:
    """Return two paired rows; `region`, bool (8, 6), is the garment of the second."""
    images = np.random.default_rng(3).integers(0, 255, (2, 8, 6, 3), np.uint8)
    garment = np.stack([np.eye(8, 6, dtype=np.bool_), region])
    regions = {IMAGE: None, GARMENT: garment, OUTSIDE: ~garment, NECKLINE: np.zeros_like(garment)}
    truth = GroundTruth(np.ones(2, np.bool_), images, regions)
    return PredictedBatch(("a_a", "b_b"), Category.DRESSES, images, images, {"model": images}, truth)


def test_garment_masks_change_only_the_region_hash() -> None:
    facts = [
        reference_hashes("paired", predicted_batch(region)).facts()
        for region in (np.eye(8, 6, k=1, dtype=np.bool_), np.eye(8, 6, k=2, dtype=np.bool_))
    ]
    assert facts[0].pop("regions") != facts[1].pop("regions")
    assert facts[0] == facts[1]
