"""What the options of `tryon synthesize` come to."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tryon.config.download import SyntheticSettings
from tryon.config.parameters import load_parameters
from tryon.errors import ParameterError, SourceError
from tryon.runtime.code_version import ROOT
from tryon.runtime.progress import no_progress
from tryon.synthetic import versions
from tryon.synthetic.archive import truth_archive_path
from tryon.synthetic.synthesize import SynthesisRequest, describe, find_workspace, make_request, output_path, synthesize
from tryon.synthetic.versions import VERSIONS, Version
from tryon.workspace import Workspace


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path)


def test_without_params_yaml_what_is_not_given_has_its_default(workspace):
    assert make_request(None, {"train_pairs": 5, "seed": None}, workspace) == SynthesisRequest(
        SyntheticSettings(train_pairs=5), 0
    )


def test_what_is_not_given_stands_in_params_yaml(workspace):
    shutil.copy(ROOT / "params" / "default.yaml", workspace.params_file)
    parameters = load_parameters(workspace.params_file)
    assert make_request(None, {}, workspace) == SynthesisRequest(parameters.download.synthetic, parameters.seed)
    given = {"train_pairs": 3, "seed": 9, "difficulty": "wild", "uv": True, "parsing_noise_fraction": 0.5}
    order = make_request(None, given, workspace)
    assert order.seed == 9
    del given["seed"]
    assert order.settings.model_dump() == {**parameters.download.synthetic.model_dump(), **given}


def test_a_broken_params_yaml_is_an_error(workspace):
    workspace.params_file.write_text("seed: [")
    with pytest.raises(ParameterError, match="YAML"):
        make_request(None, {"train_pairs": 3}, workspace)


def test_a_version_fixes_everything_but_the_added_planes(workspace):
    shutil.copy(ROOT / "params" / "default.yaml", workspace.params_file)
    version = VERSIONS["twin:v1"]
    assert make_request("twin:v1", {}, workspace) == SynthesisRequest(version.settings, version.seed, "twin:v1")
    added = make_request("twin:v1", {"uv": True, "flow": True}, workspace).settings
    assert added == version.settings.model_copy(update={"uv": True, "flow": "all"})
    with pytest.raises(ParameterError, match="Leave out --difficulty, --seed"):
        make_request("twin:v1", {"seed": 1, "difficulty": "easy"}, workspace)


def test_the_ending_or_the_switch_makes_it_a_zip(tmp_path):
    assert output_path(tmp_path / "twin.v1", False) == tmp_path / "twin.v1"
    assert output_path(tmp_path / "twin.v1", True) == tmp_path / "twin.v1.zip"
    assert output_path(tmp_path / "twin.ZIP", False) == tmp_path / "twin.ZIP"
    (tmp_path / "empty").mkdir()
    assert output_path(tmp_path / "empty", False) == tmp_path / "empty"


def test_the_current_folder_may_be_without_params_yaml_but_not_one_that_is_named(tmp_path):
    assert find_workspace(None) == Workspace()
    with pytest.raises(ParameterError, match=r"--root: is a folder with params\.yaml"):
        find_workspace(tmp_path)
    (tmp_path / "params.yaml").touch()
    assert find_workspace(tmp_path) == Workspace(tmp_path)


def test_an_order_is_told_in_a_line():
    assert describe(SynthesisRequest(SyntheticSettings(train_pairs=2000), 7)) == (
        "2000 + 30 pairs per category, seed 7, level catalogue"
    )
    everything = SyntheticSettings(
        train_pairs=1, test_pairs=2, difficulty="wild", uv=True, flow=True, parsing_noise_fraction=0.3
    )
    assert describe(SynthesisRequest(everything, 0)) == (
        "1 + 2 pairs per category, seed 0, level wild, uv, flow of all pairs, parser errors 0.3"
    )


@pytest.mark.parametrize("there", ["twin.zip", "twin.truth.zip"])
def test_an_archive_or_a_truth_that_is_there_is_never_replaced(tmp_path, there):
    (tmp_path / there).write_text("weeks of work")
    for out, zipped in (tmp_path / "twin", True), (tmp_path / "twin.zip", False):
        with pytest.raises(ParameterError, match=f"--out: is not there yet.*{there}"):
            output_path(out, zipped)
    assert truth_archive_path(tmp_path / "twin.zip") == tmp_path / "twin.truth.zip"


@pytest.mark.parametrize("out", ["", ".", "/", "..", "sub/..", "../here", "x" * 300, "link", "dangling", "link.zip"])
@pytest.mark.parametrize("zipped", [False, True])
def test_what_cannot_give_way_is_refused_at_once(tmp_path, monkeypatch, out, zipped):
    here = tmp_path / "here"
    for folder in (here, tmp_path / "empty"):
        folder.mkdir()
    monkeypatch.chdir(here)
    for link, place in (("link", "empty"), ("dangling", "nowhere"), ("link.zip", "nowhere")):
        (tmp_path / link).symlink_to(tmp_path / place)
    if out in ("../here", "dangling") and zipped:
        assert output_path(Path(out), zipped) == Path(f"{here / out}.zip").resolve()
        return
    with pytest.raises(ParameterError, match="--out"):
        output_path(tmp_path / out if "link" in out or "dangling" in out else Path(out), zipped)


def test_a_mount_point_is_refused(tmp_path, monkeypatch):
    (tmp_path / "disk").mkdir()
    monkeypatch.setattr(Path, "is_mount", lambda self: self.name == "disk")
    with pytest.raises(ParameterError, match="no mount point"):
        output_path(tmp_path / "disk", False)


def test_a_version_is_written_and_compared(tmp_path, monkeypatch):
    monkeypatch.setenv("TRYON_WORKERS", "1")
    small = Version("twin:small", 7, SyntheticSettings(train_pairs=1, test_pairs=2))
    monkeypatch.setitem(VERSIONS, small.name, small)
    order = SynthesisRequest(small.settings, small.seed, small.name)
    said = synthesize(order, tmp_path / "twin", no_progress)
    found = versions.content_hash(tmp_path / "twin")
    assert f"no content hash yet; this one's is {found}" in said
    monkeypatch.setitem(VERSIONS, small.name, Version(small.name, 7, small.settings, found))
    assert "this is twin:small" in synthesize(order, tmp_path / "twin.zip", no_progress)
    monkeypatch.setitem(VERSIONS, small.name, Version(small.name, 7, small.settings, "0" * 64, made_with="OpenCV 1"))
    with pytest.raises(SourceError, match=rf"{'0' * 64} \(found: '{found}'\).*frozen with OpenCV 1, here OpenCV"):
        synthesize(order, tmp_path / "again", no_progress)
    assert versions.content_hash(tmp_path / "again") == found
