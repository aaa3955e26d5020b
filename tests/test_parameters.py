from pathlib import Path

import pytest
from ruamel.yaml import YAML

from tryon.errors import ParameterError
from tryon.parameters import check_parameters, load_parameters

ROOT = Path(__file__).parents[1]


@pytest.fixture
def content():
    return YAML(typ="safe", pure=True).load((ROOT / "params.yaml").read_text())


def test_the_committed_files_are_valid():
    for path in [ROOT / "params.yaml", *ROOT.glob("params/*.yaml")]:
        load_parameters(path)


def test_an_unknown_key_is_named_with_its_value(content):
    content["finetune"]["learning_rate"] = 3
    with pytest.raises(ParameterError, match=r"finetune\.learning_rate: unknown key, found 3"):
        check_parameters(content, "params.yaml")


def test_all_problems_are_told_at_once(content):
    content["seed"] = "seven"
    content["image"]["size"] = [128]
    del content["sample"]
    with pytest.raises(ParameterError) as raised:
        check_parameters(content, "params.yaml")
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
    parameters = check_parameters(content, "params.yaml")
    with pytest.raises(ValueError, match="frozen"):
        parameters.seed = 1
