"""The flow of one stage by itself, run by DVC as in the pipeline, so that what comes of it is recorded."""

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


@flow(name="stage", flow_run_name="{stage} alone")
def run_single_stage(stage: StageName, force: bool = False, dry_run: bool = False) -> dict[str, str]:
    """Run one stage if it is out of date, on the outputs of the others as they are.

    Args:
        stage: which one; "agnostic" means all its categories.
        force: run it even though nothing changed.
        dry_run: only say whether it would run and why.

    Returns:
        The stages of `dvc.yaml` that were run, or would be, each with the reasons.
    """
    exit_with_runner()
    _validate_stage_matches_deployment(stage)
    if dry_run and (holders := active_processes()):
        publish_running(holders)
        return {}
    if dry_run:
        return publish_plan(_find_outdated(stage, force, write=False))
    with project_lock(PIPELINE, f"stage {stage} alone", on_wait=publish_waiting):
        due = _find_outdated(stage, force, write=True)
        if not due:
            log_line(f"Nothing to do: {stage} is up to date.")
        return {name: run_stage_logged(name, reasons, force) for name, reasons in due.items()}


def _validate_stage_matches_deployment(stage: str) -> None:
    """A stage's deployment has one run at a time, and so runs that stage only."""
    own = deployment.name
    if own in STAGES and stage.partition("@")[0] != own:
        rule = f"is {own} or one of its categories in this deployment"
        raise ParameterError("stage", expected=rule, found=str(stage), hint=f"Start the deployment stage/{stage}.")


def _find_outdated(stage: str, force: bool, write: bool) -> dict[str, list[str]]:
    with progress_bars() as progress:
        changed = refresh_inputs(Workspace(), progress=progress, write=write)
    order = stage_order()
    wanted = resolve_stages([stage], order)
    due = stages_to_run(order, wanted if force else [], changed={} if write else changed)
    return {name: why for name, why in due.items() if name in wanted}
