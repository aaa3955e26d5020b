"""The stage's fingerprints are those of `tryon score` on the same images, and so are its numbers."""

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
from tryon.scoring.result_files import read_runs, runs_from_content
from tryon.scoring.score_folder import ScoreRequest, score_folder
from tryon.workspace import Workspace

SETTINGS = EvaluateSettings(accelerator="cpu", batch_size=2)  # pyright: ignore[reportCallIssue]


@pytest.mark.parametrize("setting", ["paired", "unpaired"])
def test_stage_and_score_command_agree_on_same_images(
    evaluated: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, setting: str
) -> None:
    """The baseline that needs no network, saved as PNG and scored, has the stage's own numbers of it."""
    monkeypatch.delenv("TRYON_WEIGHTS", raising=False)
    rows = PackedDataset.read(evaluated.subset(f"test_{setting}"), (*TRAINING_COLUMNS,))
    for number in range(len(rows)):
        example = rows.sample(number)
        image = masked_input(example.person[None], example.mask[None])[0]
        cv2.imwrite(str(tmp_path / f"{example.pair_id}.png"), np.ascontiguousarray(image[..., ::-1]))
    order = ScoreRequest(tmp_path, ("fitting-room",), "workspace", setting, tuple(Category))
    current = runs_from_content(score_folder(order, SETTINGS, evaluated, no_progress))
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
        line.key.startswith(("ssim", "ms_ssim", "psnr", "l1", "lpips", "fid", "kid")) for line in comparison.metrics
    )
    assert not comparison.skipped
    differences = [line.difference for line in comparison.metrics if line.current is not None]
    assert {line.key for line in comparison.metrics} >= {"l1", "l1_garment", "psnr_outside", "ssim_neckline"}
    assert len(differences) >= 4 * 3 * 3
    assert differences == pytest.approx([0] * len(differences), abs=1e-6)


def predicted(region: np.ndarray) -> PredictedBatch:
    """Two paired rows; the garment of the second is in `region`, bool (8, 6)."""
    images = np.random.default_rng(3).integers(0, 255, (2, 8, 6, 3), np.uint8)
    garment = np.stack([np.eye(8, 6, dtype=np.bool_), region])
    regions = {IMAGE: None, GARMENT: garment, OUTSIDE: ~garment, NECKLINE: np.zeros_like(garment)}
    truth = GroundTruth(np.ones(2, np.bool_), images, regions)
    return PredictedBatch(("a_a", "b_b"), Category.DRESSES, images, images, {"model": images}, truth)


def test_garment_masks_change_only_the_region_hash() -> None:
    facts = [
        reference_hashes("paired", predicted(region)).facts()
        for region in (np.eye(8, 6, k=1, dtype=np.bool_), np.eye(8, 6, k=2, dtype=np.bool_))
    ]
    assert facts[0].pop("regions") != facts[1].pop("regions")
    assert facts[0] == facts[1]
