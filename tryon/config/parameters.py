"""`params.yaml`, loaded and checked once: one frozen settings object per stage."""

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
    """The one size of masks, packed images and training."""

    size: tuple[Side, Side] = Field((512, 384), description="Height and width in pixels.")


class Parameters(Settings):
    """All of `params.yaml`."""

    seed: int = Field(0, ge=0, lt=2**32, description="Seed of everything that is drawn.")
    image: ImageSettings = Field(description="Size of images.")
    download: DownloadSettings = Field(description="Where the data come from.")
    agnostic: AgnosticSettings = Field(description="How the garment is hidden.")
    sample: SampleSettings = Field(description="Which pairs are used.")
    pretrain: PretrainSettings = Field(description="The starting point.")
    finetune: FinetuneSettings = Field(description="Training on all three categories.")
    evaluate: EvaluateSettings = Field(description="What is scored and shown.")


def load_parameters(path: Path) -> Parameters:
    """Read and check `params.yaml`.

    Raises:
        ParameterError: the file is absent or not YAML, or a key is unknown, missing, ill-typed or out of range; every
            such key is named with its rule and its value.
    """
    return parse_parameters(read_parameter_file(path), str(path))


def read_parameter_file(path: Path) -> str:
    """Text of a parameter file.

    Raises:
        ParameterError: the file is absent, cannot be read or is not UTF-8.
    """
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        remedy = "Run the command in the project's folder, or name the folder with --root."
        raise ParameterError(str(path), expected="exists", hint=remedy) from error
    except (OSError, UnicodeDecodeError) as error:
        remedy = "Save it as UTF-8 or put back the one that came with the project."
        raise ParameterError(str(path), expected="is a text file in UTF-8", found=str(error), hint=remedy) from error


def parse_parameters(text: str, name: str) -> Parameters:
    """Parse and check the text of a parameter file; `name` stands in messages.

    Raises:
        ParameterError: as `load_parameters`.
    """
    try:
        content = YAML(typ="safe", pure=True).load(text)
    except (YAMLError, ValueError) as error:  # ValueError: a date that there is not
        raise ParameterError(name, expected="is YAML", found=str(error).replace("\n", " ")) from error
    return validate_parameters(content, name)


def validate_parameters(content: Any, name: str) -> Parameters:
    """Check the content of a parameter file; `name` stands in messages."""
    try:
        return Parameters.model_validate(content)
    except ValidationError as error:
        problems = [_problem(detail) for detail in error.errors()]
        remedy = "Mend the file; `tryon list-params` lists every key with its rule."
        raise ParameterError(name, expected="; ".join(problems), hint=remedy) from None


def _problem(detail: Any) -> str:
    key = ".".join(str(part) for part in detail["loc"]) or "the file"
    rule = "unknown key" if detail["type"] == "extra_forbidden" else detail["msg"]
    value = "" if detail["type"] == "missing" else f", found {detail['input']!r}"
    return f"{key}: {rule[0].lower()}{rule[1:]}{value}"
