"""Activate a preset: copy `params/<preset>.yaml` to `params.yaml` and refresh the recorded inputs."""

from __future__ import annotations

from tryon.config.overrides import update_yaml
from tryon.config.parameters import parse_parameters
from tryon.config.presets import preset_file, preset_text
from tryon.errors import SourceError
from tryon.pipeline.external_inputs import refresh_inputs
from tryon.runtime.atomic_files import write_text
from tryon.runtime.progress import Progress, no_progress
from tryon.workspace import Workspace


def activate_preset(
    workspace: Workspace, preset: str, source: str | None = None, progress: Progress = no_progress
) -> None:
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
    path = preset_file(workspace, preset)
    parameters = parse_parameters(text, str(path))
    if source is not None:
        text = update_yaml(text, {"download.source": source})
        parameters = parse_parameters(text, str(path))
    try:
        refresh_inputs(workspace, parameters, progress)
    except SourceError as error:
        if source is not None:
            raise
        remedy = f"Name yours: `tryon use-preset {preset} --source <folder or zip>`."
        raise SourceError(error.problem, expected=error.expected, found=error.found, hint=remedy) from None
    write_text(workspace.params_file, text)
