"""Champions: checkpoints saved under a name, as starting points of later runs.

`tryon save-champion NAME` copies the best checkpoint to `data/champions/NAME.ckpt`, which no stage writes.
`pretrain.init_from` names it together with its SHA-256, so that DVC detects another champion in `params.yaml`, and a
file with other content is rejected.
"""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from tryon.errors import ParameterError, WeightsError, format_list
from tryon.runtime.atomic_files import atomic_file, sha256_file
from tryon.training.checkpoint import load_network
from tryon.workspace import Workspace

CHAMPION_PREFIX = "champion"
"""Prefix of `pretrain.init_from` for champions."""

PRINTED_DIGITS, MIN_DIGITS = 16, 12
"""Hex digits of a hash that are printed, and that are required."""

_NAME = r"[a-z0-9][a-z0-9._-]{0,63}"
_INIT_FROM = re.compile(rf"{CHAMPION_PREFIX}:(?P<name>{_NAME})(@(?P<digits>[0-9a-f]{{{MIN_DIGITS},64}}))?")


@dataclass(frozen=True)
class Champion:
    """A saved checkpoint.

    Args:
        name: of the champion.
        sha256: of the file, 64 hex digits.
        newly_created: whether it was saved just now.
    """

    name: str
    sha256: str
    newly_created: bool

    @property
    def init_from(self) -> str:
        """The value of `pretrain.init_from` that starts from it."""
        return f"{CHAMPION_PREFIX}:{self.name}@{self.sha256[:PRINTED_DIGITS]}"


def save_champion(name: str, workspace: Workspace) -> Champion:
    """Copy the best checkpoint of fine-tuning to `data/champions/NAME.ckpt`, atomically.

    Raises:
        ParameterError: the name is invalid, or in use for another checkpoint.
        WeightsError: the checkpoint is missing or damaged.
    """
    if not re.fullmatch(_NAME, name):
        raise ParameterError(
            "invalid champion NAME",
            found=name,
            expected="1 to 64 lowercase letters, digits, dots, dashes and underscores, starting with a letter or digit",
        )
    best, target = workspace.checkpoints / "best.ckpt", workspace.champion(name)
    load_network(best, hint="Run `tryon finetune` first.")
    sha256 = sha256_file(best)
    if not target.exists():
        with atomic_file(target) as temporary:
            shutil.copyfile(best, temporary)
        return Champion(name, sha256_file(target), newly_created=True)
    if (existing := sha256_file(target)) != sha256:
        raise ParameterError(
            f"champion {name} already exists with another SHA-256",
            found=existing[:PRINTED_DIGITS],
            expected=sha256[:PRINTED_DIGITS],
            hint=f"Choose another name, or remove {target} if no run starts from it any more.",
        )
    return Champion(name, sha256, newly_created=False)


def resolve_champion(init_from: str, workspace: Workspace) -> Path:
    """Return the file of `pretrain.init_from: champion:NAME@HASH`.

    Raises:
        ParameterError: the value has another form, or no hash; the hint gives a valid value.
        WeightsError: the champion does not exist, or has another hash.
    """
    match = _INIT_FROM.fullmatch(init_from)
    if match is None:
        raise ParameterError(
            "invalid pretrain.init_from",
            found=init_from,
            expected=f"{CHAMPION_PREFIX}:NAME@HASH with at least {MIN_DIGITS} hex digits of the file's SHA-256",
            hint=_saved_champions(workspace),
        )
    path = workspace.champion(match["name"])
    if not path.is_file():
        raise WeightsError(f"{path} not found (pretrain.init_from: {init_from})", hint=_saved_champions(workspace))
    champion = Champion(match["name"], sha256_file(path), newly_created=False)
    if match["digits"] is None:
        raise ParameterError(
            "pretrain.init_from lacks the hash of the champion",
            found=init_from,
            hint=f"Write `pretrain.init_from: {champion.init_from}`.",
        )
    if not champion.sha256.startswith(match["digits"]):
        raise WeightsError(
            f"{path} has another SHA-256 than pretrain.init_from",
            found=champion.sha256[: len(match["digits"])],
            expected=match["digits"],
            hint=f"Restore the file of that hash, or write `pretrain.init_from: {champion.init_from}`.",
        )
    return path


def _saved_champions(workspace: Workspace) -> str:
    names = sorted(path.stem for path in workspace.champions.glob("*.ckpt") if re.fullmatch(_NAME, path.stem))
    saved = f"Choose one of {format_list(names)}, or run" if names else "Run"
    return f"{saved} `tryon save-champion NAME`, which saves the best checkpoint and prints the value to write."
