"""What a queued experiment borrows from the project that it belongs to.

DVC runs experiments of the queue, and those started with `--temp`, in checkouts of their own below `.dvc/tmp/exps`.
Tracked files and outputs are there; unpacked data, pretrained weights and champions, which DVC does not track, are not.
"""

from __future__ import annotations

import os
from pathlib import Path

from tryon.workspace import Workspace

CHECKOUT_FOLDER = (".dvc", "tmp", "exps")
"""Folders of a project below which lie the checkouts of its queued experiments."""


def link_shared_data(stage: str, workspace: Workspace) -> None:
    """In the checkout of a queued experiment, make the project's unpacked data, weights and champions available;
    else do nothing.

    The data are linked. The later stages compare each file with the index and so never read another state of them; the
    download stage, which writes, gets a folder of the experiment's own.
    """
    project = project_of(workspace.root.resolve())
    if project is None:
        return
    home = Workspace(project)
    if workspace.raw.is_symlink():
        workspace.raw.unlink()
    if stage != "download" and not workspace.raw.exists() and home.raw.is_dir():
        workspace.raw.symlink_to(home.raw)
    if not workspace.champions.exists() and home.champions.is_dir():
        workspace.champions.symlink_to(home.champions)
    if home.weights.is_dir():
        os.environ.setdefault("TRYON_WEIGHTS", str(home.weights))


def project_of(checkout: Path) -> Path | None:
    """The project that a queued experiment's checkout belongs to; None for any other folder."""
    parents = (folder for folder in checkout.parents if folder.parts[-len(CHECKOUT_FOLDER) :] == CHECKOUT_FOLDER)
    return next((folder.parents[len(CHECKOUT_FOLDER) - 1] for folder in parents), None)
