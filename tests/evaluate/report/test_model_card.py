"""Tests of the model card and the data cards."""

from __future__ import annotations

import json
import re

import pytest

from tryon.categories import Category
from tryon.download.index_rows import OFFICIAL_LICENCE, SYNTHETIC_LICENCE
from tryon.evaluate.report.data_cards import DRESS_CODE, SYNTHETIC, cards_for_licences
from tryon.runtime.atomic_files import sha256_file
from tryon.workspace import Workspace

pytestmark = pytest.mark.slow


def test_selects_cards_by_licence() -> None:
    assert cards_for_licences([SYNTHETIC_LICENCE, OFFICIAL_LICENCE, SYNTHETIC_LICENCE]) == [SYNTHETIC, DRESS_CODE]
    assert cards_for_licences(["something else", None]) == []


def test_model_card_matches_metrics(evaluated: Workspace) -> None:
    card = (evaluated.evaluation / "model_card.md").read_text()
    assert (evaluated.checkpoints / "model_card.md").read_text() == card
    content = json.loads((evaluated.evaluation / "metrics.json").read_text())
    for setting in ("paired", "unpaired"):
        for category in (*map(str, Category), "all"):
            scores = content["slices"][setting]["category"][category]
            interval = " to ".join(f"{scores[end]:.4f}" for end in ("low", "high")) if scores["low"] else "–"
            name = category.replace("_", " ").capitalize()
            oracle = content["summary"][setting][category]["oracle_warp"]
            assert (
                f"| {setting} | {name} | {scores['rows']} | {oracle:.4f} | {scores['mean']:.4f} | {interval} |" in card
            )
    assert sha256_file(evaluated.checkpoints / "best.ckpt") in card
    assert "No slice of ten rows or more" in card
    assert "Mask errors: eroded by 1 px " in card
    assert "Synthetic Dress Code" in card
    assert str(evaluated.root) not in card


def test_model_card_tables_are_well_formed(evaluated: Workspace) -> None:
    lines = (evaluated.evaluation / "model_card.md").read_text().splitlines()
    tables = [line for line in lines if line.startswith("|")]
    assert all(line.endswith("|") for line in tables)
    summary = [line for line in tables if re.match(r"\| (un)?paired ", line)]
    assert {line.count("|") for line in summary} == {9}
