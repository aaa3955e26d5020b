"""The pipeline flow: every stage that DVC calls out of date, in DVC's order, each in a process of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from prefect import flow

from flows.run_form import UNCHANGED, NullableKey, Overrides, Preset, StageName
from tasks.dvc_cli import outdated_stages, print_plan, resolve_stages, stage_order, stages_to_run
from tasks.project_lock import PIPELINE, active_processes, project_lock
from tasks.run_by_dvc import run_stage_logged
from tasks.run_overrides import publish_plan, publish_running, publish_waiting, stages_to_run_with, validate_overrides
from tasks.source_watch import record_success
from tasks.subprocesses import exit_with_runner
from tryon.config.overrides import ConfigUpdate
from tryon.console import progress_bars
from tryon.pipeline.external_inputs import refresh_inputs
from tryon.workspace import Workspace

NOTHING, KEEP = Overrides(), Preset(UNCHANGED)


@flow(name="pipeline", flow_run_name="pipeline")
def pipeline(
    dry_run: bool = False,
    force: Sequence[StageName] = (),
    check_sources: bool = True,
    preset: Preset = KEEP,
    settings: Overrides = NOTHING,
    set_to_null: Sequence[NullableKey] = (),
) -> dict[str, str]:
    """Bring everything up to date.

    Args:
        dry_run: only say what would run and why; `params.yaml` stays as it is.
        force: stages to run even though nothing changed; "agnostic" means all its categories.
        check_sources: see first whether the data source or weights have changed.
        preset: put this file of `params/` in the place of `params.yaml` first.
        settings: keys of `params.yaml` to change first; what is left empty stays as the file has it.
        set_to_null: keys of `params.yaml` to set to null first, which an empty field cannot say.

    Returns:
        The stages that were run, or those that would be run first, each with the reasons.
    """
    exit_with_runner()
    chosen = partial(
        validate_overrides, Workspace(), None if preset == UNCHANGED else preset, settings.model_dump(), set_to_null
    )
    if dry_run:
        return _plan(chosen, force, check_sources)
    with project_lock(PIPELINE, "pipeline", on_wait=publish_waiting):
        order = stage_order()
        forced, proposal = resolve_stages(force, order), chosen()
        if proposal.changes:
            outdated_stages()  # stops if a stage runs by itself
        if check_sources:
            _refresh_inputs(proposal, write=True)
        proposal.write(Workspace())
        ran = _run_outdated(order, forced)
        record_success(Workspace())
        return ran


def _plan(chosen: Callable[[], ConfigUpdate], force: Sequence[str], check_sources: bool) -> dict[str, str]:
    if holders := active_processes():
        publish_running(holders)
        return {}
    order = stage_order()
    forced, proposal = resolve_stages(force, order), chosen()
    due = stages_to_run_with(proposal, order, forced, _refresh_inputs(proposal, write=False) if check_sources else {})
    print_plan(due)
    return publish_plan(due)


def _refresh_inputs(proposal: ConfigUpdate, write: bool) -> dict[str, str]:
    with progress_bars() as progress:
        return refresh_inputs(Workspace(), proposal.parameters, progress, write)


def _run_outdated(order: list[str], waiting: list[str]) -> dict[str, str]:
    due = stages_to_run(order, waiting)
    ran: dict[str, str] = {}
    while due:
        stage, reasons = next(iter(due.items()))
        ran[stage] = run_stage_logged(stage, reasons, stage in waiting)
        waiting = [name for name in waiting if name != stage]
        # Asked anew: an output that came out as before leaves the stages after it alone.
        due = {name: why for name, why in stages_to_run(order, waiting).items() if name not in ran}
    return ran
