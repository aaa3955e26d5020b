"""What `tryon synthesize` does: from options to a folder or zip archives, checked against a frozen version."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from tryon.config.download import SyntheticSettings
from tryon.config.parameters import Parameters, load_parameters
from tryon.errors import ParameterError, SourceError
from tryon.runtime.progress import Progress
from tryon.workspace import Workspace

MAX_SEED = 2**32

_OPTIONS = {
    "train_pairs": "--pairs",
    "test_pairs": "--test-pairs",
    "difficulty": "--difficulty",
    "parsing_noise_fraction": "--parsing-noise",
    "seed": "--seed",
}
"""Option that gives each setting; the others are switches."""


@dataclass(frozen=True)
class SynthesisRequest:
    """What is to be made.

    Args:
        settings: how many pairs, and what they hold.
        seed: of the archive.
        version: name of the frozen version that this is; None for none.
    """

    settings: SyntheticSettings
    seed: int
    version: str | None = None


def make_request(version: str | None, given: dict[str, Any], workspace: Workspace) -> SynthesisRequest:
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
        raise ParameterError("--seed", expected=f"is at least 0 and below {MAX_SEED}", found=seed)
    return SynthesisRequest(_changed(settings, given), seed)


def find_workspace(root: Path | None) -> Workspace:
    """The folder that was named, or the current one, which may be without `params.yaml`.

    Raises:
        ParameterError: the folder that was named has no `params.yaml`.
    """
    if root is not None and not Workspace(root).params_file.is_file():
        remedy = "Leave out --root to take the defaults for what is not given."
        raise ParameterError("--root", expected="is a folder with params.yaml in it", found=str(root), hint=remedy)
    return Workspace(root or Path())


def output_path(out: Path, zipped: bool) -> Path:
    """Where the twin goes: `out` itself, or `out` with `.zip` after it when it is to be zipped. Nothing is replaced.

    Raises:
        ParameterError: something is there, or the path cannot be looked at.
    """
    if out.name in ("", ".."):
        raise ParameterError("--out", expected="is the path of a new folder or zip file, with a name", found=str(out))
    is_zip = out.suffix.lower() == ".zip"
    target = Path(os.path.abspath(out if is_zip or not zipped else f"{out}.zip"))  # noqa: PTH100 - links are kept
    try:
        _check_free(target, is_zip or zipped)
    except OSError as error:
        raise ParameterError("--out", expected="is a path that can be looked at", found=str(error)) from error
    return target


def describe(request: SynthesisRequest) -> str:
    """What is going to be made, in a line."""
    settings = request.settings
    words = [f"{settings.train_pairs} + {settings.test_pairs} pairs per category", f"seed {request.seed}"]
    words += [f"level {settings.difficulty}", *["uv"] * settings.uv]
    words += [f"flow of {settings.flow} pairs"] * (settings.flow != "none")
    return ", ".join(
        words + [f"parser errors {settings.parsing_noise_fraction:g}"] * (settings.parsing_noise_fraction > 0)
    )


def synthesize(request: SynthesisRequest, target: Path, progress: Progress) -> str:
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
        write(target, request.settings, request.seed, progress)
    except OSError as error:
        raise ParameterError("--out", expected="can be written", found=str(error)) from error
    return _compared(request.version, target, progress) if request.version else ""


def _check_free(target: Path, is_zip: bool) -> None:
    """Refuse what must not be replaced: all but an empty folder, which gives way to the new one."""
    what, above = str(target), next(folder for folder in target.parents if folder.exists())
    if not (above.is_dir() and os.access(above, os.W_OK)):
        raise ParameterError("--out", expected="lies in a folder that can be written to", found=str(above))
    if target.is_symlink():
        raise ParameterError("--out", expected="is no link", found=what, hint="Name the place that it leads to.")
    if is_zip:
        _check_free_zip(target)
    elif target.is_dir():
        if any(target.iterdir()):
            remedy = "Empty it, name another one, or write a zip archive with --zip."
            rule = "is a folder that is empty or not there yet"
            raise ParameterError("--out", expected=rule, found=what, hint=remedy)
        if target.is_mount() or target.samefile(Path.cwd()):
            rule = "is no mount point and not the current folder, which cannot give way to a new one"
            raise ParameterError("--out", expected=rule, found=what, hint="Name a folder in it.")
    elif target.exists():
        raise ParameterError("--out", expected="is a folder, or ends in .zip", found=what)


def _check_free_zip(target: Path) -> None:
    from tryon.synthetic.archive import truth_archive_path  # slow to import

    if target.is_dir():
        raise ParameterError("--out", expected="is the path of a zip file to write, not a folder", found=str(target))
    there = [str(path) for path in (target, truth_archive_path(target)) if path.exists() or path.is_symlink()]
    if there:
        remedy = "Move it away or name another one."
        raise ParameterError("--out", expected="is not there yet, nor its truth", found=", ".join(there), hint=remedy)


def _frozen(name: str, given: dict[str, Any]) -> SynthesisRequest:
    from tryon.synthetic.versions import VERSIONS

    if name not in VERSIONS:
        raise ParameterError("--version", expected=f"is one of {', '.join(VERSIONS)}", found=name)
    fixed = [option for setting, option in _OPTIONS.items() if setting in given]
    if fixed:
        remedy = f"Leave out {', '.join(fixed)}; --uv and --flow may stand beside it."
        rule = "fixes the seed, the number of pairs, the level and the parser errors"
        raise ParameterError("--version", expected=rule, hint=remedy)
    version = VERSIONS[name]
    return SynthesisRequest(_changed(version.settings, given), version.seed, name)


def _compared(name: str, target: Path, progress: Progress) -> str:
    from tryon.synthetic.versions import VERSIONS, content_hash, toolchain

    version, found = VERSIONS[name], content_hash(target, progress)
    if version.content_hash is None:
        return f"{name} has no content hash yet; this one's is {found} ({toolchain()})"
    if found == version.content_hash:
        return f"this is {name}: every member has the bytes of the frozen version ({found})"
    raise SourceError(
        str(target),
        expected=f"has the content hash of {name}, {version.content_hash}",
        found=found,
        hint=f"It is whole and usable, but do not call it {name}: the drawing code has changed since, or the "
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
            option, expected=detail["msg"][:1].lower() + detail["msg"][1:], found=detail["input"]
        ) from None
