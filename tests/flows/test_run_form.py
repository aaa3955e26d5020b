"""The run form: every setting offered, none filled in, so that a run changes what was typed and nothing else."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from prefect.utilities.callables import parameter_schema
from pydantic import ValidationError

from flows.pipeline import pipeline
from flows.run_form import NullableKey, Overrides, Preset, StageName, make_optional_model
from tryon.categories import Category
from tryon.config.overrides import flatten, nullable_keys
from tryon.config.parameters import Parameters, load_parameters
from tryon.pipeline.stages import STAGES
from tryon.runtime.code_version import ROOT

SCHEMA: dict[str, Any] = parameter_schema(pipeline).model_dump()


def resolved(schema: dict[str, Any]) -> dict[str, Any]:
    """Keys with dots and their schemas."""
    found = {}
    for name, field in schema["properties"].items():
        if "$ref" in field:
            inner = SCHEMA["definitions"][field["$ref"].rpartition("/")[2]]
            found |= {f"{name}.{key}": value for key, value in resolved(inner).items()}
        else:
            found[name] = field
    return found


FIELDS = resolved(SCHEMA["definitions"]["Parameters"])


def test_every_key_of_the_parameters_is_offered() -> None:
    def keys(model, prefix=""):
        for name, field in model.model_fields.items():
            if hasattr(field.annotation, "model_fields"):
                yield from keys(field.annotation, f"{prefix}{name}.")
            else:
                yield prefix + name

    assert list(FIELDS) == list(keys(Parameters))


def test_no_field_is_filled_in() -> None:
    assert SCHEMA["properties"]["settings"]["default"] == {}
    for key, field in FIELDS.items():
        assert "default" not in field, key
        assert "null" not in str(field.get("type")), key
        assert "anyOf" not in field, f"{key} would be drawn as a choice of types"
        assert field.get("type") != "boolean", f"{key}: the page sends untouched switches as off"


def test_fields_tell_meaning_rule_and_value() -> None:
    lr = FIELDS["finetune.lr"]
    assert lr["description"].startswith("Peak learning rate of AdamW. (Number, above 0, at most 1.")
    assert (lr["exclusiveMinimum"], lr["maximum"]) == (0, 1)
    assert FIELDS["finetune.precision"]["enum"] == ["32-true", "bf16-mixed", "16-mixed", "64-true"]
    assert FIELDS["download.include_densepose_uv"]["enum"] == [True, False]
    assert all(field["description"].strip() for field in FIELDS.values())


def test_only_what_was_typed_comes_out() -> None:
    assert Overrides().model_dump() == {}
    typed = {
        "finetune": {"lr": 0.1, "freeze_bn_stats": False},
        "image": {"size": [64, 48]},
        "download": {"licence": ""},
    }
    assert dict(flatten(Overrides.model_validate(typed).model_dump())) == {
        "finetune.lr": 0.1,
        "finetune.freeze_bn_stats": False,
        "image.size": [64, 48],
    }


@pytest.mark.parametrize("wrong", [{"finetune": {"lr": 2}}, {"finetune": {"lr": "0.1"}}, {"color": 1}, {"seed": True}])
def test_what_breaks_a_rule_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Overrides.model_validate(wrong)


@pytest.mark.parametrize("source", ["https://me:word@host/a.zip", "s3://bucket/a?key=1", "https://host/a#token=1"])
def test_secrets_are_refused_before_they_are_kept(source: str) -> None:
    """Prefect's server checks by the pattern; a run that is started without it, by the model."""
    with pytest.raises(ValidationError, match=r"params\.yaml"):
        Overrides.model_validate({"download": {"source": source}})
    pattern = FIELDS["download.source"]["pattern"]
    assert not re.search(pattern, source)
    for good in ("synthetic", "../my photos #1", "s3://bucket/dresscode", "https://host/a.zip", "C:/me@home"):
        assert re.search(pattern, good)
        assert Overrides.model_validate({"download": {"source": good}}).model_dump()


def test_secrets_that_params_yaml_holds_are_not_described() -> None:
    now = load_parameters(ROOT / "params.yaml")
    held = now.download.model_copy(update={"source": "https://me:word@host/a.zip?key=1"})
    schema = json.dumps(make_optional_model(Parameters, now.model_copy(update={"download": held})).model_json_schema())
    assert "https://***@host/a.zip?***" in schema
    assert "word@" not in schema


def test_drop_downs() -> None:
    assert [str(name) for name in StageName if "@" not in name] == list(STAGES)
    assert {f"agnostic@{category}" for category in Category} <= {str(name) for name in StageName}
    assert [str(key) for key in NullableKey] == nullable_keys()
    assert next(iter(Preset)) == "unchanged"
    assert {"default", "dresscode"} <= {str(name) for name in Preset}
