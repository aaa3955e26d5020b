"""The limits of the audit: who is beyond, who is set aside, and the one message when these are too many."""

import json

import pytest

import tryon.agnostic.stage as stage
from tryon.agnostic.limits import LIMITS, BeyondLimitsError, beyond, faults_of, set_aside, too_many
from tryon.agnostic.plan import plan
from tryon.agnostic.settings import AgnosticSettings, LimitSettings
from tryon.agnostic.shards import staging_folder
from tryon.categories import Category
from tryon.manifest import MANIFEST, read_metadata, read_table, table_from_rows
from tryon.progress import silent

DRESSES, SIZE = Category.DRESSES, (128, 96)


def limits(**changes):
    return LimitSettings.model_validate(changes)


def settings(recipe="fitting-room", **changes):
    return AgnosticSettings.model_validate({"recipe": recipe, "limits": changes})


def rows(*audits):
    """Rows of (leak, protected, mask fraction, status)."""
    return table_from_rows(
        [
            {
                "pair_id": f"{number}_0", "category": "dresses", "setting": "train",
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
    (None, None, 0.3, "ok"),  # nothing known is nothing wrong
    (0.5, 0.03, 0.3, "ok"),
    (0.0, 0.0, 0.009, "ok"),
    (0.0, 0.0, 0.81, "ok"),
    (1.0, 1.0, 1.0, "quarantined"),
)


def test_rows_beyond_each_limit():
    found = {key: bad.nonzero()[0].tolist() for key, bad in beyond(TABLE, limits()).items()}
    assert found == {
        "max_leak_fraction": [2, 4],
        "max_protected_fraction": [4],
        "min_mask_fraction": [5],
        "max_mask_fraction": [6],
    }


@pytest.mark.parametrize(("share", "fails"), [(0.0, True), (0.57, True), (0.58, False), (1.0, False)])
def test_the_share_is_of_the_good_rows(share, fails):
    assert too_many(TABLE, beyond(TABLE, limits()), limits(max_bad_fraction=share)) is fails


def test_rows_that_are_set_aside_say_why():
    table = set_aside(TABLE, beyond(TABLE, limits()), limits())
    status = ["ok", "ok", "quarantined", "ok", *["quarantined"] * 4]
    assert table["status"].to_pylist() == status
    reasons = table["reason"].to_pylist()
    assert reasons[4] == (
        "mask: leak_fraction 0.5 is beyond agnostic.limits.max_leak_fraction; "
        "protected_fraction 0.03 is beyond agnostic.limits.max_protected_fraction"
    )
    assert [reason is None for reason in reasons] == [True, True, False, True, False, False, False, True]
    assert table.schema == TABLE.schema


def test_one_audit_is_judged_as_a_column_is():
    columns = [limit.column for limit in LIMITS]
    for number, row in enumerate(TABLE.select(dict.fromkeys(columns)).to_pylist()[:-1]):
        assert bool(faults_of(row, limits())) is (number in (2, 4, 5, 6))


def test_more_bad_rows_than_allowed_are_one_message_a_picture_and_no_manifest(indexed):
    with pytest.raises(BeyondLimitsError) as raised:
        stage.agnostic(DRESSES, settings(max_mask_fraction=0.2), SIZE, indexed, silent)
    said = str(raised.value)
    assert said.startswith("10 of 10 rows of dresses have a mask beyond agnostic.limits: at most 0 % of rows may;")
    assert "max_mask_fraction 0.2: 0" in said
    assert "raise max_mask_fraction" in said
    assert "raise max_bad_fraction to 1 " in said
    assert "`tryon agnostic dresses`" in said
    assert "dresscode-official" not in said
    picture = indexed.preview(DRESSES)
    assert str(picture) in said
    assert picture.read_bytes().startswith(b"\xff\xd8")
    assert not indexed.manifest(DRESSES).exists()
    assert not indexed.mask_pictures(DRESSES).exists()


def test_the_message_names_a_dozen_rows_and_counts_the_rest():
    table = rows(*[(0.1 + number / 100, 0.0, 0.3, "ok") for number in range(20)])
    from tryon.agnostic.limits import error_of
    from tryon.agnostic.plan import Plan

    planned = Plan(DRESSES, settings("dresscode-official"), SIZE, "", (), "")
    said = str(error_of(planned, table, beyond(table, limits()), "picture.jpg"))
    assert "19_0 (0.29), 18_0 (0.28)" in said
    assert "8_0 (0.18) and 8 more" in said
    assert " 7_0" not in said
    assert said.endswith("whoever wants such masks sets the limits by hand.")


def test_after_a_limit_was_moved_no_mask_is_made_again_and_the_old_manifest_stayed_till_then(indexed, monkeypatch):
    stage.agnostic(DRESSES, settings(), SIZE, indexed, silent)
    before = indexed.manifest(DRESSES).read_bytes()
    strict, loose = settings(max_mask_fraction=0.2), settings(max_mask_fraction=0.9)
    with pytest.raises(BeyondLimitsError):
        stage.agnostic(DRESSES, strict, SIZE, indexed, silent)
    assert indexed.manifest(DRESSES).read_bytes() == before
    planned = plan(DRESSES, loose, SIZE, indexed)
    assert planned.recipe == plan(DRESSES, strict, SIZE, indexed).recipe
    shards = {path: path.stat().st_mtime_ns for path in staging_folder(planned.making(indexed)).iterdir()}
    assert len(shards) == 2

    def collect(planned, workspace):
        assert {path: path.stat().st_mtime_ns for path in shards} == shards
        return original(planned, workspace)

    original = stage.collect
    monkeypatch.setattr(stage, "collect", collect)
    stage.agnostic(DRESSES, loose, SIZE, indexed, silent)
    assert indexed.manifest(DRESSES).read_bytes() == before


def test_bad_rows_within_the_allowed_share_are_set_aside(indexed):
    summary = stage.agnostic(DRESSES, settings(max_mask_fraction=0.2, max_bad_fraction=1.0), SIZE, indexed, silent)
    table = read_table(indexed.manifest(DRESSES), MANIFEST)
    assert set(table["status"].to_pylist()) == {"quarantined"}
    assert table["reason"].to_pylist()[0].startswith("mask: mask_fraction 0.")
    assert summary.headline == "0 rows of dresses have a mask of 128x96 pixels; 11 are quarantined."


def test_every_recipe_is_told_side_by_side(indexed):
    stage.agnostic(DRESSES, settings(), SIZE, indexed, silent)
    told = json.loads(read_metadata(indexed.manifest(DRESSES))["comparison"])
    assert [(row["recipe"], row["worn"], row["people"]) for row in told] == [
        ("fitting-room", "all", 5),
        ("dresscode-official", "all", 5),
    ]
