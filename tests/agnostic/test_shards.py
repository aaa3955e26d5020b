"""Masks of an earlier run are taken up person by person, and only where nothing that they depend on has changed."""

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
def made(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """People whose masks are made from now on, in this process, in shards of two."""
    monkeypatch.setenv("TRYON_WORKERS", "1")
    monkeypatch.setattr(planning, "SHARD_SIZE", 2)
    names: list[str] = []
    work = shards.process_batch

    def noting(people, making):
        names.extend(person.person_id for person in people)
        return work(people, making)

    monkeypatch.setattr(shards, "process_batch", noting)
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


def test_of_an_index_that_has_grown_only_new_people_are_made(indexed, rows, made) -> None:
    run(indexed, without(rows, "000001", "000004"))
    assert made == ["000000", "000002", "000003"]
    made.clear()
    grown = run(indexed, rows)  # one of them in the middle: every shard is another one now
    assert made == ["000001", "000004"]
    shutil.rmtree(indexed.work_dir("agnostic"))
    assert run(indexed, rows) == grown


def test_of_an_index_that_has_shrunk_nothing_is_made(indexed, rows, made) -> None:
    run(indexed, rows)
    made.clear()
    shrunk = run(indexed, without(rows, "000000", "000003"))
    assert made == []
    shutil.rmtree(indexed.work_dir("agnostic"))
    assert run(indexed, without(rows, "000000", "000003")) == shrunk


def test_a_file_with_another_hash_another_recipe_or_another_size_is_made_anew(indexed, rows, made) -> None:
    run(indexed, rows)
    made.clear()
    planned = stage.plan(DRESSES, AgnosticSettings(), SIZE, indexed)
    making, person = planned.job(indexed), planned.shards[0][0]
    assert shards.reusable_shards([[person]], making, planned.config_hash)
    other = person._replace(keypoints=person.keypoints._replace(sha256="0" * 64))
    assert not shards.reusable_shards([[other]], making, planned.config_hash)
    assert not shards.reusable_shards([[person]], making, "another recipe, size or code")
    assert replace(making, size=(64, 48)) != making
    loose = {"max_protected_fraction": 1.0, "max_leak_fraction": 1.0}
    run(indexed, rows, recipe="dresscode-official", limits=loose)
    assert sorted(made) == [f"{number:06d}" for number in range(5)]


def test_a_damaged_shard_is_made_anew_and_the_others_are_not(indexed, rows, made) -> None:
    whole = run(indexed, rows)
    made.clear()
    kept = sorted((indexed.work_dir("agnostic") / "kept" / DRESSES).glob("*.parquet"))
    assert len(kept) == 3
    kept[0].write_bytes(kept[0].read_bytes()[:-1])
    assert run(indexed, rows) == whole
    assert 1 <= len(made) <= 2


def test_only_the_last_run_is_kept(indexed, rows) -> None:
    for chosen in (rows, without(rows, "000000"), rows):
        run(indexed, chosen)
    planned = stage.plan(DRESSES, AgnosticSettings(), SIZE, indexed)
    names = {shards.shard_path(people, planned.job(indexed), planned.config_hash).name for people in planned.shards}
    kept = {path.name for path in (indexed.work_dir("agnostic") / "kept" / DRESSES).iterdir()}
    assert kept == names | {f"{name}.sha256" for name in names}
