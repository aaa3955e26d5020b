"""Share untracked data of a project with the checkouts of its DVC experiments.

DVC runs queued or `--temp` experiments in checkouts below `.dvc/tmp/exps`. They contain tracked files and outputs but
not the unpacked data, pretrained weights and champions, which DVC does not track.
"""

from __future__ import annotations

import os
from pathlib import Path

from tryon.workspace import Workspace

CHECKOUT_FOLDER = (".dvc", "tmp", "exps")  # folder of a project that contains the checkouts of its experiments


def link_shared_data(stage: str, workspace: Workspace) -> None:
    """Link the project's unpacked data, weights and champions into an experiment's checkout; elsewhere, do nothing.

    Later stages compare each file with the index, so they never read another version of the data. The download stage
    writes them and gets a folder of its own.
    """
    project = project_of(workspace.root.resolve())
    if project is None:
        return
    shared = Workspace(project)
    if workspace.raw.is_symlink():
        workspace.raw.unlink()
    if stage != "download" and not workspace.raw.exists() and shared.raw.is_dir():
        workspace.raw.symlink_to(shared.raw)
    if not workspace.champions.exists() and shared.champions.is_dir():
        workspace.champions.symlink_to(shared.champions)
    if shared.weights.is_dir():
        os.environ.setdefault("TRYON_WEIGHTS", str(shared.weights))


def project_of(checkout: Path) -> Path | None:
    """Return the project that an experiment's checkout belongs to; None for any other folder."""
    parents = (folder for folder in checkout.parents if folder.parts[-len(CHECKOUT_FOLDER) :] == CHECKOUT_FOLDER)
    return next((folder.parents[len(CHECKOUT_FOLDER) - 1] for folder in parents), None)
