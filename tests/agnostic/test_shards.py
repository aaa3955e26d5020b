"""Masks of the last run are reused person by person if nothing that they depend on has changed."""

from __future__ import annotations

import shutil
from dataclasses import replace

import pytest

import tryon.agnostic.plan as planning
import tryon.agnostic.shards as shards
import tryon.agnostic.stage as stage
from tryon.categories import Category
from tryon.config.agnostic import AgnosticSettings
from tryon.manifest import INDEX, read_table, table_from_rows, write_table
from tryon.runtime.progress import no_progress

SIZE = (128, 96)
DRESSES = Category.DRESSES


@pytest.fixture(autouse=True)
def computed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Record people whose masks are computed, in this process, in shards of two."""
    monkeypatch.setenv("TRYON_WORKERS", "1")
    monkeypatch.setattr(planning, "SHARD_SIZE", 2)
    names: list[str] = []
    work = shards.process_batch

    def recording(people, job):
        names.extend(person.person_id for person in people)
        return work(people, job)

    monkeypatch.setattr(shards, "process_batch", recording)
    return names


@pytest.fixture
def rows(indexed) -> list[dict]:
    return read_table(indexed.index(DRESSES), INDEX).to_pylist()


def run(workspace, rows, **settings):
    """Run the stage on an index of these rows; returns the bytes of its outputs."""
    write_table(workspace.index(DRESSES), table_from_rows(rows, INDEX), INDEX)
    stage.agnostic(DRESSES, AgnosticSettings.model_validate(settings), SIZE, workspace, no_progress)
    return [path.read_bytes() for path in (workspace.manifest(DRESSES), workspace.mask_images(DRESSES))]


def without(rows, *people):
    return [row for row in rows if row["person_id"] not in people]


def test_grown_index_computes_new_people_only(indexed, rows, computed) -> None:
    run(indexed, without(rows, "000001", "000004"))
    assert computed == ["000000", "000002", "000003"]
    computed.clear()
    grown = run(indexed, rows)  # one of them in the middle, so every shard changes
    assert computed == ["000001", "000004"]
    shutil.rmtree(indexed.work_dir("agnostic"))
    assert run(indexed, rows) == grown


def test_shrunk_index_computes_nothing(indexed, rows, computed) -> None:
    run(indexed, rows)
    computed.clear()
    shrunk = run(indexed, without(rows, "000000", "000003"))
    assert computed == []
    shutil.rmtree(indexed.work_dir("agnostic"))
    assert run(indexed, without(rows, "000000", "000003")) == shrunk


def test_other_files_method_or_size_are_computed_again(indexed, rows, computed) -> None:
    run(indexed, rows)
    computed.clear()
    mask_plan = stage.plan(DRESSES, AgnosticSettings(), SIZE, indexed)
    job, person = mask_plan.job(indexed), mask_plan.shards[0][0]
    assert shards.reusable_shards([[person]], job, mask_plan.config_hash)
    changed = person._replace(keypoints=person.keypoints._replace(sha256="0" * 64))
    assert not shards.reusable_shards([[changed]], job, mask_plan.config_hash)
    assert not shards.reusable_shards([[person]], job, "another method, size or code")
    assert replace(job, size=(64, 48)) != job
    loose = {"max_protected_fraction": 1.0, "max_leak_fraction": 1.0}
    run(indexed, rows, method="dresscode-official", quality_limits=loose)
    assert sorted(computed) == [f"{number:06d}" for number in range(5)]


def test_only_a_damaged_shard_is_computed_again(indexed, rows, computed) -> None:
    complete = run(indexed, rows)
    computed.clear()
    stored = sorted((indexed.work_dir("agnostic") / "kept" / DRESSES).glob("*.parquet"))
    assert len(stored) == 3
    stored[0].write_bytes(stored[0].read_bytes()[:-1])
    assert run(indexed, rows) == complete
    assert 1 <= len(computed) <= 2


def test_only_shards_of_the_last_run_are_stored(indexed, rows) -> None:
    for selected in (rows, without(rows, "000000"), rows):
        run(indexed, selected)
    mask_plan = stage.plan(DRESSES, AgnosticSettings(), SIZE, indexed)
    names = {
        shards.shard_path(people, mask_plan.job(indexed), mask_plan.config_hash).name for people in mask_plan.shards
    }
    stored = {path.name for path in (indexed.work_dir("agnostic") / "kept" / DRESSES).iterdir()}
    assert stored == names | {f"{name}.sha256" for name in names}
