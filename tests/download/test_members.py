from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tryon.categories import Category, Split
from tryon.download import members
from tryon.download.members import Member, is_safe, select_members
from tryon.dresscode.layout import pair_list_path, relative_path
from tryon.errors import SourceError
from tryon.manifest.schemas import FILE_ROLES, OPTIONAL_ROLES

EVERY_FILE = sorted(
    [relative_path(role, name, "048392").as_posix() for role in (*FILE_ROLES, *OPTIONAL_ROLES) for name in Category]
    + [pair_list_path(split, category).as_posix() for split in Split for category in (*Category, None)]
    + ["attributes.csv", "synthetic.truth.txt", "synthetic.txt"]
)  # fmt: skip


def targets(names: list[str]) -> list[str]:
    return [member.target for member in select_members([Member(name, "", 1) for name in names], "archive")]


@given(st.lists(st.sampled_from(["DressCode", "a b", "images", "ünï"]), max_size=3).map("/".join))
def test_selects_every_file_of_the_layout_below_any_top_folder(top: str) -> None:
    prefix = f"{top}/" if top else ""
    assert targets([prefix + name for name in reversed(EVERY_FILE)]) == EVERY_FILE


def test_ignores_files_outside_the_layout() -> None:
    foreign = [
        "readme.txt",
        "dresses/images/.DS_Store",
        "dresses/images/000001_0.jpg.exe",
        "dresses/images/deep/000001_0.jpg",
        "dresses/other/000001_0.jpg",
        "shoes/images/000001_0.jpg",
        "__MACOSX/dresses/images/._000001_0.jpg",
        "train_pairs.txt.bak",
    ]
    assert targets([*foreign, "dresses/images/000001_0.jpg"]) == ["dresses/images/000001_0.jpg"]


@pytest.mark.parametrize(
    "name",
    [
        "/etc/passwd",
        "../dresses/images/000001_0.jpg",
        "dresses/../../x",
        "dresses/..",
        "\\\\host\\share",
        "C:\\x",
        "c:x",
        "dresses\\..\\..\\x",
        "a\0b",
    ],
)
def test_rejects_source_with_an_unsafe_name(name: str) -> None:
    assert not is_safe(name)
    with pytest.raises(SourceError, match=r"without `\.\.`"):
        targets(["dresses/images/000001_0.jpg", name])


@given(st.text())
def test_safe_name_stays_below_its_folder(name: str) -> None:
    if is_safe(name) and name:
        depth = 0
        for part in name.replace("\\", "/").split("/"):
            depth += -1 if part == ".." else 0 if part in ("", ".") else 1
            assert depth >= 0
        assert not name.startswith(("/", "\\"))


def test_rejects_none_or_several_data_sets_and_duplicates() -> None:
    for names in ([], ["readme.txt"], ["a/dresses/train_pairs.txt", "b/dresses/train_pairs.txt"]):
        with pytest.raises(SourceError, match="exactly one Dress Code data set"):
            targets(names)
    with pytest.raises(SourceError, match="twice"):
        targets(["dresses/train_pairs.txt", "dresses/train_pairs.txt"])


def test_rejects_too_large_and_too_many_files(monkeypatch: pytest.MonkeyPatch) -> None:
    name = "dresses/images/000001_0.jpg"
    with pytest.raises(SourceError, match="too large files"):
        select_members([Member(name, "", members.MAX_MEMBER_BYTES + 1)], "archive")
    monkeypatch.setattr(members, "MAX_MEMBERS", 2)
    with pytest.raises(SourceError, match="at most 2"):
        targets(["a", "b", name])
