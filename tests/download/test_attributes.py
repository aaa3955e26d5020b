from __future__ import annotations

from pathlib import Path

import pytest

from tryon.download.attributes import read_attributes
from tryon.errors import SourceError


def test_no_side_file_means_nothing_is_known(tmp_path: Path) -> None:
    assert read_attributes(tmp_path) == {}


def test_columns_may_come_in_any_order_and_empty_means_unknown(tmp_path: Path) -> None:
    text = 'pattern,extra,garment_id,category,worn,neckline,sleeve\n"dots, large",1,000001,dresses,dress,,long\n'
    (tmp_path / "attributes.csv").write_text(text)
    assert read_attributes(tmp_path) == {
        ("dresses", "000001"): {"worn": "dress", "sleeve": "long", "neckline": None, "pattern": "dots, large"}
    }


@pytest.mark.parametrize("content", [b"category,garment_id\n", b"", b"\xff\xfe\x00"])
def test_a_wrong_side_file_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "attributes.csv").write_bytes(content)
    with pytest.raises(SourceError, match=r"attributes\.csv"):
        read_attributes(tmp_path)
