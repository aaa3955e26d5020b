"""Selection of the worst people by severity, and of a hash sample."""

from tryon.agnostic.preview.select_people import select_random, select_worst
from tryon.agnostic.shards import MASKS
from tryon.manifest import table_from_rows


def audits(*rows):
    names = ("person_id", "leak_fraction", "protected_fraction", "outline_similarity", "reason")
    return table_from_rows([dict(zip(names, row, strict=True)) for row in rows], MASKS)


TABLE = audits(
    ("a", 0.0, 0.0, 0.9, None),
    ("b", 0.2, 0.0, 0.1, None),
    ("c", None, 0.3, None, None),
    ("d", 0.9, 0.9, 0.9, "mask: nearly empty"),
    ("e", 0.2, 0.1, 0.0, None),
    ("f", 0.0, 0.0, 0.2, None),
)


def test_leak_ranks_before_protected_and_outline():
    assert select_worst(TABLE, 9) == [2, 4, 1, 0, 5]  # an unknown leak counts as 1
    assert select_worst(TABLE, 2) == [2, 4]


def test_differences_of_a_pixel_do_not_matter():
    assert select_worst(audits(("a", 0.0002, 0.0, 0.1, None), ("b", 0.0, 0.0003, 0.5, None)), 1) == [1]


def test_random_people_have_a_mask_and_are_not_excluded():
    assert sorted(select_random(TABLE, 9)) == [0, 1, 2, 4, 5]
    assert sorted(select_random(TABLE, 9, exclude=[4, 1])) == [0, 2, 5]


def test_random_people_depend_on_names_only():
    rows = [(f"{number:06d}", number / 100, 0.0, 0.0, None) for number in range(50)]
    others = [(name, 0.0, 0.0, 0.0, None) for name, *_ in reversed(rows)]
    first, second = audits(*rows), audits(*others)
    names = [[table["person_id"][number].as_py() for number in select_random(table, 6)] for table in (first, second)]
    assert names[0] == names[1]


def test_empty_audits_select_nobody():
    assert select_worst(audits(), 3) == select_random(audits(), 3) == []
