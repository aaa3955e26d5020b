from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tryon.download.person_attributes import Attributes, read_garment_attributes, read_person_attributes
from tryon.errors import SourceError


def test_missing_side_file_gives_no_attributes(tmp_path: Path) -> None:
    assert read_garment_attributes(tmp_path) == {}
    assert read_person_attributes(tmp_path) == {}


def test_columns_have_any_order_and_empty_means_unknown(tmp_path: Path) -> None:
    text = 'pattern,extra,garment_id,category,worn,neckline,sleeve\n"dots, large",1,000001,dresses,dress,,long\n'
    (tmp_path / "attributes.csv").write_text(text)
    assert read_garment_attributes(tmp_path) == {
        ("dresses", "000001"): {"worn": "dress", "sleeve": "long", "neckline": None, "pattern": "dots, large"}
    }


def test_people_are_keyed_by_category_and_id(tmp_path: Path) -> None:
    text = "category,person_id,arm_pose,level\ndresses,000001,bent,wild\ndresses,000002,,wild\n"
    (tmp_path / "people.csv").write_text(text)
    assert read_person_attributes(tmp_path) == {
        ("dresses", "000001"): {"arm_pose": "bent"},
        ("dresses", "000002"): {"arm_pose": None},
    }


@pytest.mark.parametrize("content", [b"category,garment_id,person_id\n", b"", b"\xff\xfe\x00"])
@pytest.mark.parametrize(
    ("name", "read"), [("attributes.csv", read_garment_attributes), ("people.csv", read_person_attributes)]
)
def test_rejects_malformed_side_file(
    tmp_path: Path, name: str, read: Callable[[Path], Attributes], content: bytes
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(SourceError, match=re.escape(name)):
        read(tmp_path)
