"""Implement `tryon synthesize`: resolve its options, write the data set and verify frozen versions."""

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
"""Command-line option of each setting that a frozen version fixes."""


@dataclass(frozen=True)
class SynthesisRequest:
    """A data set to write.

    Args:
        settings: number of pairs and content.
        seed: seed of all people, garments and pairs.
        version: name of the frozen version to reproduce, if any.
    """

    settings: SyntheticSettings
    seed: int
    version: str | None = None


def make_request(version: str | None, options: dict[str, Any], workspace: Workspace) -> SynthesisRequest:
    """Resolve command-line options; omitted ones come from `params.yaml` if it exists, else from the defaults.

    Args:
        version: name of a frozen version, if any.
        options: the other options by setting name, None where omitted.
        workspace: folder that may hold `params.yaml`.

    Raises:
        ParameterError: invalid option or `params.yaml`, or an option conflicts with the version.
    """
    options = {name: value for name, value in options.items() if value is not None}
    if version is not None:
        return _make_frozen_request(version, options)
    settings, seed = SyntheticSettings(), int(Parameters.model_fields["seed"].default)  # pyright: ignore[reportCallIssue]
    if workspace.params_file.is_file():
        parameters = load_parameters(workspace.params_file)
        settings, seed = parameters.download.synthetic, parameters.seed
    seed = options.pop("seed", seed)
    if not 0 <= seed < MAX_SEED:
        raise ParameterError("--seed is out of range", found=seed, expected=f"an integer from 0 to {MAX_SEED - 1}")
    return SynthesisRequest(_apply(settings, options), seed)


def find_workspace(root: Path | None) -> Workspace:
    """Return the workspace at `root`, by default the current folder, which may lack `params.yaml`.

    Raises:
        ParameterError: `root` has no `params.yaml`.
    """
    if root is not None and not Workspace(root).params_file.is_file():
        raise ParameterError(f"--root {root} has no params.yaml", hint="Omit --root to use the defaults.")
    return Workspace(root or Path())


def output_path(out: Path, zipped: bool) -> Path:
    """Return the absolute path to write: `out`, with `.zip` appended if `zipped`. Nothing is overwritten.

    Raises:
        ParameterError: the path exists or is not writable.
    """
    if out.name in ("", ".."):
        raise ParameterError("--out has no file name", found=str(out), expected="the path of a new folder or zip file")
    is_zip = out.suffix.lower() == ".zip"
    target = Path(os.path.abspath(out if is_zip or not zipped else f"{out}.zip"))  # noqa: PTH100 - keeps symlinks
    try:
        _check_free(target, is_zip or zipped)
    except OSError as error:
        raise ParameterError(f"--out {target} is not accessible", found=str(error)) from error
    return target


def describe(request: SynthesisRequest) -> str:
    """Summarize the data set in one line."""
    settings = request.settings
    words = [f"{settings.train_pairs} + {settings.test_pairs} pairs per category", f"seed {request.seed}"]
    words += [f"difficulty {settings.difficulty}", *["uv"] * settings.uv]
    words += [f"flow of {settings.flow} pairs"] * (settings.flow != "none")
    words += [f"parsing noise {settings.parsing_noise_fraction:g}"] * (settings.parsing_noise_fraction > 0)
    return ", ".join(words)


def synthesize(request: SynthesisRequest, target: Path, progress: Progress) -> str:
    """Write the data set and verify the content hash of a frozen version.

    Args:
        request: what to write.
        target: path of a folder, or of an archive that ends in .zip.
        progress: called with the number of rendered people and hashed files.

    Returns:
        Result of the verification; empty without a version.

    Raises:
        ParameterError: the target cannot be written.
        SourceError: the data set is complete, but its content differs from the frozen version.
    """
    from tryon.synthetic.archive import write_archive, write_folder  # slow to import

    write = write_archive if target.suffix.lower() == ".zip" else write_folder
    try:
        write(target, request.settings, request.seed, progress)
    except OSError as error:
        raise ParameterError(f"--out {target} cannot be written", found=str(error)) from error
    return _verify(request.version, target, progress) if request.version else ""


def _check_free(target: Path, is_zip: bool) -> None:
    """Reject existing paths except an empty folder, which is replaced."""
    from tryon.synthetic.archive import truth_archive_path  # slow to import

    parent = next(folder for folder in target.parents if folder.exists())
    if not (parent.is_dir() and os.access(parent, os.W_OK)):
        raise ParameterError(f"--out {target} cannot be written", found=str(parent), expected="a writable folder")
    if target.is_symlink():
        raise ParameterError(f"--out {target} is a symbolic link", hint="Pass the path that it points to.")
    if is_zip:
        if target.is_dir():
            raise ParameterError(f"--out {target} is a folder", expected="the path of a new zip file")
        existing = [str(path) for path in (target, truth_archive_path(target)) if path.exists() or path.is_symlink()]
        if existing:
            hint = "Move it or choose another path."
            raise ParameterError(f"--out would overwrite {', '.join(existing)}", hint=hint)
    elif target.is_dir():
        if any(target.iterdir()):
            hint = "Empty it, choose another path, or write an archive with --zip."
            raise ParameterError(f"--out {target} is not empty", hint=hint)
        if target.is_mount() or target.samefile(Path.cwd()):
            problem = f"--out {target} is a mount point or the current folder and cannot be replaced"
            raise ParameterError(problem, hint="Choose a folder inside it.")
    elif target.exists():
        raise ParameterError(f"--out {target} exists", expected="an empty or new folder, or a path ending in .zip")


def _make_frozen_request(name: str, options: dict[str, Any]) -> SynthesisRequest:
    from tryon.synthetic.versions import VERSIONS

    if name not in VERSIONS:
        raise ParameterError("--version is unknown", found=name, expected=f"one of {', '.join(VERSIONS)}")
    conflicts = ", ".join(option for setting, option in _OPTIONS.items() if setting in options)
    if conflicts:
        hint = f"Omit {conflicts}; only --uv and --flow can be combined with it."
        raise ParameterError(f"--version {name} conflicts with {conflicts}", hint=hint)
    version = VERSIONS[name]
    return SynthesisRequest(_apply(version.settings, options), version.seed, name)


def _verify(name: str, target: Path, progress: Progress) -> str:
    from tryon.synthetic.versions import VERSIONS, content_hash, toolchain

    version, actual = VERSIONS[name], content_hash(target, progress)
    if version.content_hash is None:
        return f"{name} has no content hash yet; computed {actual} ({toolchain()})"
    if actual == version.content_hash:
        return f"verified {name}: the content hash matches ({actual})"
    raise SourceError(
        f"{target} is complete but differs from {name}",
        found=actual,
        expected=f"content hash {version.content_hash}",
        hint=f"Do not cite it as {name}: the renderer has changed since, or the libraries or the processor differ "
        f"(frozen with {version.made_with}, here {toolchain()}).",
    )


def _apply(settings: SyntheticSettings, options: dict[str, Any]) -> SyntheticSettings:
    try:
        return SyntheticSettings.model_validate({**settings.model_dump(), **options})
    except ValidationError as error:
        detail = error.errors()[0]
        name = str(detail["loc"][0])
        reason = detail["msg"][:1].lower() + detail["msg"][1:]
        raise ParameterError(f"{_OPTIONS.get(name, f'--{name}')} is invalid: {reason}", found=detail["input"]) from None
