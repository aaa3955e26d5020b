"""The limits of the audit: who is beyond, who is set aside, and the one message when these are too many."""

import json
import re

import numpy as np
import pyarrow.compute as pc
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from pydantic import ValidationError

import tryon.agnostic.stage as stage
from tryon.agnostic.plan import MaskPlan, plan
from tryon.agnostic.quality_limits import (
    LIMITS,
    MaskQualityError,
    any_violation,
    build_error,
    exceeds_rejected_fraction,
    find_violations,
    quarantine,
    violated_columns,
)
from tryon.agnostic.shards import work_folder
from tryon.categories import Category
from tryon.config.agnostic import AgnosticSettings, LimitSettings
from tryon.errors import TryOnError
from tryon.manifest import MANIFEST, read_metadata, read_table, table_from_rows
from tryon.runtime.progress import no_progress

DRESSES, SIZE = Category.DRESSES, (128, 96)


def limits(**changes):
    return LimitSettings.model_validate(changes)


def settings(recipe="fitting-room", **changes):
    return AgnosticSettings.model_validate({"method": recipe, "quality_limits": changes})


def rows(*audits):
    """Rows of (leak, protected, mask fraction, status)."""
    return table_from_rows(
        [
            {
                "pair_id": f"{number}_0", "category": "dresses", "split": "train",
                "person_id": "1", "garment_id": "0",
                "leak_fraction": leak, "protected_fraction": protected, "mask_fraction": mask, "status": status,
            }
            for number, (leak, protected, mask, status) in enumerate(audits)
        ],
        MANIFEST,
    )  # fmt: skip


TABLE = rows(
    (0.0, 0.0, 0.3, "ok"),
    (0.001, 0.02, 0.8, "ok"),  # on the limit is within it
    (0.0011, 0.0, 0.3, "ok"),
    (None, None, 0.3, "ok"),  # a leak that is not known may be any; nothing to keep is nothing wrong
    (0.5, 0.03, 0.3, "ok"),
    (0.0, 0.0, 0.009, "ok"),
    (0.0, 0.0, 0.81, "ok"),
    (1.0, 1.0, 1.0, "quarantined"),
)


def test_rows_beyond_each_limit():
    found = {key: bad.nonzero()[0].tolist() for key, bad in find_violations(TABLE, limits()).items()}
    assert found == {
        "max_leak_fraction": [2, 3, 4],
        "max_protected_fraction": [4],
        "min_mask_fraction": [5],
        "max_mask_fraction": [6],
    }


@pytest.mark.parametrize(("share", "fails"), [(0.0, True), (0.71, True), (0.72, False), (1.0, False)])
def test_the_share_is_of_the_good_rows(share, fails):
    assert (
        exceeds_rejected_fraction(TABLE, find_violations(TABLE, limits()), limits(max_rejected_fraction=share)) is fails
    )


def test_rows_that_are_set_aside_say_why():
    table = quarantine(TABLE, find_violations(TABLE, limits()), limits())
    assert table["status"].to_pylist() == ["ok"] * 2 + ["quarantined"] * 6
    reasons = table["reason"].to_pylist()
    assert reasons[4] == (
        "mask: leak_fraction 0.5 is beyond agnostic.limits.max_leak_fraction; "
        "protected_fraction 0.03 is beyond agnostic.limits.max_protected_fraction"
    )
    assert reasons[3].startswith(
        "mask: leak_fraction unknown is beyond agnostic.limits.max_leak_fraction (the label map"
    )
    assert [reason is None for reason in reasons] == [True, True, False, False, False, False, False, True]
    assert table.schema == TABLE.schema


def test_one_audit_is_judged_as_a_column_is():
    columns = [limit.column for limit in LIMITS]
    for number, row in enumerate(TABLE.select(dict.fromkeys(columns)).to_pylist()[:-1]):
        assert bool(violated_columns(row, limits())) is (number in (2, 3, 4, 5, 6))


def test_more_bad_rows_than_allowed_are_one_message_a_image_and_no_manifest(indexed):
    with pytest.raises(MaskQualityError) as raised:
        stage.agnostic(DRESSES, settings(max_mask_fraction=0.2), SIZE, indexed, no_progress)
    said = str(raised.value)
    assert said.startswith(
        "10 of 10 rows of dresses have a mask beyond agnostic.quality_limits: at most 0 % of rows may\n"
    )
    assert "\n  max_mask_fraction 0.2: 10 rows beyond it, the worst first\n    0" in said
    assert "\n    max_rejected_fraction: 1\n" in said
    assert "run `tryon agnostic dresses` again" in said
    assert all(len(line) < 160 for line in said.splitlines() if str(indexed.root) not in line)
    assert "dresscode-official" not in said
    image = indexed.preview(DRESSES)
    assert str(image) in said
    assert image.read_bytes().startswith(b"\xff\xd8")
    assert not indexed.manifest(DRESSES).exists()
    assert not indexed.mask_images(DRESSES).exists()


def test_the_message_names_a_dozen_rows_and_counts_the_rest():
    table = rows(*[(0.1 + number / 100, 0.0, 0.3, "ok") for number in range(20)])
    said = message(table, "dresscode-official")
    assert "19_0 (0.29), 18_0 (0.28)" in said
    assert "8_0 (0.18) and 8 more" in " ".join(said.split())
    assert " 7_0" not in said
    assert " ".join(said.split()).endswith("max_protected_fraction to 1 and min_mask_fraction to 0.")


def message(table, recipe="fitting-room"):
    planned = MaskPlan(DRESSES, settings(recipe), SIZE, "", (), "")
    return str(build_error(planned, table, find_violations(table, limits()), "image.jpg"))


fractions = st.floats(0, 1, width=32)


@given(st.lists(st.tuples(st.none() | fractions, st.none() | fractions, fractions, st.just("ok")), min_size=1))
def test_the_limits_that_the_message_proposes_let_the_rows_pass(audits):
    table = rows(*audits)
    found = find_violations(table, limits())
    assume(exceeds_rejected_fraction(table, found, limits()))
    proposed = {
        key: float(value) for key, value in re.findall(r"^    (\w+): ([\d.e-]+)$", message(table), re.MULTILINE)
    }
    share = proposed.pop("max_rejected_fraction")
    assert set(proposed) == {key for key, bad in found.items() if bad.any()}
    assert not any_violation(
        find_violations(table, LimitSettings.model_construct(**{**limits().model_dump(), **proposed}))
    ).any()
    assert not exceeds_rejected_fraction(table, found, limits(max_rejected_fraction=share))


def test_masks_must_have_room_between_the_least_and_the_most():
    with pytest.raises(ValidationError, match="min_mask_fraction must be below max_mask_fraction"):
        limits(min_mask_fraction=0.5, max_mask_fraction=0.5)


def test_the_official_recipe_passes_with_the_limits_that_its_message_names(indexed):
    with pytest.raises(MaskQualityError, match="leaves skirts and belts visible"):
        stage.agnostic(DRESSES, settings("dresscode-official"), SIZE, indexed, no_progress)
    all_of_them = settings(
        "dresscode-official", max_leak_fraction=1.0, max_protected_fraction=1.0, min_mask_fraction=0.0
    )
    summary = stage.agnostic(DRESSES, all_of_them, SIZE, indexed, no_progress)
    assert summary.summary.startswith("10 rows")


def test_after_a_limit_was_moved_no_mask_is_made_again_and_the_old_manifest_stayed_till_then(indexed, monkeypatch):
    stage.agnostic(DRESSES, settings(), SIZE, indexed, no_progress)
    before = indexed.manifest(DRESSES).read_bytes()
    strict, loose = settings(max_mask_fraction=0.2), settings(max_mask_fraction=0.9)
    with pytest.raises(MaskQualityError):
        stage.agnostic(DRESSES, strict, SIZE, indexed, no_progress)
    assert indexed.manifest(DRESSES).read_bytes() == before
    planned = plan(DRESSES, loose, SIZE, indexed)
    assert planned.config_hash == plan(DRESSES, strict, SIZE, indexed).config_hash
    shards = {path: path.stat().st_mtime_ns for path in work_folder(planned.job(indexed)).iterdir()}
    assert len(shards) == 2

    def collect(planned, workspace):
        assert {path: path.stat().st_mtime_ns for path in shards} == shards
        return original(planned, workspace)

    original = stage.collect
    monkeypatch.setattr(stage, "collect", collect)
    stage.agnostic(DRESSES, loose, SIZE, indexed, no_progress)
    assert indexed.manifest(DRESSES).read_bytes() == before


def test_bad_rows_within_the_allowed_share_are_set_aside(indexed):
    stage.agnostic(DRESSES, settings(), SIZE, indexed, no_progress)
    table = read_table(indexed.manifest(DRESSES), MANIFEST)
    middle = float(np.nanmedian(table["mask_fraction"].to_numpy()))
    summary = stage.agnostic(
        DRESSES, settings(max_mask_fraction=middle, max_rejected_fraction=1.0), SIZE, indexed, no_progress
    )
    table = read_table(indexed.manifest(DRESSES), MANIFEST)
    bad = table.filter(pc.greater(table["mask_fraction"], middle))
    assert set(bad["status"].to_pylist()) == {"quarantined"}
    assert bad["reason"].to_pylist()[0].startswith("mask: mask_fraction 0.")
    good, aside = 10 - bad.num_rows, 1 + bad.num_rows
    assert summary.summary == f"{good} rows of dresses have a mask of 128x96 pixels; {aside} are quarantined."
    before = indexed.manifest(DRESSES).read_bytes()
    with pytest.raises(TryOnError, match=r"all 11 rows of dresses: are set aside.*10 x mask: mask_fraction is beyond"):
        stage.agnostic(DRESSES, settings(max_mask_fraction=0.1, max_rejected_fraction=1.0), SIZE, indexed, no_progress)
    assert indexed.manifest(DRESSES).read_bytes() == before


def test_every_recipe_is_told_side_by_side(indexed):
    stage.agnostic(DRESSES, settings(), SIZE, indexed, no_progress)
    told = json.loads(read_metadata(indexed.manifest(DRESSES))["comparison"])
    assert [(row["method"], row["worn"], row["people"]) for row in told] == [
        ("fitting-room", "all", 5),
        ("dresscode-official", "all", 5),
    ]
