from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tryon.categories import Category
from tryon.dresscode.pair_lists import Pair, format_pair_list, parse_pair_list, parse_root_pair_list
from tryon.errors import SourceError

ids = st.integers(0, 999_999).map(lambda number: f"{number:06d}") | st.from_regex(r"[A-Za-z0-9-]{1,12}", fullmatch=True)
pairs = st.lists(st.builds(Pair, ids, ids), max_size=20)


@given(pairs, st.sampled_from([None, *Category]))
def test_round_trip_of_both_forms(listed: list[Pair], category: Category | None) -> None:
    assert parse_pair_list(format_pair_list(listed, category), "list") == listed


@given(st.fixed_dictionaries(dict.fromkeys(Category, pairs)))
def test_root_list_is_split_by_its_third_column(listed: dict[Category, list[Pair]]) -> None:
    text = "".join(format_pair_list(rows, category) for category, rows in listed.items())
    assert parse_root_pair_list(text, "list") == listed


def test_format_is_that_of_the_data_set() -> None:
    pair = Pair("048392", "048393")
    assert pair.pair_id == "048392_048393"
    assert format_pair_list([pair]) == "048392_0.jpg\t048393_1.jpg\n"
    assert format_pair_list([pair], Category.DRESSES) == "048392_0.jpg\t048393_1.jpg\t2\n"


def test_any_whitespace_and_empty_lines_are_accepted() -> None:
    text = "000001_0.jpg 000001_1.jpg\r\n\n  000002_0.jpg\t \t000003_1.jpg   1  \r\n"
    assert parse_pair_list(text, "list") == [Pair("000001", "000001"), Pair("000002", "000003")]


@pytest.mark.parametrize(
    "line",
    [
        "000001_0.jpg",
        "000001_1.jpg 000001_0.jpg",
        "000001_0.jpg 000001_1.jpg 0 0",
        "../000001_0.jpg 000001_1.jpg",
        "a/b_0.jpg 000001_1.jpg",
        "000001.jpg 000001_1.jpg",
        "000001_0.gif 000001_1.jpg",
        "000001_0.png 000001_1.jpg",
        "000001_0.jpg 000001_1.jpeg",
    ],
)
def test_malformed_line_is_named_with_its_number(line: str) -> None:
    with pytest.raises(SourceError, match=r"line 2 of train_pairs.txt") as caught:
        parse_pair_list(f"000001_0.jpg 000001_1.jpg\n{line}\n", "train_pairs.txt")
    assert line in str(caught.value)


@pytest.mark.parametrize("code", ["", "3", "-1", "x"])
def test_root_list_needs_a_known_category(code: str) -> None:
    with pytest.raises(SourceError, match="third column"):
        parse_root_pair_list(f"000001_0.jpg 000001_1.jpg {code}\n", "train_pairs.txt")
