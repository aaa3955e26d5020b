"""`tryon synthesize`: options, output paths and frozen versions."""

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

pytestmark = pytest.mark.slow


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path)


def test_options_default_without_params_yaml(workspace):
    assert make_request(None, {"train_pairs": 5, "seed": None}, workspace) == SynthesisRequest(
        SyntheticSettings(train_pairs=5), 0
    )


def test_options_default_to_params_yaml(workspace):
    shutil.copy(ROOT / "params" / "default.yaml", workspace.params_file)
    parameters = load_parameters(workspace.params_file)
    assert make_request(None, {}, workspace) == SynthesisRequest(parameters.download.synthetic, parameters.seed)
    options = {"train_pairs": 3, "seed": 9, "difficulty": "wild", "uv": True, "parsing_noise_fraction": 0.5}
    request = make_request(None, options, workspace)
    assert request.seed == 9
    del options["seed"]
    assert request.settings.model_dump() == {**parameters.download.synthetic.model_dump(), **options}


def test_rejects_invalid_params_yaml(workspace):
    workspace.params_file.write_text("seed: [")
    with pytest.raises(ParameterError, match="YAML"):
        make_request(None, {"train_pairs": 3}, workspace)


def test_version_fixes_all_settings_except_added_files(workspace):
    shutil.copy(ROOT / "params" / "default.yaml", workspace.params_file)
    version = VERSIONS["twin:v1"]
    assert make_request("twin:v1", {}, workspace) == SynthesisRequest(version.settings, version.seed, "twin:v1")
    added = make_request("twin:v1", {"uv": True, "flow": True}, workspace).settings
    assert added == version.settings.model_copy(update={"uv": True, "flow": "all"})
    with pytest.raises(ParameterError, match="--version twin:v1 ") as error:
        make_request("twin:v1", {"seed": 1, "difficulty": "easy"}, workspace)
    assert "--difficulty, --seed" in error.value.problem
    assert "Omit --difficulty, --seed;" in error.value.hint


def test_suffix_or_switch_selects_zip(tmp_path):
    assert output_path(tmp_path / "set.v1", False) == tmp_path / "set.v1"
    assert output_path(tmp_path / "set.v1", True) == tmp_path / "set.v1.zip"
    assert output_path(tmp_path / "set.ZIP", False) == tmp_path / "set.ZIP"
    (tmp_path / "empty").mkdir()
    assert output_path(tmp_path / "empty", False) == tmp_path / "empty"


def test_requires_params_yaml_only_in_an_explicit_root(tmp_path):
    assert find_workspace(None) == Workspace()
    with pytest.raises(ParameterError, match=r"--root .*params\.yaml"):
        find_workspace(tmp_path)
    (tmp_path / "params.yaml").touch()
    assert find_workspace(tmp_path) == Workspace(tmp_path)


def test_describes_a_request_in_one_line():
    assert describe(SynthesisRequest(SyntheticSettings(train_pairs=2000), 7)) == (
        "2000 + 30 pairs per category, seed 7, difficulty catalogue"
    )
    everything = SyntheticSettings(
        train_pairs=1, test_pairs=2, difficulty="wild", uv=True, flow=True, parsing_noise_fraction=0.3
    )
    assert describe(SynthesisRequest(everything, 0)) == (
        "1 + 2 pairs per category, seed 0, difficulty wild, uv, flow of all pairs, parsing noise 0.3"
    )


@pytest.mark.parametrize("name", ["set.zip", "set.truth.zip"])
def test_never_replaces_an_archive_or_its_ground_truth(tmp_path, name):
    (tmp_path / name).write_text("weeks of work")
    for out, zipped in (tmp_path / "set", True), (tmp_path / "set.zip", False):
        with pytest.raises(ParameterError, match=rf"--out .*{name}\b"):
            output_path(out, zipped)
    assert truth_archive_path(tmp_path / "set.zip") == tmp_path / "set.truth.zip"


@pytest.mark.parametrize("out", ["", ".", "/", "..", "sub/..", "../here", "x" * 300, "link", "dangling", "link.zip"])
@pytest.mark.parametrize("zipped", [False, True])
def test_rejects_paths_that_cannot_be_replaced(tmp_path, monkeypatch, out, zipped):
    here = tmp_path / "here"
    for folder in (here, tmp_path / "empty"):
        folder.mkdir()
    monkeypatch.chdir(here)
    for link, destination in (("link", "empty"), ("dangling", "nowhere"), ("link.zip", "nowhere")):
        (tmp_path / link).symlink_to(tmp_path / destination)
    if out in ("../here", "dangling") and zipped:
        assert output_path(Path(out), zipped) == Path(f"{here / out}.zip").resolve()
        return
    with pytest.raises(ParameterError, match="--out"):
        output_path(tmp_path / out if "link" in out or "dangling" in out else Path(out), zipped)


def test_rejects_a_mount_point(tmp_path, monkeypatch):
    (tmp_path / "disk").mkdir()
    monkeypatch.setattr(Path, "is_mount", lambda self: self.name == "disk")
    with pytest.raises(ParameterError, match=r"disk .*mount point"):
        output_path(tmp_path / "disk", False)


def test_compares_a_written_version(tmp_path, monkeypatch):
    monkeypatch.setenv("TRYON_WORKERS", "1")
    small = Version("twin:small", 7, SyntheticSettings(train_pairs=1, test_pairs=2))
    monkeypatch.setitem(VERSIONS, small.name, small)
    request = SynthesisRequest(small.settings, small.seed, small.name)
    message = synthesize(request, tmp_path / "set", no_progress)
    actual = versions.content_hash(tmp_path / "set")
    assert f"no content hash yet; computed {actual}" in message
    monkeypatch.setitem(VERSIONS, small.name, Version(small.name, 7, small.settings, actual))
    message = synthesize(request, tmp_path / "set.zip", no_progress)
    assert message == f"verified twin:small: the content hash matches ({actual})"
    monkeypatch.setitem(VERSIONS, small.name, Version(small.name, 7, small.settings, "0" * 64, made_with="OpenCV 1"))
    with pytest.raises(SourceError, match=r"again .*twin:small") as error:
        synthesize(request, tmp_path / "again", no_progress)
    assert error.value.found == actual
    assert "0" * 64 in error.value.expected
    assert "frozen with OpenCV 1, here OpenCV" in error.value.hint
    assert versions.content_hash(tmp_path / "again") == actual
