"""Implement `tryon synthesize`: from options to a folder or zip archives, compared with a frozen version."""

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
"""Option of each setting that a version fixes; `--uv` and `--flow` only add files."""


@dataclass(frozen=True)
class SynthesisRequest:
    """Settings and seed of a data set, and the frozen version that they come from, if any."""

    settings: SyntheticSettings
    seed: int
    version: str | None = None


def make_request(version: str | None, options: dict[str, Any], workspace: Workspace) -> SynthesisRequest:
    """Combine the options with `params.yaml`, or with the defaults where that file does not exist.

    Args:
        version: a frozen version, or None.
        options: the other options by setting name, and `seed`; None where not given.
        workspace: folder that may hold `params.yaml`.

    Raises:
        ParameterError: an option or `params.yaml` is invalid, or an option contradicts the version.
    """
    options = {name: value for name, value in options.items() if value is not None}
    if version is not None:
        return _request_version(version, options)
    settings, seed = SyntheticSettings(), int(Parameters.model_fields["seed"].default)  # pyright: ignore[reportCallIssue]
    if workspace.params_file.is_file():
        parameters = load_parameters(workspace.params_file)
        settings, seed = parameters.download.synthetic, parameters.seed
    seed = options.pop("seed", seed)
    if not 0 <= seed < MAX_SEED:
        raise ParameterError("--seed is out of range", found=seed, expected=f"0 to {MAX_SEED - 1}")
    return SynthesisRequest(_update_settings(settings, options), seed)


def find_workspace(root: Path | None) -> Workspace:
    """Return the workspace in `root`, or in the current folder, which may lack `params.yaml`.

    Raises:
        ParameterError: `root` is given and has no `params.yaml`.
    """
    if root is not None and not Workspace(root).params_file.is_file():
        raise ParameterError(f"--root {root} has no params.yaml", hint="Omit --root to use the defaults.")
    return Workspace(root or Path())


def output_path(out: Path, zipped: bool) -> Path:
    """Return the path to write: `out`, with `.zip` appended if `zipped`; nothing existing is replaced.

    Raises:
        ParameterError: the path exists (an empty folder may) or cannot be accessed.
    """
    if out.name in ("", ".."):
        raise ParameterError("--out has no file name", found=str(out), expected="the path of a new folder or zip file")
    is_zip = zipped or out.suffix.lower() == ".zip"
    name = out if out.suffix.lower() == ".zip" or not zipped else f"{out}.zip"
    target = Path(os.path.abspath(name))  # noqa: PTH100 - links are kept
    try:
        _check_parent(target)
        (_check_zip if is_zip else _check_folder)(target)
    except OSError as error:
        raise ParameterError(f"--out {out} cannot be accessed", found=str(error)) from error
    return target


def describe(request: SynthesisRequest) -> str:
    """Return the settings of a request as one line for the log."""
    settings = request.settings
    parts = [f"{settings.train_pairs} + {settings.test_pairs} pairs per category", f"seed {request.seed}"]
    parts += [f"difficulty {settings.difficulty}", *["uv"] * settings.uv]
    if settings.flow != "none":
        parts.append(f"flow of {settings.flow} pairs")
    if settings.parsing_noise_fraction > 0:
        parts.append(f"parsing noise {settings.parsing_noise_fraction:g}")
    return ", ".join(parts)


def synthesize(request: SynthesisRequest, target: Path, progress: Progress) -> str:
    """Write the data set; for a frozen version, compare its content hash.

    Args:
        request: settings, seed and version.
        target: a path ending in .zip, or a folder.
        progress: receives the number of rendered people, then of hashed members.

    Returns:
        The result of the comparison; empty without a version.

    Raises:
        ParameterError: `target` cannot be written.
        SourceError: the data set is written, but its bytes are not those of the version.
    """
    from tryon.synthetic.archive import write_archive, write_folder  # slow to import

    write = write_archive if target.suffix.lower() == ".zip" else write_folder
    try:
        write(target, request.settings, request.seed, progress)
    except OSError as error:
        raise ParameterError(f"--out {target} cannot be written", found=str(error)) from error
    return _compare_version(request.version, target, progress) if request.version else ""


def _check_parent(target: Path) -> None:
    parent = next(folder for folder in target.parents if folder.exists())
    if not (parent.is_dir() and os.access(parent, os.W_OK)):
        raise ParameterError(f"--out: {parent} is not a writable folder")
    if target.is_symlink():
        raise ParameterError(f"--out {target} is a symbolic link", hint="Pass the path that it points to.")


def _check_folder(target: Path) -> None:
    """Reject every existing path except an empty folder, which `atomic_folder` replaces."""
    if target.is_dir():
        if any(target.iterdir()):
            hint = "Empty it, pass another path, or write a zip archive with --zip."
            raise ParameterError(f"--out {target} is not empty", hint=hint)
        if target.is_mount() or target.samefile(Path.cwd()):
            problem = f"--out {target} is a mount point or the current folder, which cannot be replaced"
            raise ParameterError(problem, hint="Pass a folder inside it.")
    elif target.exists():
        raise ParameterError(f"--out {target} is a file", expected="a new folder, or a path ending in .zip")


def _check_zip(target: Path) -> None:
    from tryon.synthetic.archive import truth_archive_path  # slow to import

    if target.is_dir():
        raise ParameterError(f"--out {target} is a folder", expected="the path of a new zip file")
    existing = [str(path) for path in (target, truth_archive_path(target)) if path.exists() or path.is_symlink()]
    if existing:
        raise ParameterError(f"--out: {', '.join(existing)} already exists", hint="Move it, or pass another path.")


def _request_version(name: str, options: dict[str, Any]) -> SynthesisRequest:
    from tryon.synthetic.versions import VERSIONS

    if name not in VERSIONS:
        raise ParameterError("--version is unknown", found=name, expected=f"one of {', '.join(VERSIONS)}")
    conflicts = ", ".join(option for setting, option in _OPTIONS.items() if setting in options)
    if conflicts:
        hint = f"Omit {conflicts}; only --uv and --flow can be combined with --version."
        raise ParameterError(f"--version {name} already fixes {conflicts}", hint=hint)
    version = VERSIONS[name]
    return SynthesisRequest(_update_settings(version.settings, options), version.seed, name)


def _compare_version(name: str, target: Path, progress: Progress) -> str:
    from tryon.synthetic.versions import VERSIONS, content_hash, toolchain

    version, actual = VERSIONS[name], content_hash(target, progress)
    if version.content_hash is None:
        return f"{name} has no recorded content hash; the hash of {target.name} is {actual} ({toolchain()})"
    if actual == version.content_hash:
        return f"content hash matches {name} ({actual})"
    raise SourceError(
        f"{target} differs from {name}",
        found=actual,
        expected=f"content hash {version.content_hash}",
        hint=f"The data set is complete and usable, but is not {name}: the renderer, the libraries or the processor "
        f"differ (frozen with {version.made_with}, now {toolchain()}).",
    )


def _update_settings(settings: SyntheticSettings, options: dict[str, Any]) -> SyntheticSettings:
    try:
        return SyntheticSettings.model_validate({**settings.model_dump(), **options})
    except ValidationError as error:
        detail = error.errors()[0]
        setting = str(detail["loc"][0])
        option = _OPTIONS.get(setting, f"--{setting}")
        expected = detail["msg"].removeprefix("Input should be ")
        raise ParameterError(f"{option} is invalid", found=detail["input"], expected=expected) from None
