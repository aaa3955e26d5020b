"""Tests of mask perturbations and the robustness measurement."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from tryon.evaluate.mask_robustness import (
    DILATED,
    ERODED,
    JITTERED,
    UNCHANGED,
    MaskPerturbation,
    MaskRobustness,
    mask_robustness,
    perturb_mask,
    perturbations,
    robustness_to_dict,
)
from tryon.evaluate.predict import read_rows
from tryon.runtime.progress import no_progress
from tryon.workspace import Workspace

pytestmark = pytest.mark.slow

MakeRows = Callable[[str, bool], list[dict[str, Any]]]
WriteList = Callable[[Workspace, str, list[dict[str, Any]]], None]

SQUARE = np.zeros((60, 50), np.bool_)
SQUARE[20:40, 10:30] = True


class IdentityNetwork(nn.Module):
    """Network that returns the agnostic image."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(1))

    def forward(self, _reference: Tensor, _garment: Tensor, agnostic: Tensor) -> Tensor:
        return agnostic


def _width(mask: np.ndarray) -> int:
    return int(mask.any(axis=0).sum())


@pytest.mark.parametrize("pixels", [1, 2, 3])
def test_dilates_and_erodes_by_given_pixels_on_every_width(pixels: int) -> None:
    dilated, eroded = (perturb_mask(SQUARE, MaskPerturbation(kind, pixels), 0) for kind in (DILATED, ERODED))
    assert _width(dilated) == 20 + 2 * pixels
    assert _width(eroded) == 20 - 2 * pixels
    assert not (eroded & ~SQUARE).any()
    assert not (SQUARE & ~dilated).any()


@pytest.mark.parametrize("seed", range(5))
def test_jittered_outline_stays_between_eroded_and_dilated(seed: int) -> None:
    jittered = perturb_mask(SQUARE, MaskPerturbation(JITTERED, 3), seed)
    dilated, eroded = (perturb_mask(SQUARE, MaskPerturbation(kind, 3), 0) for kind in (DILATED, ERODED))
    assert not (jittered & ~dilated).any()
    assert not (eroded & ~jittered).any()
    assert (jittered != SQUARE).any()
    assert (jittered == perturb_mask(SQUARE, MaskPerturbation(JITTERED, 3), seed)).all()
    assert (jittered != perturb_mask(SQUARE, MaskPerturbation(JITTERED, 3), seed + 100)).any()


def test_empty_and_full_masks_are_unchanged() -> None:
    for mask in (np.zeros((40, 30), np.bool_), np.ones((40, 30), np.bool_)):
        for kind in (DILATED, ERODED, JITTERED):
            assert (perturb_mask(mask, MaskPerturbation(kind, 2), 0) == mask).all()


def test_perturbation_scales_with_image_height() -> None:
    assert [each.pixels for each in perturbations(128)] == [0, *(1, 2, 3) * 3]
    assert [each.pixels for each in perturbations(512)] == [0, *(4, 8, 12) * 3]
    assert min(each.pixels for each in perturbations(32)[1:]) == 1
    assert len(set(perturbations(512))) == 10


def test_measures_error_under_every_perturbation(workspace: Workspace) -> None:
    # The mask has a margin of 3 pixels, so that only larger erosions reveal the garment.
    progress: list[tuple[int, int]] = []
    rows = read_rows(workspace, "paired")
    robustness = mask_robustness(
        IdentityNetwork(), rows, "paired", 6, 2, lambda done, total, _: progress.append((done, total))
    )
    assert isinstance(robustness, MaskRobustness)
    assert progress[-1] == (6, 6)  # two of each category
    points = {point.perturbation.kind: point for point in robustness.points}
    assert {point.error.rows for point in robustness.points} == {6}
    assert points[UNCHANGED].difference.mean == 0
    assert points[DILATED].difference.mean == 0
    content = robustness_to_dict(robustness)
    assert content["setting"] == "paired"
    assert content[UNCHANGED]["0"]["mean"] == pytest.approx(points[UNCHANGED].error.mean, abs=1e-6)
    assert set(content[DILATED]["1"]) == {
        "mean",
        "low",
        "high",
        "rows",
        "difference_mean",
        "difference_low",
        "difference_high",
    }


def test_eroded_tight_mask_lowers_error_of_identity_network(
    workspace: Workspace, make_rows: MakeRows, write_list: WriteList
) -> None:
    rows = make_rows("test_paired", False)
    for row in rows:
        row["mask"] = row["garment_mask"]  # without margin
    write_list(workspace, "test_paired", rows)
    robustness = mask_robustness(IdentityNetwork(), read_rows(workspace, "paired"), "paired", 9, 4, no_progress)
    assert robustness is not None
    differences = {point.perturbation.kind: point.difference for point in robustness.points}
    assert differences[ERODED].high is not None
    assert differences[ERODED].high < 0
    assert differences[DILATED].mean == 0


def test_returns_none_without_ground_truth(workspace: Workspace, make_rows: MakeRows, write_list: WriteList) -> None:
    write_list(workspace, "test_unpaired", make_rows("test_unpaired", False))
    assert mask_robustness(IdentityNetwork(), read_rows(workspace, "unpaired"), "unpaired", 9, 4, no_progress) is None
    assert robustness_to_dict(None) == {}


def test_stage_measures_robustness_in_summary_setting(evaluated: Workspace) -> None:
    content = json.loads((evaluated.evaluation / "metrics.json").read_text())["mask_robustness"]
    assert content["setting"] == "unpaired"
    assert set(content) == {"setting", UNCHANGED, ERODED, DILATED, JITTERED}
    assert content[UNCHANGED]["0"]["rows"] == 9
