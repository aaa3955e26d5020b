"""Run form of the pipeline: every key of `params.yaml` with description, range and choices, all optional.

Prefect builds a form from a flow's parameters, filled in with their values at registration. Such a form would overwrite
later edits of `params.yaml`. Therefore all fields are empty, an empty field leaves the key unchanged, and the value at
registration is part of the description.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, Union, get_args

from pydantic import AfterValidator, BaseModel, Field, SerializerFunctionWrapHandler, create_model, model_serializer
from pydantic.fields import FieldInfo
from pydantic.json_schema import SkipJsonSchema, WithJsonSchema

from tryon.categories import Category
from tryon.config.overrides import format_value, nullable_keys
from tryon.config.parameters import Parameters, load_parameters
from tryon.config.presets import describe_constraint, preset_names
from tryon.config.schema import Settings
from tryon.errors import TryOnError, redact_urls
from tryon.pipeline.stages import PER_CATEGORY, STAGES
from tryon.workspace import Workspace


def _without_default(schema: dict[str, Any]) -> None:
    """Drop a `default` of null, which the form would show as a choice between a value and none."""
    schema.pop("default", None)


_NO_CREDENTIALS = r"^(?!.*://\S*[@?#])"
"""Pattern checked by Prefect's server, so that a URL with credentials is rejected before it is stored."""


class OptionalSettings(Settings):
    """Base of the form's models, which omits empty fields when it is serialized."""

    @model_serializer(mode="wrap")
    def _omit_empty(self, write: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {key: value for key, value in write(self).items() if value not in (None, "", {})}


def make_optional_model(
    model: type[BaseModel], current: BaseModel | None = None, name: str = ""
) -> type[OptionalSettings]:
    """Create a copy of a settings model with all keys optional.

    Args:
        model: model of a section, or `Parameters`.
        current: its current values for the descriptions; None if they are unknown.
        name: name of the new model.
    """
    fields: dict[str, Any] = {}
    schemas = model.model_json_schema()["properties"]
    for key, field in model.model_fields.items():
        kind, value = field.annotation, getattr(current, key, None)
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            section = make_optional_model(kind, value, f"{name}{key.title()}")
            fields[key] = (section, _empty(key, section(), field.description))
        else:
            constraint = describe_constraint(schemas[key])
            text = format_value(list(value) if isinstance(value, tuple) else value)
            at_start = "" if current is None else f" Value at server start: {text}."
            description = f"{field.description} ({constraint[:1].upper()}{constraint[1:]}.{at_start})"
            fields[key] = (_optional_type(field), _empty(key, None, description))
    return create_model(name or model.__name__, __base__=OptionalSettings, __doc__=model.__doc__, **fields)


def _optional_type(field: FieldInfo) -> Any:
    kind: Any = field.annotation
    if type(None) in get_args(kind):
        kind = Union[tuple(arg for arg in get_args(kind) if arg is not type(None))]  # noqa: UP007
    if kind is bool:  # the form would show a switch and send it as off when untouched
        kind = Annotated[kind, WithJsonSchema({"enum": [True, False]})]
    if kind is str:  # the validator is for runs that are started without a server
        kind = Annotated[
            str, AfterValidator(_reject_credentials), WithJsonSchema({"type": "string", "pattern": _NO_CREDENTIALS})
        ]
    if field.metadata:
        kind = Annotated[(kind, *field.metadata)]
    return kind | SkipJsonSchema[None]


def _empty(key: str, value: Any, description: str | None) -> Any:
    return Field(value, title=key, description=description, json_schema_extra=_without_default)


def _reject_credentials(text: str) -> str:
    if text != redact_urls(text):
        raise ValueError("a URL with credentials or a query would be stored by Prefect; write it into params.yaml")
    return text


def _current_parameters() -> Parameters | None:
    try:
        return load_parameters(Workspace().params_file)
    except TryOnError:  # reported when a run loads it
        return None


_STAGE_NAMES = {stage: [f"{stage}@{category}" for category in Category if stage in PER_CATEGORY] for stage in STAGES}

UNCHANGED = "unchanged"  # preset that keeps `params.yaml`

if TYPE_CHECKING:  # created from files at run time
    Overrides = OptionalSettings
    StageName = str
    Preset = str
    NullableKey = str
else:
    Overrides = make_optional_model(Parameters, _current_parameters())
    """Keys of `params.yaml` to change; empty fields are unchanged."""

    StageName = StrEnum("StageName", {name: name for stage, parts in _STAGE_NAMES.items() for name in (stage, *parts)})
    """All stages; those with categories also one by one."""

    Preset = StrEnum("Preset", {name: name for name in (UNCHANGED, *preset_names(Workspace()))})
    """The files in `params/`."""

    NullableKey = StrEnum("NullableKey", {key: key for key in nullable_keys()})
    """Keys that may be null."""
