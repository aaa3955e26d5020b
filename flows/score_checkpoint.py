"""The flow that scores a checkpoint file by itself."""

from __future__ import annotations

from prefect import flow

import tasks.score_checkpoint
from tasks.project_lock import PIPELINE, project_lock
from tasks.run_overrides import publish_waiting
from tasks.subprocesses import exit_with_runner


@flow(name="score-checkpoint", flow_run_name="score {checkpoint}")
def score_checkpoint(checkpoint: str = "data/checkpoints/best.ckpt", name: str = "") -> str:
    """Score a checkpoint on the test rows of the subset, without touching what DVC keeps.

    Args:
        checkpoint: path of the file, relative to the project or absolute.
        name: of the folder in data/scores that is written; by default the checkpoint's hash.

    Returns:
        The folder with metrics, report and galleries.
    """
    exit_with_runner()
    with project_lock(
        PIPELINE, f"scoring {checkpoint}", on_wait=publish_waiting
    ):  # it reads what a pipeline may be replacing
        return tasks.score_checkpoint.score(checkpoint, name)
