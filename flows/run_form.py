"""The settings of `params.yaml` as a form: every key with its description, range and choices, and none filled in.

Prefect draws a form from a flow's parameters, and fills in the values they have when the flow is registered. A form
filled in that way would write yesterday's values over today's edits of `params.yaml`. So every field here is empty, and
empty means: leave the file's value alone. The value a key had is told in its description instead.
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
    """Nothing to fill in: a `default` of null would be drawn as a choice between a value and none."""
    schema.pop("default", None)


_EMPTY_MAPPING = r"^(?!.*://\S*[@?#])"
"""What is typed must match this, so that it is refused before it is kept."""

_SECRET = "has a name, a password or a query in its address, and Prefect keeps what is typed: write it into params.yaml"


class OptionalSettings(Settings):
    """Base of the form's models: what is empty is not there when it is written out."""

    @model_serializer(mode="wrap")
    def _filled_in(self, write: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {key: value for key, value in write(self).items() if value not in (None, "", {})}


def make_optional_model(
    model: type[BaseModel], current: BaseModel | None = None, name: str = ""
) -> type[OptionalSettings]:
    """A copy of a settings model in which every key may stay empty.

    Args:
        model: of a section, or `Parameters`.
        current: its current content; None where that is not known.
        name: of the copy.
    """
    fields: dict[str, Any] = {}
    schemas = model.model_json_schema()["properties"]
    for key, field in model.model_fields.items():
        kind, value = field.annotation, getattr(current, key, None)
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            section = make_optional_model(kind, value, f"{name}{key.title()}")
            fields[key] = (section, _empty(key, section(), field.description))
        else:
            was = "" if current is None else f" Was {_format_default(value)} when serving began."
            told = f"{field.description} ({_capital(describe_constraint(schemas[key]))}.{was})"
            fields[key] = (_optional_type(field), _empty(key, None, told))
    return create_model(name or model.__name__, __base__=OptionalSettings, __doc__=model.__doc__, **fields)


def _optional_type(field: FieldInfo) -> Any:
    kind: Any = field.annotation
    if type(None) in get_args(kind):
        kind = Union[tuple(one for one in get_args(kind) if one is not type(None))]  # noqa: UP007
    if kind is bool:  # a switch has no third position, and the form would send every one that nobody touched as off
        kind = Annotated[kind, WithJsonSchema({"enum": [True, False]})]
    if kind is str:  # checked by Prefect's server, and here for runs that are started without one
        kind = Annotated[
            str, AfterValidator(_reject_credentials), WithJsonSchema({"type": "string", "pattern": _EMPTY_MAPPING})
        ]
    if field.metadata:
        kind = Annotated[(kind, *field.metadata)]
    return kind | SkipJsonSchema[None]


def _empty(key: str, value: Any, description: str | None) -> Any:
    return Field(value, title=key, description=description, json_schema_extra=_without_default)


def _format_default(value: Any) -> str:
    return format_value(list(value) if isinstance(value, tuple) else value)


def _reject_credentials(text: str) -> str:
    if text != redact_urls(text):
        raise ValueError(_SECRET)
    return text


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _current() -> Parameters | None:
    try:
        return load_parameters(Workspace().params_file)
    except TryOnError:  # told when a run reads it
        return None


_EACH = {stage: [f"{stage}@{category}" for category in Category if stage in PER_CATEGORY] for stage in STAGES}

UNCHANGED = "unchanged"
"""In the drop-down of presets: keep `params.yaml`."""

if TYPE_CHECKING:  # made of what is there, so that a checker knows but their kind
    Overrides = OptionalSettings
    StageName = str
    Preset = str
    NullableKey = str
else:
    Overrides = make_optional_model(Parameters, _current())
    """Keys of `params.yaml` to change; what is left empty stays as it is."""

    StageName = StrEnum("StageName", {name: name for stage, own in _EACH.items() for name in (stage, *own)})
    """The stages, for a drop-down; a category's own stage as well as all of them together."""

    Preset = StrEnum("Preset", {name: name for name in (UNCHANGED, *preset_names(Workspace()))})
    """The files in `params/`, for a drop-down."""

    NullableKey = StrEnum("NullableKey", {key: key for key in nullable_keys()})
    """Keys that may be null, which an empty field cannot say."""
