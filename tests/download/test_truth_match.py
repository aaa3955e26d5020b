"""A source and the truth beside it are of one twin, or the run stops before anything is unpacked."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tryon.config.download import SyntheticSettings
from tryon.errors import SourceError
from tryon.runtime.stage_result import StageResult
from tryon.synthetic.archive import stamp
from tryon.workspace import Workspace

SETTINGS = SyntheticSettings(train_pairs=3, test_pairs=2)
OLD = stamp(SETTINGS, 7).splitlines(keepends=True)[0]
"""What a twin made before says, with nothing beside its truth."""


def marked(data_set: Path, truth: Path, own: str | None, other: str | None) -> None:
    for path, text in ((data_set / "synthetic.txt", own), (truth / "synthetic.truth.txt", other)):
        if text is not None:
            path.write_text(text)


@pytest.mark.parametrize(
    ("own", "other"),
    [(stamp(SETTINGS, 7), stamp(SETTINGS, 7)), (OLD, None), (None, None)],
    ids=["new", "old", "photos"],
)
def test_the_truth_of_the_same_twin_is_taken(
    run: Callable[..., StageResult], data_set: Path, truth: Path, own: str | None, other: str | None
) -> None:
    marked(data_set, truth, own, other)
    assert run(data_set).summary == "21 pairs, 0 of them quarantined; 0 findings."


@pytest.mark.parametrize(
    ("own", "other", "told"),
    [
        (stamp(SETTINGS, 7), stamp(SETTINGS, 8), r"which says seed: 7 \(found: 'says seed: 8'\)"),
        (stamp(SETTINGS, 7), None, r"which says seed: 7, .*'has no such lines in synthetic\.truth\.txt'"),
        (OLD, stamp(SETTINGS, 8), r"which has no such lines in synthetic\.txt .*seed: 8"),
        (None, stamp(SETTINGS, 8), r"which has no such lines in synthetic\.txt .*seed: 8"),
    ],
)
def test_the_truth_of_another_twin_is_refused_before_anything_is_unpacked(
    run: Callable[..., StageResult],
    workspace: Workspace,
    data_set: Path,
    truth: Path,
    own: str | None,
    other: str | None,
    told: str,
) -> None:
    marked(data_set, truth, own, other)
    with pytest.raises(SourceError, match=rf"DressCode\.truth: is the truth of this source, {told}.*Put the truth"):
        run(data_set)
    assert not workspace.raw.exists()


def test_a_stamped_twin_without_any_truth_is_taken(run: Callable[..., StageResult], data_set: Path) -> None:
    (data_set / "synthetic.txt").write_text(stamp(SETTINGS, 7))
    assert run(data_set).summary.endswith("0 findings. The twin came without its truth.")
