"""What `tryon synthesize` does: from options to a folder or zip archives, checked against a frozen version."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from tryon.download.settings import SyntheticSettings
from tryon.errors import ParameterError, SourceError
from tryon.parameters import Parameters, load_parameters
from tryon.progress import Progress
from tryon.workspace import Workspace

MAX_SEED = 2**32

_OPTIONS = {
    "train_pairs": "--pairs",
    "test_pairs": "--test-pairs",
    "level": "--level",
    "parser_errors": "--parser-errors",
    "seed": "--seed",
}
"""Option that gives each setting; the others are switches."""


@dataclass(frozen=True)
class Order:
    """What is to be made.

    Args:
        settings: how many pairs, and what they hold.
        seed: of the archive.
        version: name of the frozen version that this is; None for none.
    """

    settings: SyntheticSettings
    seed: int
    version: str | None = None


def order_of(version: str | None, given: dict[str, Any], workspace: Workspace) -> Order:
    """What the options ask for; what they leave open stands in `params.yaml`, if there is one, or has its default.

    Args:
        version: a frozen version; None for none.
        given: the other options, by the names of the settings and `seed`; None where not given.
        workspace: where `params.yaml` may lie.

    Raises:
        ParameterError: an option or `params.yaml` breaks a rule, or an option says what a version fixes.
    """
    given = {name: value for name, value in given.items() if value is not None}
    if version is not None:
        return _frozen(version, given)
    settings, seed = SyntheticSettings(), int(Parameters.model_fields["seed"].default)  # pyright: ignore[reportCallIssue]
    if workspace.params_file.is_file():
        parameters = load_parameters(workspace.params_file)
        settings, seed = parameters.download.synthetic, parameters.seed
    seed = given.pop("seed", seed)
    if not 0 <= seed < MAX_SEED:
        raise ParameterError("--seed", rule=f"is at least 0 and below {MAX_SEED}", value=seed)
    return Order(_changed(settings, given), seed)


def target_of(out: Path, zipped: bool) -> Path:
    """Where the twin goes: `out` itself, or `out` with `.zip` after it when it is to be zipped.

    Raises:
        ParameterError: something is there that must not be replaced.
    """
    is_zip = out.suffix.lower() == ".zip"
    target = Path(os.path.abspath(out if is_zip or not zipped else f"{out}.zip"))  # noqa: PTH100 - links are kept
    if is_zip or zipped:
        if target.is_dir():
            raise ParameterError("--out", rule="is the path of a zip file to write, not a folder", value=str(target))
    elif target.is_dir() and any(target.iterdir()):
        remedy = "Empty it, name another one, or write a zip archive with --zip."
        raise ParameterError(
            "--out", rule="is a folder that is empty or not there yet", value=str(target), remedy=remedy
        )
    elif target.exists() and not target.is_dir():
        raise ParameterError("--out", rule="is a folder, or ends in .zip", value=str(target))
    return target


def synthesize(order: Order, target: Path, progress: Progress) -> str:
    """Write the twin and, for a frozen version, compare it.

    Args:
        order: what to write.
        target: a path ending in .zip, or a folder.
        progress: told rendered people and hashed members.

    Returns:
        What there is to say about it; empty without a version.

    Raises:
        ParameterError: the place cannot be written.
        SourceError: it is whole, but its bytes are not those of the version.
    """
    from tryon.synthetic.archive import write_archive, write_folder  # slow to import, and only needed from here on

    write = write_archive if target.suffix.lower() == ".zip" else write_folder
    try:
        write(target, order.settings, order.seed, progress)
    except OSError as error:
        raise ParameterError("--out", rule="can be written", value=str(error)) from error
    return _compared(order.version, target, progress) if order.version else ""


def _frozen(name: str, given: dict[str, Any]) -> Order:
    from tryon.synthetic.versions import VERSIONS

    if name not in VERSIONS:
        raise ParameterError("--version", rule=f"is one of {', '.join(VERSIONS)}", value=name)
    fixed = [option for setting, option in _OPTIONS.items() if setting in given]
    if fixed:
        remedy = f"Leave out {', '.join(fixed)}; --uv and --flow may stand beside it."
        raise ParameterError("--version", rule="fixes the seed, the number of pairs and the level", remedy=remedy)
    version = VERSIONS[name]
    return Order(_changed(version.settings, given), version.seed, name)


def _compared(name: str, target: Path, progress: Progress) -> str:
    from tryon.synthetic.versions import VERSIONS, content_hash, toolchain

    version, found = VERSIONS[name], content_hash(target, progress)
    if version.content_hash is None:
        return f"{name} has no content hash yet; this one's is {found} ({toolchain()})"
    if found == version.content_hash:
        return f"this is {name}: every member has the bytes of the frozen version ({found})"
    raise SourceError(
        str(target),
        rule=f"has the content hash of {name}, {version.content_hash}",
        value=found,
        remedy=f"It is whole and usable, but do not call it {name}: the drawing code has changed since, or the "
        f"libraries or the processor differ (frozen with {version.made_with}, here {toolchain()})",
    )


def _changed(settings: SyntheticSettings, given: dict[str, Any]) -> SyntheticSettings:
    try:
        return SyntheticSettings.model_validate({**settings.model_dump(), **given})
    except ValidationError as error:
        detail = error.errors()[0]
        name = str(detail["loc"][0])
        option = _OPTIONS.get(name, f"--{name}")
        raise ParameterError(
            option, rule=detail["msg"][:1].lower() + detail["msg"][1:], value=detail["input"]
        ) from None
