from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tryon.categories import Category, Split
from tryon.download.read_pairs import read_pair_lists
from tryon.errors import SourceError
from tryon.manifest import FINDINGS, read_table
from tryon.runtime.stage_result import StageResult
from tryon.workspace import Workspace


def test_either_form_alone_gives_the_same_pairs(data_set: Path) -> None:
    both, conflicts = read_pair_lists(data_set, "set")
    assert conflicts == []
    roots = {path: path.read_bytes() for path in data_set.glob("*.txt")}
    for path in roots:
        path.unlink()
    assert read_pair_lists(data_set, "set") == (both, [])
    for path, content in roots.items():
        path.write_bytes(content)
    for path in data_set.glob("*/*.txt"):
        path.unlink()
    assert read_pair_lists(data_set, "set") == (both, [])


def test_order_is_that_of_the_categories_and_settings(data_set: Path) -> None:
    pairs, _ = read_pair_lists(data_set, "set")
    assert list(dict.fromkeys((pair.category, pair.split) for pair in pairs)) == [
        (category, split) for category in Category for split in Split
    ]


def test_conflict_is_a_finding_and_the_category_list_takes_precedence(
    data_set: Path, run: Callable[..., StageResult], workspace: Workspace
) -> None:
    path = data_set / "lower_body/train_pairs.txt"
    path.write_text("".join(path.read_text().splitlines(keepends=True)[1:]))
    run(data_set)
    assert read_table(workspace.findings, FINDINGS).to_pylist() == [
        {
            "category": "lower_body",
            "split": "train",
            "pair_id": None,
            "file": "train_pairs.txt",
            "problem": "pairs differ from the list in the category's folder",
            "found": "0 only in the category's list, 1 only in the root's",
        }
    ]


def test_missing_lists_are_named_at_once(data_set: Path) -> None:
    for name in ("train_pairs.txt", "test_pairs_paired.txt"):
        (data_set / name).unlink()
        (data_set / "dresses" / name).unlink()
    with pytest.raises(SourceError, match=r"dresses/train_pairs.txt, dresses/test_pairs_paired.txt"):
        read_pair_lists(data_set, "set")


def test_rejects_lists_without_pairs_or_not_in_utf8(data_set: Path) -> None:
    for path in data_set.rglob("*.txt"):
        path.write_text("\n")
    with pytest.raises(SourceError, match="no pair"):
        read_pair_lists(data_set, "set")
    (data_set / "dresses/train_pairs.txt").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SourceError, match=r"dresses/train_pairs.txt is not a text file"):
        read_pair_lists(data_set, "set")
