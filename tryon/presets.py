"""Choosing and describing the active configuration: presets in `params/`, the list of every key."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tryon.errors import ParameterError, SourceError
from tryon.files import write_text
from tryon.inputs import refresh_inputs
from tryon.parameter_text import with_values
from tryon.parameters import Parameters, parse_parameters, read_parameter_file
from tryon.progress import Progress, silent
from tryon.workspace import Workspace


def preset_names(workspace: Workspace) -> list[str]:
    """Names that `use_preset` takes: the files in `params/`."""
    return sorted(path.stem for path in (workspace.root / "params").glob("*.yaml"))


def use_preset(workspace: Workspace, preset: str, source: str | None = None, progress: Progress = silent) -> None:
    """Put `params/<preset>.yaml` in the place of `params.yaml` and note what it reads from outside.

    Args:
        workspace: the project.
        preset: a name of `preset_names`.
        source: written as `download.source`, comments kept; None leaves the preset's own.
        progress: told what is looked at.

    Raises:
        ParameterError: there is no such preset, or it breaks a rule. `params.yaml` then stays as it was.
        SourceError: the source cannot be looked at; `params.yaml` then stays as it was too.
    """
    text = preset_text(workspace, preset)
    path = _preset_file(workspace, preset)
    parameters = parse_parameters(text, str(path))
    if source is not None:
        text = with_values(text, {"download.source": source})
        parameters = parse_parameters(text, str(path))
    try:
        refresh_inputs(workspace, parameters, progress)
    except SourceError as error:
        if source is not None:
            raise
        remedy = f"Name yours: `tryon use {preset} --source <folder or zip>`."
        raise SourceError(error.what, rule=error.rule, value=error.value, remedy=remedy) from None
    write_text(workspace.params_file, text)


def preset_text(workspace: Workspace, preset: str) -> str:
    """Text of `params/<preset>.yaml`.

    Raises:
        ParameterError: there is no such preset, or its file cannot be read.
    """
    if preset not in preset_names(workspace):
        names = ", ".join(preset_names(workspace)) or "none"
        remedy = f"Presets are the files in {workspace.root / 'params'}: {names}."
        raise ParameterError("preset", rule="is the name of a preset", value=preset, remedy=remedy)
    return read_parameter_file(_preset_file(workspace, preset))


def parameter_list() -> str:
    """Every key of `params.yaml` as text: key, type and rule, default, and what it means on a line of its own."""
    schema = Parameters.model_json_schema()
    return "\n".join(
        f"{key}  {rule_text(field)}{_default(field)}\n    {field.get('description', '')}"
        for key, field in _leaves(schema, schema.get("$defs", {}), "")
    )


def _preset_file(workspace: Workspace, preset: str) -> Path:
    return workspace.root / "params" / f"{preset}.yaml"


def _leaves(schema: dict[str, Any], known: dict[str, Any], prefix: str) -> list[tuple[str, dict[str, Any]]]:
    found: list[tuple[str, dict[str, Any]]] = []
    for name, field in schema["properties"].items():
        section = known.get(field.get("$ref", "").rpartition("/")[2])
        if section:
            found += _leaves(section, known, f"{prefix}{name}.")
        else:
            found.append((prefix + name, field))
    return found


_BOUNDS = {
    "minimum": "at least {}",
    "exclusiveMinimum": "above {}",
    "maximum": "at most {}",
    "exclusiveMaximum": "below {}",
    "pattern": "matching {}",
}


def rule_text(field: dict[str, Any]) -> str:
    """Type and rule of a key in words, from its JSON schema."""
    if "anyOf" in field:
        return " or ".join(rule_text(choice) for choice in field["anyOf"])
    if "enum" in field or "const" in field:
        return "one of " + ", ".join(map(str, field.get("enum", [field.get("const")])))
    kind = {"null": "none", "array": "list"}.get(field.get("type", ""), str(field.get("type", "anything")))
    if "prefixItems" in field:
        kind += f" of {len(field['prefixItems'])}, each {rule_text(field['prefixItems'][0])}"
    elif "items" in field:
        kind += f" of {rule_text(field['items'])}"
    return ", ".join([kind, *(text.format(field[key]) for key, text in _BOUNDS.items() if key in field)])


def _default(field: dict[str, Any]) -> str:
    if "default" not in field:
        return ""
    value = field["default"]
    return f"  (default: {'none' if value is None else value})"
