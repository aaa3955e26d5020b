"""Pretrained weights that are not ours: which files, what needs them, where they come from, and fetching them.

All of them lie in one folder (`Workspace.weights`) under their published file names. Nothing here or elsewhere
downloads one of them except `download_weights`, which is the command `tryon download-weights`.
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
"""The command that fetches and verifies, named in every message about absent weights."""

CHUNK_SIZE = 1 << 20


@dataclass(frozen=True)
class WeightFile:
    """One published file.

    Args:
        name: short name, used on the command line.
        file: published file name.
        needed_for: what cannot be computed without it.
        url: where it is published; None where there is no address that may be fetched unattended.
        sha256: the first hex digits of its SHA-256, as published in the file name, or all of it where the name has
            none (clean-fid's file, whose hash is that of every copy of it in use); empty when none is known.
        instruction: how a person gets it, when `url` is None.
    """

    name: str
    file: str
    needed_for: str
    url: str | None = None
    sha256: str = ""
    instruction: str = ""


WEIGHTS = {
    weight.name: weight
    for weight in (
        WeightFile(
            "alexnet",
            "alexnet-owt-7be5be79.pth",
            needed_for="LPIPS on AlexNet, the usual one",
            url="https://download.pytorch.org/models/alexnet-owt-7be5be79.pth",
            sha256="7be5be79",
        ),
        WeightFile(
            "inception",
            "weights-inception-2015-12-05-6726825d.pth",
            needed_for="FID and KID, by torch-fidelity",
            url="https://github.com/toshas/torch-fidelity/releases/download/v0.2.0/"
            "weights-inception-2015-12-05-6726825d.pth",
            sha256="6726825d",
        ),
        WeightFile(
            "inception_clean",
            "inception-2015-12-05.pt",
            needed_for="FID and KID, by clean-fid",
            url="https://nvlabs-fi-cdn.nvidia.com/stylegan2-ada-pytorch/pretrained/metrics/inception-2015-12-05.pt",
            sha256="f58cb9b6ec323ed63459aa4fb441fe750cfe39fafad6da5cb504a16f19e958f4",
        ),
        WeightFile(
            "squeezenet",
            "squeezenet1_1-b8a52dc0.pth",
            needed_for="LPIPS on SqueezeNet",
            url="https://download.pytorch.org/models/squeezenet1_1-b8a52dc0.pth",
            sha256="b8a52dc0",
        ),
        WeightFile(
            "vgg16",
            "vgg16-397923af.pth",
            needed_for="LPIPS on VGG, as a metric and in `loss.perceptual: vgg`",
            url="https://download.pytorch.org/models/vgg16-397923af.pth",
            sha256="397923af",
        ),
        WeightFile(
            "vgg19",
            "vgg19-dcbb9e9d.pth",
            needed_for="style and content in `loss.perceptual: vgg`; `none` does without",
            url="https://download.pytorch.org/models/vgg19-dcbb9e9d.pth",
            sha256="dcbb9e9d",
        ),
        WeightFile(
            "daflow",
            "ckpt_viton.pt",
            needed_for="`pretrain.init_from: released`",
            instruction="It is not fetched automatically: its authors publish no hash to verify it by and allow "
            "non-commercial use only. The README of github.com/OFA-Sys/DAFlow links it under Prepare; "
            "save it in this folder under this name, or train a starting point with `pretrain.init_from: upper_body`",
        ),
    )
}
"""Every file by its short name."""


@dataclass(frozen=True)
class WeightStatus:
    """Where one file stands.

    Args:
        weight: the file.
        path: where it is looked for.
        state: `ready` means present and, where a hash is published, verified; `damaged` has another hash.
    """

    weight: WeightFile
    path: Path
    state: Literal["ready", "absent", "damaged"]

    @property
    def remedy(self) -> str:
        """What to do about it; empty when ready."""
        if self.state == "ready":
            return ""
        return self.weight.instruction or f"Run `{COMMAND}`"


def weights_status(workspace: Workspace, names: Iterable[str] = ()) -> list[WeightStatus]:
    """Look at the files, all of them when no name is given; hashes what it finds and fetches nothing.

    Raises:
        ParameterError: a name is not one of `WEIGHTS`.
    """
    return [_status(workspace, weight) for weight in _named(names)]


def weight_path(workspace: Workspace, name: str) -> Path:
    """Path of a verified file.

    Raises:
        WeightsError: it is absent, or its hash is not the published one; the message names the command.
    """
    (status,) = weights_status(workspace, [name])
    if status.state == "ready":
        return status.path
    rule = "exists" if status.state == "absent" else f"has the published SHA-256 {status.weight.sha256}…"
    what = f"{status.path} (for {status.weight.needed_for})"
    raise WeightsError(what, expected=rule, hint=f"{status.remedy}.")


def weight_hash(path: Path) -> str:
    """SHA-256 of a file in hex; one that has kept its size and its time is read once by each process.

    Raises:
        OSError: there is no such file.
    """
    state = path.stat()
    return _hash_of(path.absolute(), state.st_size, state.st_mtime_ns)


@cache
def _hash_of(path: Path, size: int, time: int) -> str:
    return sha256_file(path)


def download_weights(
    workspace: Workspace,
    names: Iterable[str] = (),
    progress: Progress = no_progress,
    catalogue: Iterable[WeightFile] = (),
) -> list[WeightStatus]:
    """Fetch what is absent or damaged, verify everything, and say where each file stands.

    A file appears under its name only once it is whole and its hash is right.

    Args:
        workspace: its `weights` folder receives the files.
        names: which of `WEIGHTS`; none means all, and then files without an address are only reported.
        progress: told bytes.
        catalogue: stands in for `WEIGHTS`.

    Raises:
        ParameterError: a name is unknown.
        WeightsError: a download failed or has another hash, or a file asked for by name has no address and is absent.
    """
    names = list(names)
    found: list[WeightStatus] = []
    for weight in _named(names, {weight.name: weight for weight in catalogue} or WEIGHTS):
        status = _status(workspace, weight)
        if status.state != "ready" and weight.url is not None:
            _download(weight, weight.url, status.path, progress)
            status = WeightStatus(weight, status.path, "ready")
        elif status.state != "ready" and names:
            raise WeightsError(str(status.path), expected="exists", hint=f"{status.remedy}.")
        found.append(status)
    return found


def _named(names: Iterable[str], catalogue: dict[str, WeightFile] = WEIGHTS) -> list[WeightFile]:
    names = list(names)
    unknown = [name for name in names if name not in catalogue]
    if unknown:
        raise ParameterError("weights", expected=f"are among {', '.join(catalogue)}", found=format_list(unknown))
    return [catalogue[name] for name in (names or catalogue)]


def _status(workspace: Workspace, weight: WeightFile) -> WeightStatus:
    path = workspace.weights / weight.file
    if not path.is_file():
        return WeightStatus(weight, path, "absent")
    right = not weight.sha256 or weight_hash(path).startswith(weight.sha256)
    return WeightStatus(weight, path, "ready" if right else "damaged")


def _download(weight: WeightFile, url: str, path: Path, progress: Progress) -> None:
    try:
        with atomic_file(path) as temporary:
            found = stream_to_file(url, temporary, weight.file, progress)
            if not found.startswith(weight.sha256):
                rule = f"has the published SHA-256 {weight.sha256}…"
                raise WeightsError(url, expected=rule, found=found, hint=f"Run `{COMMAND}` again.")
    except TryOnError:
        raise
    except Exception as error:  # every protocol behind fsspec has error classes of its own
        remedy = f"Mend the connection and run `{COMMAND}` again, or put the file into {path.parent} by hand."
        value = f"{type(error).__name__}: {error}"
        raise WeightsError(url, expected="can be downloaded", found=value, hint=remedy) from error


def stream_to_file(url: str, path: Path, what: str, progress: Progress) -> str:
    """Copy `url` to `path` in pieces; returns the SHA-256 of what came."""
    import fsspec

    web = url.startswith(("http://", "https://"))
    options: dict[str, Any] = {"client_kwargs": {"trust_env": True}} if web else {}  # proxies as curl and pip see them
    total = hashlib.sha256()
    done = 0
    opened: Any = fsspec.open(url, "rb", **options)
    with opened as source, path.open("wb") as target:
        size = getattr(source, "size", None) or 0
        while piece := source.read(CHUNK_SIZE):
            target.write(piece)
            total.update(piece)
            done += len(piece)
            progress(done, max(size, done), f"bytes of {what}")
    return total.hexdigest()
