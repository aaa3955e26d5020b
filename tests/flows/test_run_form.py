"""The run form offers every setting and fills in none, so that a run changes only what was entered."""

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

pytestmark = pytest.mark.slow

SCHEMA: dict[str, Any] = parameter_schema(pipeline).model_dump()


def flatten_schema(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the schemas by key ("finetune.lr")."""
    fields = {}
    for name, field in schema["properties"].items():
        if "$ref" in field:
            inner = SCHEMA["definitions"][field["$ref"].rpartition("/")[2]]
            fields |= {f"{name}.{key}": value for key, value in flatten_schema(inner).items()}
        else:
            fields[name] = field
    return fields


FIELDS = flatten_schema(SCHEMA["definitions"]["Parameters"])


def test_form_has_every_key() -> None:
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
        assert "anyOf" not in field, f"{key} would be shown as a choice of types"
        assert field.get("type") != "boolean", f"{key}: the form sends untouched switches as off"


def test_descriptions_contain_meaning_range_and_value() -> None:
    lr = FIELDS["finetune.lr"]
    assert lr["description"].startswith("Peak learning rate of AdamW. (Number, above 0, at most 1.")
    assert (lr["exclusiveMinimum"], lr["maximum"]) == (0, 1)
    assert FIELDS["finetune.precision"]["enum"] == ["32-true", "bf16-mixed", "16-mixed", "64-true"]
    assert FIELDS["download.include_densepose_uv"]["enum"] == [True, False]
    assert all(field["description"].strip() for field in FIELDS.values())


def test_only_entered_values_are_serialized() -> None:
    assert Overrides().model_dump() == {}
    entered = {
        "finetune": {"lr": 0.1, "freeze_bn_stats": False},
        "image": {"size": [64, 48]},
        "download": {"licence": ""},
    }
    assert dict(flatten(Overrides.model_validate(entered).model_dump())) == {
        "finetune.lr": 0.1,
        "finetune.freeze_bn_stats": False,
        "image.size": [64, 48],
    }


@pytest.mark.parametrize(
    "invalid", [{"finetune": {"lr": 2}}, {"finetune": {"lr": "0.1"}}, {"color": 1}, {"seed": True}]
)
def test_invalid_values_are_rejected(invalid: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Overrides.model_validate(invalid)


@pytest.mark.parametrize("source", ["https://me:word@host/a.zip", "s3://bucket/a?key=1", "https://host/a#token=1"])
def test_credentials_are_rejected_before_they_are_stored(source: str) -> None:
    """Prefect's server checks the pattern; a run without a server checks the model."""
    with pytest.raises(ValidationError, match=r"params\.yaml"):
        Overrides.model_validate({"download": {"source": source}})
    pattern = FIELDS["download.source"]["pattern"]
    assert not re.search(pattern, source)
    for valid in ("synthetic", "../my photos #1", "s3://bucket/dresscode", "https://host/a.zip", "C:/me@home"):
        assert re.search(pattern, valid)
        assert Overrides.model_validate({"download": {"source": valid}}).model_dump()


def test_credentials_in_params_are_redacted_in_descriptions() -> None:
    current = load_parameters(ROOT / "params.yaml")
    download = current.download.model_copy(update={"source": "https://me:word@host/a.zip?key=1"})
    schema = json.dumps(
        make_optional_model(Parameters, current.model_copy(update={"download": download})).model_json_schema()
    )
    assert "https://***@host/a.zip?***" in schema
    assert "word@" not in schema


def test_choices_of_drop_downs() -> None:
    assert [str(name) for name in StageName if "@" not in name] == list(STAGES)
    assert {f"agnostic@{category}" for category in Category} <= {str(name) for name in StageName}
    assert [str(key) for key in NullableKey] == nullable_keys()
    assert next(iter(Preset)) == "unchanged"
    assert {"default", "dresscode"} <= {str(name) for name in Preset}
