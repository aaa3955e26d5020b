"""Reading the folder that the evaluate stage wrote, and comparing it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tryon.errors import MissingInputError
from tryon.scoring.compare import compare, comparison_to_dict
from tryon.scoring.result_files import read_runs
from tryon.workspace import Workspace


def test_reads_evaluation_folder_and_rejects_damaged_ones(evaluated: Workspace, tmp_path: Path) -> None:
    runs = read_runs(evaluated.evaluation)
    content = comparison_to_dict(compare(runs, runs))
    assert content["verdict"] == "no difference"
    assert {line["setting"] for line in content["metrics"]} == {"paired", "unpaired"}
    assert json.loads(json.dumps(content, allow_nan=False)) == content
    other = tmp_path / "other"
    shutil.copytree(evaluated.evaluation, other)
    (other / "scores.parquet").unlink()
    with pytest.raises(MissingInputError, match=r"scores\.parquet.*`tryon evaluate`"):
        read_runs(other)
    for damaged in ("{}", '{"fingerprints": {}}', '{"fingerprints": {"paired": {"rows": 3, "metrics": {}}}}'):
        (other / "metrics.json").write_text(damaged)
        with pytest.raises(MissingInputError, match=r"metrics\.json is not a result file"):
            read_runs(other)
    with pytest.raises(MissingInputError, match=r"nowhere cannot be read"):
        read_runs(tmp_path / "nowhere")
