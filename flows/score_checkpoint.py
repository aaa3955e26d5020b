"""The score-checkpoint flow: evaluate any checkpoint file."""

from __future__ import annotations

from prefect import flow

import tasks.score_checkpoint
from tasks.project_lock import PIPELINE, project_lock
from tasks.run_overrides import publish_waiting
from tasks.subprocesses import exit_with_runner


@flow(name="score-checkpoint", flow_run_name="score {checkpoint}")
def score_checkpoint(checkpoint: str = "data/checkpoints/best.ckpt", name: str = "") -> str:
    """Score a checkpoint on the test rows of the subset; DVC outputs are unchanged.

    Args:
        checkpoint: path of the file, relative to the project or absolute.
        name: output folder below data/scores; by default the checkpoint's hash.

    Returns:
        The folder with metrics, report and galleries.
    """
    exit_with_runner()
    # A pipeline would replace the inputs meanwhile.
    with project_lock(PIPELINE, f"scoring {checkpoint}", on_wait=publish_waiting):
        return tasks.score_checkpoint.score(checkpoint, name)
