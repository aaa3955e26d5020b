"""Source and ground truth must be of the same synthetic data set."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tryon.config.download import SyntheticSettings
from tryon.errors import SourceError
from tryon.runtime.stage_result import StageResult
from tryon.synthetic.archive import format_marker
from tryon.workspace import Workspace

SETTINGS = SyntheticSettings(train_pairs=3, test_pairs=2)
OLD = format_marker(SETTINGS, 7).splitlines(keepends=True)[0]
"""Marker of data sets made before the ground truth had one."""


def write_markers(data_set: Path, truth: Path, source_text: str | None, truth_text: str | None) -> None:
    for path, text in ((data_set / "synthetic.txt", source_text), (truth / "synthetic.truth.txt", truth_text)):
        if text is not None:
            path.write_text(text)


@pytest.mark.parametrize(
    ("source_text", "truth_text"),
    [(format_marker(SETTINGS, 7), format_marker(SETTINGS, 7)), (OLD, None), (None, None)],
    ids=["new", "old", "photos"],
)
def test_accepts_matching_truth(
    run: Callable[..., StageResult], data_set: Path, truth: Path, source_text: str | None, truth_text: str | None
) -> None:
    write_markers(data_set, truth, source_text, truth_text)
    assert run(data_set).summary == "21 pairs, 0 of them quarantined; 0 findings."


@pytest.mark.parametrize(
    ("source_text", "truth_text", "message"),
    [
        (format_marker(SETTINGS, 7), format_marker(SETTINGS, 8), r"found 'seed: 8', expected seed: 7"),
        (format_marker(SETTINGS, 7), None, r"found 'no matching lines in synthetic\.truth\.txt', expected seed: 7"),
        (OLD, format_marker(SETTINGS, 8), r"seed: 8.*expected no matching lines in synthetic\.txt"),
        (None, format_marker(SETTINGS, 8), r"seed: 8.*expected no matching lines in synthetic\.txt"),
    ],
)
def test_rejects_truth_of_another_data_set_before_unpacking(
    run: Callable[..., StageResult],
    workspace: Workspace,
    data_set: Path,
    truth: Path,
    source_text: str | None,
    truth_text: str | None,
    message: str,
) -> None:
    write_markers(data_set, truth, source_text, truth_text)
    with pytest.raises(SourceError, match=rf"DressCode\.truth.*{message}"):
        run(data_set)
    assert not workspace.raw.exists()


def test_accepts_marked_data_set_without_truth(run: Callable[..., StageResult], data_set: Path) -> None:
    (data_set / "synthetic.txt").write_text(format_marker(SETTINGS, 7))
    assert run(data_set).summary.endswith("0 findings. The synthetic data set has no ground truth.")
