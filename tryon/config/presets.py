"""Choosing and describing the active configuration: presets in `params/`, the list of every key."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tryon.config.parameters import Parameters, read_parameter_file
from tryon.errors import ParameterError
from tryon.workspace import Workspace


def preset_names(workspace: Workspace) -> list[str]:
    """Names that `activate_preset` takes: the files in `params/`."""
    return sorted(path.stem for path in (workspace.root / "params").glob("*.yaml"))


def preset_text(workspace: Workspace, preset: str) -> str:
    """Text of `params/<preset>.yaml`.

    Raises:
        ParameterError: there is no such preset, or its file cannot be read.
    """
    if preset not in preset_names(workspace):
        names = ", ".join(preset_names(workspace)) or "none"
        remedy = f"Presets are the files in {workspace.root / 'params'}: {names}."
        raise ParameterError("preset", expected="is the name of a preset", found=preset, hint=remedy)
    return read_parameter_file(preset_file(workspace, preset))


def describe_parameters() -> str:
    """Every key of `params.yaml` as text: key, type and rule, default, and what it means on a line of its own."""
    schema = Parameters.model_json_schema()
    return "\n".join(
        f"{key}  {describe_constraint(field)}{_default(field)}\n    {field.get('description', '')}"
        for key, field in _flatten_schema(schema, schema.get("$defs", {}), "")
    )


def preset_file(workspace: Workspace, preset: str) -> Path:
    """Return the path of `params/<preset>.yaml`."""
    return workspace.root / "params" / f"{preset}.yaml"


def _flatten_schema(schema: dict[str, Any], known: dict[str, Any], prefix: str) -> list[tuple[str, dict[str, Any]]]:
    found: list[tuple[str, dict[str, Any]]] = []
    for name, field in schema["properties"].items():
        section = known.get(field.get("$ref", "").rpartition("/")[2])
        if section:
            found += _flatten_schema(section, known, f"{prefix}{name}.")
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


def describe_constraint(field: dict[str, Any]) -> str:
    """Type and rule of a key in words, from its JSON schema."""
    if "anyOf" in field:
        return " or ".join(describe_constraint(choice) for choice in field["anyOf"])
    if "enum" in field or "const" in field:
        return "one of " + ", ".join(map(str, field.get("enum", [field.get("const")])))
    kind = {"null": "none", "array": "list"}.get(field.get("type", ""), str(field.get("type", "anything")))
    if "prefixItems" in field:
        kind += f" of {len(field['prefixItems'])}, each {describe_constraint(field['prefixItems'][0])}"
    elif "items" in field:
        kind += f" of {describe_constraint(field['items'])}"
    return ", ".join([kind, *(text.format(field[key]) for key, text in _BOUNDS.items() if key in field)])


def _default(field: dict[str, Any]) -> str:
    if "default" not in field:
        return ""
    value = field["default"]
    return f"  (default: {'none' if value is None else value})"
