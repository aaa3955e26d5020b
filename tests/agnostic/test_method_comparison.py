"""Comparison of mask methods on the same people."""

from dataclasses import asdict

import pytest

from tryon.agnostic.masks.audit import audit
from tryon.agnostic.method_comparison import compare_methods
from tryon.agnostic.process_person import MaskJob, PersonFiles, RawFile, process_person
from tryon.categories import Category
from tryon.config.agnostic import AgnosticSettings
from tryon.workspace import Workspace

LOWER = Category.LOWER_BODY


@pytest.fixture
def people(tmp_path, figure, write_one):
    """Two people in trousers and two in skirts."""
    workspace = Workspace(tmp_path)
    files_of_people = []
    for number, worn in enumerate(("trousers", "skirt", "trousers", "skirt")):
        columns = write_one(workspace, LOWER, f"{number:06d}", figure.with_(worn=worn, size=(128, 96)))
        files = [RawFile(columns[role], columns[f"{role}_sha256"]) for role in ("label_map", "dense_pose", "keypoints")]
        files_of_people.append(PersonFiles(f"{number:06d}", *files))
    return workspace, files_of_people


def test_official_method_leaves_skirts_visible(people):
    workspace, sample = people
    job = MaskJob(LOWER, AgnosticSettings(), (128, 96), workspace)
    audits = {person.person_id: process_person(person, job) for person in sample}
    results = {(row["method"], row["worn"]): row for row in compare_methods(sample, audits, job)}
    worn_types = ("all", "skirt", "trousers")
    assert list(results) == [
        (method, worn_type) for method in ("fitting-room", "dresscode-official") for worn_type in worn_types
    ]
    assert [results["dresscode-official", worn_type]["people"] for worn_type in worn_types] == [4, 2, 2]
    assert results["fitting-room", "all"]["leak_fraction"] == 0
    assert results["fitting-room", "all"]["leaking"] == 0
    assert results["dresscode-official", "skirt"]["leak_fraction"] > 0.5
    assert [results["dresscode-official", worn_type]["leaking"] for worn_type in worn_types] == [0.5, 1, 0]
    assert results["fitting-room", "all"]["mask_fraction"] == pytest.approx(
        sum(row["mask_fraction"] for row in audits.values()) / 4, abs=1e-6
    )


def test_selected_method_comes_first(people):
    workspace, sample = people
    settings = AgnosticSettings.model_validate({"method": "dresscode-official"})
    job = MaskJob(LOWER, settings, (128, 96), workspace)
    audits = {person.person_id: process_person(person, job) for person in sample}
    rows = compare_methods(sample, audits, job)
    assert [row["method"] for row in rows] == ["dresscode-official"] * 3 + ["fitting-room"] * 3


def test_people_whose_files_do_not_decode_are_skipped(people, figure):
    workspace, sample = people
    job = MaskJob(LOWER, AgnosticSettings(), (128, 96), workspace)
    nothing = dict.fromkeys(asdict(audit(LOWER, figure.label_map > 0, *figure.maps)))
    audits = {person.person_id: nothing for person in sample}
    rows = compare_methods(sample, audits, job)
    assert [(row["people"], row["leak_fraction"], row["leaking"]) for row in rows] == [(0, None, None)] * 2
