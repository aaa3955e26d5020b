"""Parameters are read and checked as a whole, and every problem names its key."""

from pathlib import Path

import pytest
from ruamel.yaml import YAML

from tryon.config.parameters import load_parameters, validate_parameters
from tryon.errors import ParameterError
from tryon.pipeline.use_preset import activate_preset
from tryon.workspace import Workspace

ROOT = Path(__file__).parents[2]


@pytest.fixture
def content():
    return YAML(typ="safe", pure=True).load((ROOT / "params.yaml").read_text())


def test_the_committed_files_are_valid():
    for path in [ROOT / "params.yaml", *ROOT.glob("params/*.yaml")]:
        load_parameters(path)


def test_an_unknown_key_is_named_with_its_value(content):
    content["finetune"]["learning_rate"] = 3
    with pytest.raises(ParameterError, match=r"finetune\.learning_rate: unknown key, found 3"):
        validate_parameters(content, "params.yaml")


def test_all_problems_are_told_at_once(content):
    content["seed"] = "seven"
    content["image"]["size"] = [128]
    del content["sample"]
    with pytest.raises(ParameterError) as raised:
        validate_parameters(content, "params.yaml")
    message = str(raised.value)
    assert "seed:" in message
    assert "'seven'" in message
    assert "image.size" in message
    assert "sample: field required" in message


def test_an_absent_file_and_broken_yaml_are_user_errors(tmp_path):
    with pytest.raises(ParameterError, match="exists"):
        load_parameters(tmp_path / "params.yaml")
    (tmp_path / "params.yaml").write_text("seed: [1")
    with pytest.raises(ParameterError, match="is YAML"):
        load_parameters(tmp_path / "params.yaml")


def test_settings_cannot_be_changed_after_loading(content):
    parameters = validate_parameters(content, "params.yaml")
    with pytest.raises(ValueError, match="frozen"):
        parameters.seed = 1


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("seed", "7"),
        ("seed", True),
        ("seed", 7.0),
        ("image.size", ["128", "96"]),
        ("download.include_densepose_uv", "yes"),
        ("download.max_invalid_fraction", "0.5"),
        ("finetune.flip_prob", True),
        ("finetune.weight_decay", float("inf")),
        ("finetune.max_grad_norm", float("nan")),
        ("pretrain.network.encoder_channels", [16, 32.0]),
        ("evaluate.required_metrics", "fid"),
    ],
)
def test_no_value_is_taken_for_one_of_another_type(content, key, value):
    *sections, name = key.split(".")
    section = content
    for part in sections:
        section = section[part]
    section[name] = value
    with pytest.raises(ParameterError, match=key):
        validate_parameters(content, "params.yaml")


def test_a_whole_number_may_stand_for_a_fraction_and_a_list_for_a_tuple(content):
    content["finetune"]["flip_prob"] = 1
    parameters = validate_parameters(content, "params.yaml")
    assert parameters.finetune.flip_prob == 1.0
    assert parameters.image.size == (128, 96)


def test_a_file_that_is_no_text_is_a_user_error(tmp_path):
    (tmp_path / "params.yaml").write_bytes("# Größe\nseed: 7".encode("latin-1"))
    (tmp_path / "folder.yaml").mkdir()
    for name in ("params.yaml", "folder.yaml"):
        with pytest.raises(ParameterError, match=r"yaml: is a text file in UTF-8.*Save it"):
            load_parameters(tmp_path / name)
    (tmp_path / "params.yaml").write_text("seed: 2024-13-45")
    with pytest.raises(ParameterError, match="is YAML"):
        load_parameters(tmp_path / "params.yaml")


@pytest.mark.parametrize("source", [None, "synthetic"])
def test_a_preset_that_is_not_yaml_is_a_user_error(tmp_path, source):
    (tmp_path / "params").mkdir()
    (tmp_path / "params/mine.yaml").write_text("download: {source: [1")
    with pytest.raises(ParameterError, match=r"mine\.yaml"):
        activate_preset(Workspace(tmp_path), "mine", source)
    assert not (tmp_path / "params.yaml").exists()
