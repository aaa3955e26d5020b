"""The flow of a single stage, run by DVC as in the pipeline, so that its result is recorded."""

from __future__ import annotations

from prefect import flow
from prefect.runtime import deployment

from flows.run_form import StageName
from tasks.dvc_cli import resolve_stages, stage_order, stages_to_run
from tasks.project_lock import PIPELINE, active_processes, project_lock
from tasks.run_by_dvc import run_stage_logged
from tasks.run_overrides import publish_plan, publish_running, publish_waiting
from tasks.subprocesses import exit_with_runner
from tryon.console import log_line, progress_bars
from tryon.errors import ParameterError
from tryon.pipeline.external_inputs import refresh_inputs
from tryon.pipeline.stages import STAGES
from tryon.workspace import Workspace


@flow(name="stage", flow_run_name="single stage {stage}")
def run_single_stage(stage: StageName, force: bool = False, dry_run: bool = False) -> dict[str, str]:
    """Run one stage if it is outdated, on the current outputs of the others.

    Args:
        stage: the stage; "agnostic" selects all its categories.
        force: run it even if it is up to date.
        dry_run: only report whether it would run and why.

    Returns:
        The reasons of the stages of `dvc.yaml` that were run, or would be.
    """
    exit_with_runner()
    _validate_stage_matches_deployment(stage)
    if dry_run and (holders := active_processes()):
        publish_running(holders)
        return {}
    if dry_run:
        return publish_plan(_find_outdated(stage, force, write=False))
    with project_lock(PIPELINE, f"single stage {stage}", on_wait=publish_waiting):
        due = _find_outdated(stage, force, write=True)
        if not due:
            log_line(f"Nothing to do: {stage} is up to date.")
        return {name: run_stage_logged(name, reasons, force) for name, reasons in due.items()}


def _validate_stage_matches_deployment(stage: str) -> None:
    """Reject other stages in a stage's deployment, whose concurrency limit covers that stage only."""
    name = deployment.name
    if name in STAGES and stage.partition("@")[0] != name:
        raise ParameterError(
            f"deployment stage/{name} cannot run stage {stage}",
            expected=f"{name} or one of its categories",
            hint=f"Start the deployment stage/{stage.partition('@')[0]}.",
        )


def _find_outdated(stage: str, force: bool, write: bool) -> dict[str, list[str]]:
    with progress_bars() as progress:
        changed = refresh_inputs(Workspace(), progress=progress, write=write)
    order = stage_order()
    selected = resolve_stages([stage], order)
    due = stages_to_run(order, selected if force else [], changed={} if write else changed)
    return {name: reasons for name, reasons in due.items() if name in selected}
