"""Activate a preset: copy `params/<preset>.yaml` to `params.yaml` and record its inputs."""

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
    """Replace `params.yaml` by a preset and refresh the recorded inputs. On an error `params.yaml` is unchanged.

    Args:
        workspace: the project.
        preset: one of `preset_names`.
        source: value of `download.source`; None leaves the preset's.
        progress: receives files and MiB hashed.
    """
    text, path = preset_text(workspace, preset), str(preset_file(workspace, preset))
    parameters = parse_parameters(text, path)
    if source is not None:
        text = update_yaml(text, {"download.source": source})
        parameters = parse_parameters(text, path)
    try:
        refresh_inputs(workspace, parameters, progress)
    except SourceError as error:
        if source is not None:
            raise
        raise SourceError(
            error.problem,
            expected=error.expected,
            found=error.found,
            hint=f"Name your data: `tryon use-preset {preset} --source <folder or zip>`.",
        ) from None
    write_text(workspace.params_file, text)
