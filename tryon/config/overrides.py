"""Edit `params.yaml`: apply a preset and single keys in one step, preserving comments and layout."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedSeq
from ruamel.yaml.error import YAMLError
from ruamel.yaml.representer import RoundTripRepresenter

from tryon.config.parameters import Parameters, parse_parameters, read_parameter_file
from tryon.config.presets import preset_text
from tryon.errors import ParameterError, redact_urls
from tryon.runtime.atomic_files import write_text
from tryon.workspace import Workspace


@dataclass(frozen=True)
class Change:
    """Change of a key of `params.yaml` ("finetune.lr")."""

    key: str
    before: Any
    after: Any

    def __str__(self) -> str:
        return f"{self.key}: {format_value(self.before)} -> {format_value(self.after)}"


@dataclass(frozen=True)
class ConfigUpdate:
    """Validated configuration that is not written yet.

    Args:
        text: new content of `params.yaml`.
        parameters: the same, parsed.
        changes: differences to the current file by key.
    """

    text: str
    parameters: Parameters
    changes: list[Change] = field(default_factory=list)

    def write(self, workspace: Workspace) -> None:
        """Replace `params.yaml` if anything changed."""
        if self.changes:
            write_text(workspace.params_file, self.text)


def prepare_update(
    workspace: Workspace, preset: str | None = None, values: Mapping[str, Any] | None = None, nulls: Sequence[str] = ()
) -> ConfigUpdate:
    """Compute and validate the new content of `params.yaml` without writing it.

    Args:
        workspace: the project.
        preset: start from `params/<preset>.yaml` instead of `params.yaml`, including its `download.source`.
        values: sections and keys to set, nested as in the file.
        nulls: keys ("finetune.early_stop_patience") to set to null.

    Raises:
        ParameterError: there is no such preset, or the result is invalid; the message lists all invalid keys.
    """
    before = read_parameter_file(workspace.params_file)
    text, name = before, str(workspace.params_file)
    if preset:
        text, name = preset_text(workspace, preset), f"preset {preset}"
    new_values = dict(flatten(values or {}))
    for key in sorted({*new_values} & {*nulls}):
        raise ParameterError(f"{key} is both set to a value and to null", found=new_values[key])
    new_values |= dict.fromkeys(nulls)
    if new_values:
        parse_parameters(text, name)  # update_yaml needs a valid file
        text, name = update_yaml(text, new_values), "the overrides"
    parameters = parse_parameters(text, name)
    old, new = dict(flatten(_parse_yaml(before))), dict(flatten(_parse_yaml(text)))
    changed = [key for key in {**old, **new} if old.get(key, ...) != new.get(key, ...)]
    return ConfigUpdate(text, parameters, [Change(key, old.get(key), new.get(key)) for key in changed])


def flatten(content: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield every key of nested mappings, joined with dots, with its value."""
    for name, value in content.items() if isinstance(content, Mapping) else ():
        if isinstance(value, Mapping):
            yield from flatten(value, f"{prefix}{name}.")
        else:
            is_list = isinstance(value, Sequence) and not isinstance(value, str)
            yield f"{prefix}{name}", list(value) if is_list else value


def format_value(value: Any) -> str:
    """Format a value for display, with credentials in URLs redacted."""
    return "null" if value is None else redact_urls(str(value))


def nullable_keys(model: type[BaseModel] = Parameters, prefix: str = "") -> list[str]:
    """Return the keys of `params.yaml` that may be null."""
    keys: list[str] = []
    for name, info in model.model_fields.items():
        kind = info.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            keys += nullable_keys(kind, f"{prefix}{name}.")
        elif type(None) in getattr(kind, "__args__", ()):
            keys.append(prefix + name)
    return keys


def update_yaml(text: str, values: Mapping[str, Any]) -> str:
    """Set keys ("finetune.lr") in the text of a YAML mapping, preserving comments and layout.

    Args:
        text: a valid mapping.
        values: values by key; missing sections are added.

    >>> update_yaml("seed: 1  # of all random streams\\n", {"seed": 2})
    'seed: 2  # of all random streams\\n'
    """
    yaml = YAML()
    yaml.Representer = _NullRepresenter
    yaml.preserve_quotes = True
    yaml.width = 4096
    content = yaml.load(text)
    for key, value in values.items():
        *path, last = key.split(".")
        section = content
        for part in path:
            section = section.setdefault(part, {})
        if isinstance(value, list):
            value = CommentedSeq(value)
            value.fa.set_flow_style()  # on one line, as in the presets
        section[last] = value
    out = io.StringIO()
    yaml.dump(content, out)
    return out.getvalue()


class _NullRepresenter(RoundTripRepresenter):
    """Representer that writes None as `null` instead of an empty value."""

    def represent_none(self, data: Any) -> Any:
        """Return the scalar `null`."""
        del data
        return self.represent_scalar("tag:yaml.org,2002:null", "null")


_NullRepresenter.add_representer(type(None), _NullRepresenter.represent_none)


def _parse_yaml(text: str) -> Any:
    """Parse YAML; return None for invalid text, so that all of it counts as changed."""
    try:
        return YAML(typ="safe", pure=True).load(text)
    except (YAMLError, ValueError):
        return None
