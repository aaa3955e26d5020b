"""Ablation variants: every one is a valid change of the settings."""

from __future__ import annotations

import pytest
from ruamel.yaml import YAML

from benchmarks.ablation import VARIANTS, override
from tryon.config.training import FinetuneSettings
from tryon.runtime.code_version import ROOT

FINETUNE = YAML(typ="safe").load((ROOT / "params" / "default.yaml").read_text())["finetune"]


@pytest.mark.parametrize("variant", [name for name in VARIANTS if name not in ("default", "scratch")])
def test_variant_changes_only_its_settings(variant: str) -> None:
    before = FinetuneSettings.model_validate(FINETUNE).model_dump(mode="json")
    after = override(before, VARIANTS[variant])
    assert FinetuneSettings.model_validate(after).model_dump(mode="json") == after != before
    assert changed_settings(before, after) == VARIANTS[variant]


def changed_settings(before: dict, after: dict) -> dict:
    return {
        key: changed_settings(before[key], value) if isinstance(value, dict) else value
        for key, value in after.items()
        if value != before[key]
    }
