"""Champions: checkpoints that somebody chose to keep, under a name and with their hash.

`tryon save-champion NAME` copies the best checkpoint to `data/champions/NAME.ckpt`, which no stage writes. `pretrain.init_from`
names it with the first digits of its SHA-256: so DVC sees in `params.yaml` when another one is started from, and a file
with another content is refused.
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
"""What `pretrain.init_from` begins with when it names one."""

PRINTED_DIGITS, MIN_DIGITS = 16, 12
"""Hex digits of a hash that are printed, and that must be given."""

_NAME = r"[a-z0-9][a-z0-9._-]{0,63}"
_START = re.compile(rf"{CHAMPION_PREFIX}:(?P<name>{_NAME})(@(?P<digits>[0-9a-f]{{{MIN_DIGITS},64}}))?")


@dataclass(frozen=True)
class Champion:
    """A kept checkpoint.

    Args:
        name: under which it is kept.
        sha256: of the file, 64 hex digits.
        newly_created: it was not there before.
    """

    name: str
    sha256: str
    newly_created: bool

    @property
    def init_from(self) -> str:
        """The value of `pretrain.init_from` that starts from it."""
        return f"{CHAMPION_PREFIX}:{self.name}@{self.sha256[:PRINTED_DIGITS]}"


def save_champion(name: str, workspace: Workspace) -> Champion:
    """Copy the best checkpoint of fine-tuning to `data/champions/NAME.ckpt`, whole or not at all.

    Raises:
        ParameterError: the name is none, or another checkpoint is kept under it.
        WeightsError: the checkpoint is absent or damaged.
    """
    if not re.fullmatch(_NAME, name):
        rule = "is at most 64 small letters, digits, dots, dashes and underscores, a letter or digit first"
        raise ParameterError("NAME", expected=rule, found=name)
    best, target = workspace.checkpoints / "best.ckpt", workspace.champion(name)
    load_network(best, remedy="Run `tryon finetune` first.")
    sha256 = sha256_file(best)
    if not target.exists():
        with atomic_file(target) as temporary:
            shutil.copyfile(best, temporary)
        return Champion(name, sha256_file(target), newly_created=True)
    if (kept := sha256_file(target)) != sha256:
        rule = f"is a new name, or that of this checkpoint, {sha256[:PRINTED_DIGITS]}"
        remedy = f"Choose another name, or remove {target} if nothing starts from it any more."
        raise ParameterError(name, expected=rule, found=kept[:PRINTED_DIGITS], hint=remedy)
    return Champion(name, sha256, newly_created=False)


def resolve_champion(start: str, workspace: Workspace) -> Path:
    """The file that `pretrain.init_from: champion:NAME@HASH` names.

    Raises:
        ParameterError: the value is not of that form, or has no hash; the remedy says what to write.
        WeightsError: none is kept under the name, or its hash is another one.
    """
    named = _START.fullmatch(start)
    if named is None:
        rule = f"is {CHAMPION_PREFIX}:NAME@HASH, the hash at least {MIN_DIGITS} hex digits of the file's SHA-256"
        raise ParameterError("pretrain.init_from", expected=rule, found=start, hint=_saved_champions(workspace))
    path = workspace.champion(named["name"])
    if not path.is_file():
        raise WeightsError(
            f"{path} (for pretrain.init_from: {start})", expected="exists", hint=_saved_champions(workspace)
        )
    champion = Champion(named["name"], sha256_file(path), newly_created=False)
    if named["digits"] is None:
        rule, remedy = "says the champion's hash, too", f"Write pretrain.init_from: {champion.init_from}"
        raise ParameterError("pretrain.init_from", expected=rule, found=start, hint=remedy)
    if not champion.sha256.startswith(named["digits"]):
        rule = f"has the SHA-256 that pretrain.init_from says, {named['digits']}"
        remedy = f"Put the file of that hash there, or write pretrain.init_from: {champion.init_from}"
        raise WeightsError(str(path), expected=rule, found=champion.sha256[: len(named["digits"])], hint=remedy)
    return path


def _saved_champions(workspace: Workspace) -> str:
    names = sorted(path.stem for path in workspace.champions.glob("*.ckpt") if re.fullmatch(_NAME, path.stem))
    if not names:
        return "None are kept yet: `tryon save-champion NAME` keeps the best checkpoint of fine-tuning and prints what to write."
    return f"Kept are {format_list(names)}; `tryon save-champion NAME` keeps the best checkpoint of fine-tuning under another name."
