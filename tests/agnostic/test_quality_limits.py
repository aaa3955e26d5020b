"""Quality limits: violations, quarantine, and the error if there are too many."""

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
    QUALITY_RULES,
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
from tryon.config.agnostic import AgnosticSettings, QualityLimits
from tryon.errors import TryOnError
from tryon.manifest import MANIFEST, read_metadata, read_table, table_from_rows
from tryon.runtime.progress import no_progress

DRESSES, SIZE = Category.DRESSES, (128, 96)


def limits(**changes):
    return QualityLimits.model_validate(changes)


def settings(method="fitting-room", **changes):
    return AgnosticSettings.model_validate({"method": method, "quality_limits": changes})


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
    (0.001, 0.02, 0.8, "ok"),  # equal to the limits
    (0.0011, 0.0, 0.3, "ok"),
    (None, None, 0.3, "ok"),  # an unknown leak violates its rule, an unknown protected fraction does not
    (0.5, 0.03, 0.3, "ok"),
    (0.0, 0.0, 0.009, "ok"),
    (0.0, 0.0, 0.81, "ok"),
    (1.0, 1.0, 1.0, "quarantined"),
)


def test_finds_violations_of_each_rule():
    violations = {key: bad.nonzero()[0].tolist() for key, bad in find_violations(TABLE, limits()).items()}
    assert violations == {
        "max_leak_fraction": [2, 3, 4],
        "max_protected_fraction": [4],
        "min_mask_fraction": [5],
        "max_mask_fraction": [6],
    }


@pytest.mark.parametrize(("fraction", "fails"), [(0.0, True), (0.71, True), (0.72, False), (1.0, False)])
def test_rejected_fraction_is_of_the_usable_rows(fraction, fails):
    assert (
        exceeds_rejected_fraction(TABLE, find_violations(TABLE, limits()), limits(max_rejected_fraction=fraction))
        is fails
    )


def test_quarantined_rows_have_a_reason():
    table = quarantine(TABLE, find_violations(TABLE, limits()))
    assert table["status"].to_pylist() == ["ok"] * 2 + ["quarantined"] * 6
    reasons = table["reason"].to_pylist()
    assert reasons[4] == (
        "mask: leak_fraction 0.5 violates agnostic.quality_limits.max_leak_fraction; "
        "protected_fraction 0.03 violates agnostic.quality_limits.max_protected_fraction"
    )
    assert reasons[3].startswith(
        "mask: leak_fraction unknown violates agnostic.quality_limits.max_leak_fraction (the label map"
    )
    assert [reason is None for reason in reasons] == [True, True, False, False, False, False, False, True]
    assert table.schema == TABLE.schema


def test_violated_columns_agree_with_find_violations():
    columns = [rule.column for rule in QUALITY_RULES]
    for number, row in enumerate(TABLE.select(dict.fromkeys(columns)).to_pylist()[:-1]):
        assert bool(violated_columns(row, limits())) is (number in (2, 3, 4, 5, 6))


def test_too_many_violations_give_an_error_an_image_and_no_manifest(indexed):
    with pytest.raises(MaskQualityError) as raised:
        stage.agnostic(DRESSES, settings(max_mask_fraction=0.2), SIZE, indexed, no_progress)
    message = str(raised.value)
    assert message.startswith("10 of 10 rows of dresses violate agnostic.quality_limits")
    assert "0 %" in message.splitlines()[0]
    assert "\n  max_mask_fraction 0.2: 10 rows, the worst first\n    0" in message
    assert "\n    max_rejected_fraction: 1\n" in message
    assert "run `tryon agnostic dresses` again" in message
    assert all(len(line) < 160 for line in message.splitlines() if str(indexed.root) not in line)
    assert "dresscode-official" not in message
    image = indexed.preview(DRESSES)
    assert str(image) in message
    assert image.read_bytes().startswith(b"\xff\xd8")
    assert not indexed.manifest(DRESSES).exists()
    assert not indexed.mask_images(DRESSES).exists()


def test_error_names_a_dozen_rows_and_counts_the_rest():
    table = rows(*[(0.1 + number / 100, 0.0, 0.3, "ok") for number in range(20)])
    message = error_text(table, "dresscode-official")
    assert "19_0 (0.29), 18_0 (0.28)" in message
    assert "8_0 (0.18) and 8 more" in " ".join(message.split())
    assert " 7_0" not in message
    assert " ".join(message.split()).endswith("max_protected_fraction to 1 and min_mask_fraction to 0.")


def error_text(table, method="fitting-room"):
    mask_plan = MaskPlan(DRESSES, settings(method), SIZE, "", (), "")
    return str(build_error(mask_plan, table, find_violations(table, limits()), "image.jpg"))


fractions = st.floats(0, 1, width=32)


@given(st.lists(st.tuples(st.none() | fractions, st.none() | fractions, fractions, st.just("ok")), min_size=1))
def test_proposed_limits_accept_the_rows(audits):
    table = rows(*audits)
    violations = find_violations(table, limits())
    assume(exceeds_rejected_fraction(table, violations, limits()))
    proposed = {
        key: float(value) for key, value in re.findall(r"^    (\w+): ([\d.e-]+)$", error_text(table), re.MULTILINE)
    }
    fraction = proposed.pop("max_rejected_fraction")
    assert set(proposed) == {key for key, bad in violations.items() if bad.any()}
    assert not any_violation(
        find_violations(table, QualityLimits.model_construct(**{**limits().model_dump(), **proposed}))
    ).any()
    assert not exceeds_rejected_fraction(table, violations, limits(max_rejected_fraction=fraction))


def test_rejects_min_mask_fraction_above_the_maximum():
    with pytest.raises(ValidationError, match="min_mask_fraction must be below max_mask_fraction"):
        limits(min_mask_fraction=0.5, max_mask_fraction=0.5)


def test_official_method_passes_with_the_limits_of_its_error(indexed):
    with pytest.raises(MaskQualityError, match="leaves skirts and belts visible"):
        stage.agnostic(DRESSES, settings("dresscode-official"), SIZE, indexed, no_progress)
    permissive = settings(
        "dresscode-official", max_leak_fraction=1.0, max_protected_fraction=1.0, min_mask_fraction=0.0
    )
    summary = stage.agnostic(DRESSES, permissive, SIZE, indexed, no_progress)
    assert summary.summary.startswith("10 rows")


def test_changed_limits_reuse_the_masks(indexed, monkeypatch):
    stage.agnostic(DRESSES, settings(), SIZE, indexed, no_progress)
    before = indexed.manifest(DRESSES).read_bytes()
    strict, loose = settings(max_mask_fraction=0.2), settings(max_mask_fraction=0.9)
    with pytest.raises(MaskQualityError):
        stage.agnostic(DRESSES, strict, SIZE, indexed, no_progress)
    assert indexed.manifest(DRESSES).read_bytes() == before
    mask_plan = plan(DRESSES, loose, SIZE, indexed)
    assert mask_plan.config_hash == plan(DRESSES, strict, SIZE, indexed).config_hash
    shards = {path: path.stat().st_mtime_ns for path in work_folder(mask_plan.job(indexed)).iterdir()}
    assert len(shards) == 2

    def collect(mask_plan, workspace):
        assert {path: path.stat().st_mtime_ns for path in shards} == shards
        return original(mask_plan, workspace)

    original = stage.collect
    monkeypatch.setattr(stage, "collect", collect)
    stage.agnostic(DRESSES, loose, SIZE, indexed, no_progress)
    assert indexed.manifest(DRESSES).read_bytes() == before


def test_violations_within_the_allowed_fraction_are_quarantined(indexed):
    stage.agnostic(DRESSES, settings(), SIZE, indexed, no_progress)
    table = read_table(indexed.manifest(DRESSES), MANIFEST)
    median = float(np.nanmedian(table["mask_fraction"].to_numpy()))
    summary = stage.agnostic(
        DRESSES, settings(max_mask_fraction=median, max_rejected_fraction=1.0), SIZE, indexed, no_progress
    )
    table = read_table(indexed.manifest(DRESSES), MANIFEST)
    bad = table.filter(pc.greater(table["mask_fraction"], median))
    assert set(bad["status"].to_pylist()) == {"quarantined"}
    assert bad["reason"].to_pylist()[0].startswith("mask: mask_fraction 0.")
    usable, quarantined = 10 - bad.num_rows, 1 + bad.num_rows
    expected = f"{usable} rows of dresses have a mask of 128x96 pixels; {quarantined} are quarantined."
    assert summary.summary == expected
    before = indexed.manifest(DRESSES).read_bytes()
    with pytest.raises(TryOnError, match=r"all 11 rows of dresses.*10 x mask: mask_fraction violates"):
        stage.agnostic(DRESSES, settings(max_mask_fraction=0.1, max_rejected_fraction=1.0), SIZE, indexed, no_progress)
    assert indexed.manifest(DRESSES).read_bytes() == before


def test_all_methods_are_compared(indexed):
    stage.agnostic(DRESSES, settings(), SIZE, indexed, no_progress)
    comparison = json.loads(read_metadata(indexed.manifest(DRESSES))["comparison"])
    assert [(row["method"], row["worn"], row["people"]) for row in comparison] == [
        ("fitting-room", "all", 5),
        ("dresscode-official", "all", 5),
    ]
