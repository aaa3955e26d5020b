"""Recipes side by side: the same people, whoever else is there, and the faults that each recipe has."""

from dataclasses import asdict

import pytest

from tryon.agnostic.masks.audit import audit
from tryon.agnostic.method_comparison import compare_methods, hash_sample
from tryon.agnostic.process_person import MaskJob, PersonFiles, RawFile, process_person
from tryon.categories import Category
from tryon.config.agnostic import AgnosticSettings
from tryon.workspace import Workspace

LOWER = Category.LOWER_BODY


@pytest.fixture
def people(tmp_path, figure, write_one):
    """Two people in trousers and two in skirts."""
    workspace = Workspace(tmp_path)
    made = []
    for number, worn in enumerate(("trousers", "skirt", "trousers", "skirt")):
        columns = write_one(workspace, LOWER, f"{number:06d}", figure.with_(worn=worn, size=(128, 96)))
        files = [RawFile(columns[role], columns[f"{role}_sha256"]) for role in ("label_map", "dense_pose", "keypoints")]
        made.append(PersonFiles(f"{number:06d}", *files))
    return workspace, made


def test_skirts_show_what_the_official_recipe_leaves_visible(people):
    workspace, sample = people
    making = MaskJob(LOWER, AgnosticSettings(), (128, 96), workspace)
    own = {person.person_id: process_person(person, making) for person in sample}
    told = {(row["method"], row["worn"]): row for row in compare_methods(sample, own, making)}
    kinds = ("all", "skirt", "trousers")
    assert list(told) == [(recipe, kind) for recipe in ("fitting-room", "dresscode-official") for kind in kinds]
    assert [told["dresscode-official", kind]["people"] for kind in kinds] == [4, 2, 2]
    assert told["fitting-room", "all"]["leak_fraction"] == 0
    assert told["fitting-room", "all"]["leaking"] == 0
    assert told["dresscode-official", "skirt"]["leak_fraction"] > 0.5
    assert [told["dresscode-official", kind]["leaking"] for kind in kinds] == [0.5, 1, 0]
    assert told["fitting-room", "all"]["mask_fraction"] == pytest.approx(
        sum(row["mask_fraction"] for row in own.values()) / 4, abs=1e-6
    )


def test_the_chosen_recipe_comes_first(people):
    workspace, sample = people
    settings = AgnosticSettings.model_validate({"method": "dresscode-official"})
    making = MaskJob(LOWER, settings, (128, 96), workspace)
    own = {person.person_id: process_person(person, making) for person in sample}
    told = compare_methods(sample, own, making)
    assert [row["method"] for row in told] == ["dresscode-official"] * 3 + ["fitting-room"] * 3


def test_people_whose_files_do_not_decode_are_left_out(people, figure):
    workspace, sample = people
    making = MaskJob(LOWER, AgnosticSettings(), (128, 96), workspace)
    nothing = dict.fromkeys(asdict(audit(LOWER, figure.label_map > 0, *figure.maps)))
    own = {person.person_id: nothing for person in sample}
    told = compare_methods(sample, own, making)
    assert [(row["people"], row["leak_fraction"], row["leaking"]) for row in told] == [(0, None, None)] * 2


def test_the_sample_depends_on_names_only():
    names = [f"{number:06d}" for number in range(300)]
    sample = hash_sample(names, 50)
    assert hash_sample(reversed(names), 50) == sample
    assert len(set(sample)) == 50
    assert hash_sample(names[:5], 50) == sorted(names[:5], key=hash_sample(names, 300).index)
    more = hash_sample([*names, *(f"x{number}" for number in range(300))], 50)
    assert 10 < len(set(more) & set(sample)) < 40  # half of them give way to new ones
