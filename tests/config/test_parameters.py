"""Loading and validation of params.yaml: all invalid keys are listed in one message."""

import re
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


def test_committed_files_are_valid():
    for path in [ROOT / "params.yaml", *ROOT.glob("params/*.yaml")]:
        load_parameters(path)


def test_unknown_key_is_named(content):
    content["finetune"]["learning_rate"] = 3
    with pytest.raises(ParameterError, match=r"params\.yaml: unknown key finetune\.learning_rate\b"):
        validate_parameters(content, "params.yaml")


def test_all_keys_of_an_old_file_are_listed(content):
    """Keys of version 0.1 that were renamed, in several sections."""
    old = {
        "download": {"keep_uv": False, "max_bad_fraction": 0.01},
        "agnostic": {"recipe": "fitting-room", "limits": {"max_bad_fraction": 0.0}},
        "sample": {"pairs_per_category": 1800, "validation_share": 0.1},
        "pretrain": {"start": "released", "accumulate": 1, "patience": None},
        "finetune": {"flow_lr_share": 1.0, "clip_norm": 10.0},
        "evaluate": {"gallery_rows": 6, "beside": None},
    }
    for section, keys in old.items():
        content[section] |= keys
    content["finetune"]["loss"] |= {"hidden_weight": 1.0}
    with pytest.raises(ParameterError) as raised:
        validate_parameters(content, "params.yaml")
    assert "unknown keys " in raised.value.problem
    listed = re.findall(r"[\w.]+\.\w+", raised.value.problem.partition("unknown keys ")[2])
    assert sorted(listed) == sorted(
        [*(f"{section}.{key}" for section, keys in old.items() for key in keys), "finetune.loss.hidden_weight"]
    )


def test_all_problems_are_listed_at_once(content):
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


def test_missing_file_and_invalid_yaml_are_rejected(tmp_path):
    with pytest.raises(ParameterError, match=r"params\.yaml not found"):
        load_parameters(tmp_path / "params.yaml")
    (tmp_path / "params.yaml").write_text("seed: [1")
    with pytest.raises(ParameterError, match="not valid YAML"):
        load_parameters(tmp_path / "params.yaml")


def test_settings_are_immutable(content):
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
def test_values_of_other_types_are_rejected(content, key, value):
    *sections, name = key.split(".")
    section = content
    for part in sections:
        section = section[part]
    section[name] = value
    with pytest.raises(ParameterError, match=key):
        validate_parameters(content, "params.yaml")


def test_integer_is_accepted_as_float_and_list_as_tuple(content):
    content["finetune"]["flip_prob"] = 1
    parameters = validate_parameters(content, "params.yaml")
    assert parameters.finetune.flip_prob == 1.0
    assert parameters.image.size == (128, 96)


def test_file_that_is_not_text_is_rejected(tmp_path):
    (tmp_path / "params.yaml").write_bytes("# Größe\nseed: 7".encode("latin-1"))
    (tmp_path / "folder.yaml").mkdir()
    for name in ("params.yaml", "folder.yaml"):
        with pytest.raises(ParameterError, match=rf"{name} cannot be read.*UTF-8"):
            load_parameters(tmp_path / name)
    (tmp_path / "params.yaml").write_text("seed: 2024-13-45")
    with pytest.raises(ParameterError, match="not valid YAML"):
        load_parameters(tmp_path / "params.yaml")


@pytest.mark.parametrize("source", [None, "synthetic"])
def test_preset_that_is_not_yaml_is_rejected(tmp_path, source):
    (tmp_path / "params").mkdir()
    (tmp_path / "params/mine.yaml").write_text("download: {source: [1")
    with pytest.raises(ParameterError, match=r"mine\.yaml"):
        activate_preset(Workspace(tmp_path), "mine", source)
    assert not (tmp_path / "params.yaml").exists()
