"""Load and validate `params.yaml`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from tryon.config.agnostic import AgnosticSettings
from tryon.config.download import DownloadSettings
from tryon.config.evaluate import EvaluateSettings
from tryon.config.sample import SampleSettings
from tryon.config.schema import Settings
from tryon.config.training import FinetuneSettings, PretrainSettings
from tryon.errors import ParameterError

Side = Annotated[int, Field(ge=16, le=4096)]


class ImageSettings(Settings):
    """Image size."""

    size: tuple[Side, Side] = Field(
        (512, 384), description="Height and width of masks, packed images and training, in pixels."
    )


class Parameters(Settings):
    """All settings of `params.yaml`, one section per stage."""

    seed: int = Field(0, ge=0, lt=2**32, description="Random seed of all stages.")
    image: ImageSettings = Field(description="Image size.")
    download: DownloadSettings = Field(description="Data source.")
    agnostic: AgnosticSettings = Field(description="Masks.")
    sample: SampleSettings = Field(description="Selection of pairs.")
    pretrain: PretrainSettings = Field(description="Initial weights.")
    finetune: FinetuneSettings = Field(description="Fine-tuning on all three categories.")
    evaluate: EvaluateSettings = Field(description="Metrics and report.")


def load_parameters(path: Path) -> Parameters:
    """Load and validate a parameter file.

    Raises:
        ParameterError: the file is missing or not YAML, or keys are unknown, missing, of the wrong type or out of
            range; the message lists all of them.
    """
    return parse_parameters(read_parameter_file(path), str(path))


def read_parameter_file(path: Path) -> str:
    """Read the text of a parameter file; a ParameterError says why it cannot be read."""
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise ParameterError(
            f"{path} not found", hint="Run the command in the project folder, or name the folder with --root."
        ) from error
    except (OSError, UnicodeDecodeError) as error:
        raise ParameterError(
            f"{path} cannot be read ({error})", hint="Save it as UTF-8 text or restore it from git."
        ) from error


def parse_parameters(text: str, name: str) -> Parameters:
    """Parse and validate the text of a parameter file, named `name` in messages; see `load_parameters`."""
    try:
        content = YAML(typ="safe", pure=True).load(text)
    except (YAMLError, ValueError) as error:  # ValueError: an impossible date
        raise ParameterError(f"{name} is not valid YAML ({' '.join(str(error).split())})") from error
    return validate_parameters(content, name)


def validate_parameters(content: Any, name: str) -> Parameters:
    """Validate the parsed content of a parameter file, named `name` in messages; see `load_parameters`."""
    try:
        return Parameters.model_validate(content)
    except ValidationError as error:
        unknown: list[str] = []
        problems: list[str] = []
        for detail in error.errors():
            key = ".".join(map(str, detail["loc"])) or "file"
            if detail["type"] == "extra_forbidden":
                unknown.append(key)
            else:
                value = "" if detail["type"] == "missing" else f", found {detail['input']!r}"
                problems.append(f"{key}: {detail['msg'][0].lower()}{detail['msg'][1:]}{value}")
        if unknown:
            problems.insert(0, f"unknown {'key' if len(unknown) == 1 else 'keys'} {', '.join(unknown)}")
        raise ParameterError(
            f"invalid settings in {name}: {'; '.join(problems)}",
            hint="Run `tryon list-params` to list all keys and their ranges.",
        ) from None
