"""Read presets in `params/` and describe every key of `params.yaml`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tryon.config.parameters import Parameters, read_parameter_file
from tryon.errors import ParameterError
from tryon.workspace import Workspace

_BOUNDS = {
    "minimum": "at least {}",
    "exclusiveMinimum": "above {}",
    "maximum": "at most {}",
    "exclusiveMaximum": "below {}",
    "pattern": "matching {}",
}


def preset_names(workspace: Workspace) -> list[str]:
    """Return the names of all presets: the files in `params/`."""
    return sorted(path.stem for path in (workspace.root / "params").glob("*.yaml"))


def preset_file(workspace: Workspace, preset: str) -> Path:
    """Return the path of `params/<preset>.yaml`."""
    return workspace.root / "params" / f"{preset}.yaml"


def preset_text(workspace: Workspace, preset: str) -> str:
    """Read the text of `params/<preset>.yaml`; a ParameterError lists the presets if there is no such file."""
    names = preset_names(workspace)
    if preset not in names:
        raise ParameterError(
            f"{preset_file(workspace, preset)} not found", hint=f"Choose one of {', '.join(names) or 'no presets'}."
        )
    return read_parameter_file(preset_file(workspace, preset))


def describe_parameters() -> str:
    """Describe every key of `params.yaml`: type, range, default and meaning."""
    schema = Parameters.model_json_schema()
    return "\n".join(
        f"{key}  {describe_constraint(field)}{_format_default(field)}\n    {field.get('description', '')}"
        for key, field in _flatten_schema(schema, schema.get("$defs", {}), "")
    )


def describe_constraint(field: dict[str, Any]) -> str:
    """Describe the type and range of a key in words, from its JSON schema."""
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


def _flatten_schema(schema: dict[str, Any], sections: dict[str, Any], prefix: str) -> list[tuple[str, dict[str, Any]]]:
    fields: list[tuple[str, dict[str, Any]]] = []
    for name, field in schema["properties"].items():
        section = sections.get(field.get("$ref", "").rpartition("/")[2])
        if section:
            fields += _flatten_schema(section, sections, f"{prefix}{name}.")
        else:
            fields.append((prefix + name, field))
    return fields


def _format_default(field: dict[str, Any]) -> str:
    if "default" not in field:
        return ""
    value = field["default"]
    return f"  (default: {'none' if value is None else value})"
