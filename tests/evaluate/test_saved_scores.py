"""Tests of reading and comparing a saved evaluation."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tryon.errors import MissingInputError
from tryon.scoring.compare import compare, comparison_to_dict
from tryon.scoring.saved_scores import read_runs
from tryon.workspace import Workspace


def test_reads_evaluation_folder_and_rejects_damaged_ones(evaluated: Workspace, tmp_path: Path) -> None:
    runs = read_runs(evaluated.evaluation)
    content = comparison_to_dict(compare(runs, runs))
    assert content["verdict"] == "no difference"
    assert {row["setting"] for row in content["metrics"]} == {"paired", "unpaired"}
    assert json.loads(json.dumps(content, allow_nan=False)) == content
    copy = tmp_path / "copy"
    shutil.copytree(evaluated.evaluation, copy)
    (copy / "scores.parquet").unlink()
    with pytest.raises(MissingInputError, match=r"scores\.parquet.*`tryon evaluate`"):
        read_runs(copy)
    for damaged in ("{}", '{"fingerprints": {}}', '{"fingerprints": {"paired": {"rows": 3, "metrics": {}}}}'):
        (copy / "metrics.json").write_text(damaged)
        with pytest.raises(MissingInputError, match=r"metrics\.json"):
            read_runs(copy)
    with pytest.raises(MissingInputError, match="nowhere"):
        read_runs(tmp_path / "nowhere")
