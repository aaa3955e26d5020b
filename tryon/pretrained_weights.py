"""Catalog of third-party pretrained weights: their hashes, their status and their download.

All files are in one folder (`Workspace.weights`) under their published names. Only `tryon download-weights` downloads
them; everything else fails if they are missing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

from tryon.errors import ParameterError, TryOnError, WeightsError, format_list
from tryon.runtime.atomic_files import atomic_file, sha256_file
from tryon.runtime.progress import Progress, no_progress
from tryon.workspace import Workspace

COMMAND = "tryon download-weights"
"""The command that downloads and verifies, named in every message about missing weights."""

CHUNK_SIZE = 1 << 20


class MissingWeightsError(WeightsError):
    """A file of pretrained weights is missing."""


@dataclass(frozen=True)
class WeightFile:
    """A published file of weights.

    Args:
        name: short name for the command line.
        file: published file name.
        needed_for: what cannot be computed without it.
        url: download address, or None if it cannot be downloaded automatically.
        sha256: the hex digits of its SHA-256 that the published file name contains; all 64 if it contains none
            (clean-fid, where every copy in use has this hash); empty if no hash is known.
        instruction: how to get it by hand if `url` is None, without a final period.
    """

    name: str
    file: str
    needed_for: str
    url: str | None = None
    sha256: str = ""
    instruction: str = ""


def _from_pytorch(name: str, file: str, needed_for: str) -> WeightFile:
    """Describe a file of download.pytorch.org, whose name ends with the first digits of its SHA-256."""
    sha256 = file.removesuffix(".pth").rpartition("-")[2]
    return WeightFile(name, file, needed_for, f"https://download.pytorch.org/models/{file}", sha256)


_CATALOG = (
    _from_pytorch("alexnet", "alexnet-owt-7be5be79.pth", "LPIPS (AlexNet)"),
    WeightFile(
        "inception",
        "weights-inception-2015-12-05-6726825d.pth",
        "FID and KID (torch-fidelity)",
        "https://github.com/toshas/torch-fidelity/releases/download/v0.2.0/weights-inception-2015-12-05-6726825d.pth",
        "6726825d",
    ),
    WeightFile(
        "inception_clean",
        "inception-2015-12-05.pt",
        "FID and KID (clean-fid)",
        "https://nvlabs-fi-cdn.nvidia.com/stylegan2-ada-pytorch/pretrained/metrics/inception-2015-12-05.pt",
        "f58cb9b6ec323ed63459aa4fb441fe750cfe39fafad6da5cb504a16f19e958f4",
    ),
    _from_pytorch("squeezenet", "squeezenet1_1-b8a52dc0.pth", "LPIPS (SqueezeNet)"),
    _from_pytorch("vgg16", "vgg16-397923af.pth", "LPIPS (VGG16), as a metric and in `loss.perceptual: vgg`"),
    _from_pytorch("vgg19", "vgg19-dcbb9e9d.pth", "style and content losses of `loss.perceptual: vgg`"),
    WeightFile(
        "daflow",
        "ckpt_viton.pt",
        "`pretrain.init_from: published`",
        instruction="Download it by hand (link under Prepare in the README of github.com/OFA-Sys/DAFlow; for "
        "non-commercial use only, no published hash) and save it in this folder under this name, or set "
        "`pretrain.init_from: train_upper_body`",
    ),
)

WEIGHTS = {weight.name: weight for weight in _CATALOG}  # all files by short name


@dataclass(frozen=True)
class WeightStatus:
    """Status of a file.

    Args:
        weight: the file.
        path: its expected path.
        state: `ready` if present and, where a hash is published, verified; `damaged` if its hash differs.
    """

    weight: WeightFile
    path: Path
    state: Literal["ready", "absent", "damaged"]

    @property
    def remedy(self) -> str:
        """How to fix it, without a final period; empty if ready."""
        if self.state == "ready":
            return ""
        return self.weight.instruction or f"Run `{COMMAND}`"


def weights_status(workspace: Workspace, names: Iterable[str] = ()) -> list[WeightStatus]:
    """Hash the files, by default all, and return their status; downloads nothing."""
    return [_status(workspace, weight) for weight in _select(names)]


def weight_path(workspace: Workspace, name: str) -> Path:
    """Return the path of a verified file.

    Raises:
        MissingWeightsError: it is missing.
        WeightsError: its hash is wrong.
    """
    (status,) = weights_status(workspace, [name])
    if status.state == "absent":
        raise MissingWeightsError(
            f"{status.path} not found (required by {status.weight.needed_for})", hint=f"{status.remedy}."
        )
    if status.state == "damaged":
        raise WeightsError(
            f"{status.path} has the wrong SHA-256 (required by {status.weight.needed_for})",
            found=weight_hash(status.path),
            expected=f"{status.weight.sha256}…",
            hint=f"{status.remedy}.",
        )
    return status.path


def weight_hash(path: Path) -> str:
    """Return the SHA-256 of a file in hex; cached per process until its size or modification time changes."""
    stat = path.stat()
    return _cached_hash(path.absolute(), stat.st_size, stat.st_mtime_ns)


@cache
def _cached_hash(path: Path, size: int, time: int) -> str:
    return sha256_file(path)


def download_weights(
    workspace: Workspace,
    names: Iterable[str] = (),
    progress: Progress = no_progress,
    catalog: Iterable[WeightFile] = (),
) -> list[WeightStatus]:
    """Download missing and damaged files, verify all, and return their status.

    A file appears under its name only when it is complete and verified.

    Args:
        workspace: its `weights` folder receives the files.
        names: names in `WEIGHTS`; by default all, and then files without a URL are only reported.
        progress: receives bytes.
        catalog: replaces `WEIGHTS`.

    Raises:
        ParameterError: a name is unknown.
        WeightsError: a download failed or has the wrong hash, or a named file is missing and has no URL.
    """
    names = list(names)
    results: list[WeightStatus] = []
    for weight in _select(names, {weight.name: weight for weight in catalog} or WEIGHTS):
        status = _status(workspace, weight)
        if status.state != "ready" and weight.url is not None:
            _download(weight, weight.url, status.path, progress)
            status = WeightStatus(weight, status.path, "ready")
        elif status.state != "ready" and names:
            raise MissingWeightsError(f"{status.path} not found", hint=f"{status.remedy}.")
        results.append(status)
    return results


def _select(names: Iterable[str], catalog: dict[str, WeightFile] = WEIGHTS) -> list[WeightFile]:
    names = list(names)
    unknown = [name for name in names if name not in catalog]
    if unknown:
        raise ParameterError("unknown weights", found=format_list(unknown), expected=f"one of {', '.join(catalog)}")
    return [catalog[name] for name in (names or catalog)]


def _status(workspace: Workspace, weight: WeightFile) -> WeightStatus:
    path = workspace.weights / weight.file
    if not path.is_file():
        return WeightStatus(weight, path, "absent")
    verified = not weight.sha256 or weight_hash(path).startswith(weight.sha256)
    return WeightStatus(weight, path, "ready" if verified else "damaged")


def _download(weight: WeightFile, url: str, path: Path, progress: Progress) -> None:
    try:
        with atomic_file(path) as temporary:
            sha256 = stream_to_file(url, temporary, weight.file, progress)
            if not sha256.startswith(weight.sha256):
                raise WeightsError(
                    f"{url} has the wrong SHA-256",
                    found=sha256,
                    expected=f"{weight.sha256}…",
                    hint=f"Run `{COMMAND}` again.",
                )
    except TryOnError:
        raise
    except Exception as error:  # each protocol of fsspec raises its own classes
        raise WeightsError(
            f"{url} could not be downloaded ({type(error).__name__}: {' '.join(str(error).split())})",
            hint=f"Check the connection and run `{COMMAND}` again, or copy the file to {path.parent} by hand.",
        ) from error


def stream_to_file(url: str, path: Path, name: str, progress: Progress) -> str:
    """Copy `url` to `path` in chunks and return the SHA-256 of its content."""
    import fsspec

    is_http = url.startswith(("http://", "https://"))
    options: dict[str, Any] = {"client_kwargs": {"trust_env": True}} if is_http else {}  # use proxies like curl and pip
    sha256 = hashlib.sha256()
    done = 0
    opened: Any = fsspec.open(url, "rb", **options)
    with opened as source, path.open("wb") as target:
        size = getattr(source, "size", None) or 0
        while chunk := source.read(CHUNK_SIZE):
            target.write(chunk)
            sha256.update(chunk)
            done += len(chunk)
            progress(done, max(size, done), f"bytes of {name}")
    return sha256.hexdigest()
