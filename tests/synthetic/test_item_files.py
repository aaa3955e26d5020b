"""An item depends on seed, category, number and level only; options add files."""

from __future__ import annotations

import pytest

from tryon.categories import LEVELS, Category, Level
from tryon.dresscode.layout import PARSING_NOISE_FILE, PEOPLE_FILE, relative_path
from tryon.synthetic.item_files import (
    RenderOptions,
    item_files,
    make_item,
    render_in_garment,
    sample_item_garment,
    sample_item_person,
)

SEED = 5


@pytest.mark.parametrize("category", list(Category))
def test_items_are_independent_of_earlier_items(category: Category) -> None:
    first = item_files(SEED, category, 1, "000001")
    render_in_garment(SEED, category, 3, 4, "wild")
    assert item_files(SEED, category, 1, "000001") == first


def test_levels_differ() -> None:
    people = {level: dict(item_files(SEED, Category.DRESSES, 0, "000000", RenderOptions(level))) for level in LEVELS}
    assert len({files[relative_path("person", Category.DRESSES, "000000").as_posix()] for files in people.values()}) > 1
    assert sample_item_person(SEED, Category.DRESSES, 0, "wild").level == "wild"


@pytest.mark.parametrize("level", LEVELS)
def test_every_level_renders_every_category(level: Level) -> None:
    for category in Category:
        output = make_item(
            SEED, category, 0, "000000", RenderOptions(level, uv=True, flow=True, parsing_noise_fraction=1.0)
        )
        names = {role: relative_path(role, category, "000000").as_posix() for role in ("uv", "clean_label_map")}
        assert names["uv"] in dict(output.archive)
        assert names["clean_label_map"] in dict(output.truth)
        assert relative_path("flow", category, "000000_000000").as_posix() in dict(output.truth)
        assert output.rows[PEOPLE_FILE] == [
            (category.value, "000000", sample_item_person(SEED, category, 0, level).body.pose.arm_pose, level)
        ]
        assert sample_item_garment(SEED, category, 0, level).kind in ("top", "skirt", "trousers", "dress")


def test_larger_noise_fractions_keep_the_errors_of_smaller_ones() -> None:
    def errors(fraction: float) -> dict[int, list]:
        outputs = (
            make_item(SEED, Category.LOWER_BODY, n, "000000", RenderOptions(parsing_noise_fraction=fraction))
            for n in range(8)
        )
        return {n: item.rows[PARSING_NOISE_FILE] for n, item in enumerate(outputs) if item.rows[PARSING_NOISE_FILE]}

    none, half, full = errors(0.0), errors(0.5), errors(1.0)
    assert none == {}
    assert 0 < len(half) < len(full) == 8
    assert half.items() <= full.items()
