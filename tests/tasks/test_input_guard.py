"""Inputs edited while a stage runs make it fail; changes of layout or time do not."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

from tasks.input_guard import ChangedInputError, assert_inputs_unchanged
from tryon.categories import Category
from tryon.errors import MissingInputError
from tryon.pipeline import external_inputs as inputs
from tryon.runtime.code_version import ROOT
from tryon.workspace import Workspace

STAGES = """stages:
  agnostic:
    matrix: {category: [upper_body, dresses]}
    cmd: not run
    deps: ["index/${item.category}", code]
    params: [seed, image.size, agnostic]
  evaluate:
    cmd: not run
    params: [{data/weights.json: [metrics]}]
"""


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    shutil.copy(ROOT / "params" / "default.yaml", tmp_path / "params.yaml")
    (tmp_path / "dvc.yaml").write_text(STAGES)
    for name in ("index/upper_body", "index/dresses", "code/mask.py", "code/deeper/fill.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("before")
    return Workspace(tmp_path)


def edit(workspace: Workspace, name: str, text: str) -> None:
    path = workspace.root / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)


@pytest.mark.parametrize("name", ["index/dresses", "code/mask.py", "code/deeper/fill.py", "code/new.py"])
def test_edited_dependency_is_named(workspace: Workspace, name: str) -> None:
    with (
        pytest.raises(ChangedInputError, match=rf"inputs of agnostic changed while it ran \({name}\)"),
        assert_inputs_unchanged("agnostic", Category.DRESSES, workspace),
    ):
        edit(workspace, name, "after!")


def test_removed_dependency_is_named(workspace: Workspace) -> None:
    with (
        pytest.raises(ChangedInputError, match=r"code/mask\.py"),
        assert_inputs_unchanged("agnostic", Category.DRESSES, workspace),
    ):
        (workspace.root / "code/mask.py").unlink()


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ("seed: 7", "seed: 8", r"\(params\.yaml: seed\)"),
        ("size: [128, 96]", "size: [64, 48]", r"\(params\.yaml: image\.size\)"),
    ],
)
def test_edited_parameter_is_named(workspace: Workspace, old: str, new: str, named: str) -> None:
    text = workspace.params_file.read_text()
    with (
        pytest.raises(ChangedInputError, match=named),
        assert_inputs_unchanged("agnostic", Category.DRESSES, workspace),
    ):
        workspace.params_file.write_text(text.replace(old, new))


def test_other_files_and_layout_may_change(workspace: Workspace) -> None:
    text = workspace.params_file.read_text()
    with assert_inputs_unchanged("agnostic", Category.DRESSES, workspace):
        edit(workspace, "index/upper_body", "after!")
        edit(workspace, "code/__pycache__/mask.pyc", "after!")
        workspace.params_file.write_text(
            text.replace("seed: 7", "seed: 7  # lucky").replace("include_densepose_uv: f", "include_densepose_uv:  f")
        )
        os.utime(workspace.root / "code/mask.py", ns=(1, 1))
    with assert_inputs_unchanged("unknown", None, workspace):
        pass


def test_files_are_hashed_again_only_if_their_stat_changed(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    hashed: list[str] = []
    sha256_file = inputs.sha256_file
    monkeypatch.setattr(inputs, "sha256_file", lambda path, *rest: hashed.append(path.name) or sha256_file(path, *rest))
    with assert_inputs_unchanged("agnostic", Category.DRESSES, workspace):
        assert sorted(hashed) == ["dresses", "fill.py", "mask.py"]
        hashed.clear()
        os.utime(workspace.root / "code/mask.py", ns=(1, 1))
    assert hashed == ["mask.py"]


def test_error_of_the_stage_is_unchanged(workspace: Workspace) -> None:
    def broken() -> None:
        edit(workspace, "code/mask.py", "after!")
        raise RuntimeError("a bug")

    with pytest.raises(RuntimeError, match="a bug"), assert_inputs_unchanged("agnostic", Category.DRESSES, workspace):
        broken()


def test_unrecorded_weights_stop_the_stages_that_read_them(workspace: Workspace) -> None:
    metrics = dict.fromkeys(("alexnet", "inception", "inception_clean", "squeezenet", "vgg16"))
    edit(workspace, "data/weights.json", json.dumps({"start": None, "metrics": metrics}))
    with assert_inputs_unchanged("evaluate", None, workspace):
        pass
    edit(workspace, "data/weights/alexnet-owt-7be5be79.pth", "anything")
    with (
        pytest.raises(MissingInputError, match=r"weights\.json.*`tryon refresh-inputs`"),
        assert_inputs_unchanged("evaluate", None, workspace),
    ):
        raise AssertionError("started")
