"""Changing the active configuration: a preset, some keys, or both, written in one step or not at all."""

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
    """A key of `params.yaml` ("finetune.lr") with its value before and after."""

    key: str
    before: Any
    after: Any

    def __str__(self) -> str:
        return f"{self.key}: {format_value(self.before)} -> {format_value(self.after)}"


@dataclass(frozen=True)
class ConfigUpdate:
    """A configuration that is checked and not yet written.

    Args:
        text: content for `params.yaml`.
        parameters: the same, parsed.
        changes: what differs from the file as it is, key by key.
    """

    text: str
    parameters: Parameters
    changes: list[Change] = field(default_factory=list)

    def write(self, workspace: Workspace) -> None:
        """Put it in the place of `params.yaml`, if it differs at all."""
        if self.changes:
            write_text(workspace.params_file, self.text)


def prepare_update(
    workspace: Workspace, preset: str | None = None, values: Mapping[str, Any] | None = None, nulls: Sequence[str] = ()
) -> ConfigUpdate:
    """Work out what `params.yaml` would be. Comments and layout stay.

    Args:
        workspace: the project.
        preset: starts from `params/<preset>.yaml` instead of from `params.yaml`; its `download.source` too.
        values: sections and keys to set, nested as in the file.
        nulls: keys ("finetune.early_stop_patience") to set to null.

    Raises:
        ParameterError: there is no such preset, or the result would break a rule; every such key is named.
    """
    before = read_parameter_file(workspace.params_file)
    text, name = (
        (preset_text(workspace, preset), f"preset {preset}") if preset else (before, str(workspace.params_file))
    )
    wanted = dict(flatten(values or {}))
    twice = sorted({*wanted} & {*nulls})
    if twice:
        raise ParameterError(twice[0], expected="is either set or made null, not both", found=wanted[twice[0]])
    wanted |= dict.fromkeys(nulls)
    if wanted:
        parse_parameters(text, name)  # so that it is well-formed
        text, name = update_yaml(text, wanted), "these settings"
    parameters = parse_parameters(text, name)
    now, then = dict(flatten(_parse_yaml(before))), dict(flatten(_parse_yaml(text)))
    keys = list(dict.fromkeys([*now, *then]))
    changes = [Change(key, now.get(key), then.get(key)) for key in keys if now.get(key, ...) != then.get(key, ...)]
    return ConfigUpdate(text, parameters, changes)


def flatten(content: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Every key below nested mappings with its value, the key written with dots."""
    for name, value in content.items() if isinstance(content, Mapping) else ():
        if isinstance(value, Mapping):
            yield from flatten(value, f"{prefix}{name}.")
        else:
            yield (
                f"{prefix}{name}",
                list(value) if isinstance(value, Sequence) and not isinstance(value, str) else value,
            )


def format_value(value: Any) -> str:
    """A value as people read it, without the secrets that a URL may hold."""
    return "null" if value is None else redact_urls(str(value))


def nullable_keys(model: type[BaseModel] = Parameters, prefix: str = "") -> list[str]:
    """Keys of `params.yaml` that may be null."""
    found: list[str] = []
    for name, info in model.model_fields.items():
        kind = info.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            found += nullable_keys(kind, f"{prefix}{name}.")
        elif type(None) in getattr(kind, "__args__", ()):
            found.append(prefix + name)
    return found


def _parse_yaml(text: str) -> Any:
    """Content of a file; nothing if it is broken, and so all of it is a change."""
    try:
        return YAML(typ="safe", pure=True).load(text)
    except (YAMLError, ValueError):
        return None


class _Representer(RoundTripRepresenter):
    """Writes the word null, which ruamel leaves out otherwise."""

    def represent_none(self, data: Any) -> Any:
        """As the files have it."""
        del data
        return self.represent_scalar("tag:yaml.org,2002:null", "null")


_Representer.add_representer(type(None), _Representer.represent_none)


def update_yaml(text: str, values: Mapping[str, Any]) -> str:
    """The text with some keys ("finetune.lr") set.

    Args:
        text: a well-formed mapping.
        values: values by key; a section that is not there yet is added.
    """
    yaml = YAML()
    yaml.Representer = _Representer
    yaml.preserve_quotes = True
    yaml.width = 4096
    content = yaml.load(text)
    for key, value in values.items():
        *path, last = key.split(".")
        section = content
        for part in path:
            section = section.setdefault(part, {})
        section[last] = _to_flow_style(value)
    out = io.StringIO()
    yaml.dump(content, out)
    return out.getvalue()


def _to_flow_style(value: Any) -> Any:
    """Lists in one line, as the files have them."""
    if not isinstance(value, list):
        return value
    line = CommentedSeq(value)
    line.fa.set_flow_style()
    return line
