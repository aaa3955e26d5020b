"""The flow of one stage by itself, run by DVC as in the pipeline, so that what comes of it is recorded."""

from __future__ import annotations

from prefect import flow
from prefect.runtime import deployment

from flows.run_form import StageName
from tasks.dvc_cli import due_stages, stage_order, stages_named
from tasks.project_lock import PIPELINE, at_work, holding
from tasks.run_by_dvc import run_told
from tasks.run_overrides import tell_due, tell_running, tell_waiting
from tasks.subprocesses import follow_runner
from tryon.console import say, shown_progress
from tryon.errors import ParameterError
from tryon.pipeline.external_inputs import refresh_inputs
from tryon.pipeline.stages import STAGES
from tryon.workspace import Workspace


@flow(name="stage", flow_run_name="{stage} alone")
def alone(stage: StageName, force: bool = False, dry_run: bool = False) -> dict[str, str]:
    """Run one stage if it is out of date, on the outputs of the others as they are.

    Args:
        stage: which one; "agnostic" means all its categories.
        force: run it even though nothing changed.
        dry_run: only say whether it would run and why.

    Returns:
        The stages of `dvc.yaml` that were run, or would be, each with the reasons.
    """
    follow_runner()
    _check_own(stage)
    if dry_run and (holders := at_work()):
        tell_running(holders)
        return {}
    if dry_run:
        return tell_due(_due(stage, force, write=False))
    with holding(PIPELINE, f"stage {stage} alone", wait=tell_waiting):
        due = _due(stage, force, write=True)
        if not due:
            say(f"Nothing to do: {stage} is up to date.")
        return {name: run_told(name, reasons, force) for name, reasons in due.items()}


def _check_own(stage: str) -> None:
    """A stage's deployment has one run at a time, and so runs that stage only."""
    own = deployment.name
    if own in STAGES and stage.partition("@")[0] != own:
        rule = f"is {own} or one of its categories in this deployment"
        raise ParameterError("stage", rule=rule, value=str(stage), remedy=f"Start the deployment stage/{stage}.")


def _due(stage: str, force: bool, write: bool) -> dict[str, list[str]]:
    with shown_progress() as progress:
        changed = refresh_inputs(Workspace(), progress=progress, write=write)
    order = stage_order()
    wanted = stages_named([stage], order)
    due = due_stages(order, wanted if force else [], changed={} if write else changed)
    return {name: why for name, why in due.items() if name in wanted}
