"""The pipeline flow: every stage that DVC calls out of date, in DVC's order, each in a process of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from prefect import flow

from flows.run_form import UNCHANGED, NullableKey, Overrides, Preset, StageName
from tasks.dvc_cli import due_stages, stage_order, stages_named, stale_stages, tell_plan
from tasks.project_lock import PIPELINE, at_work, holding
from tasks.run_by_dvc import run_told
from tasks.run_overrides import chosen_settings, due_with, tell_due, tell_running, tell_waiting
from tasks.source_watch import note_finished
from tasks.subprocesses import follow_runner
from tryon.config.overrides import Proposal
from tryon.console import shown_progress
from tryon.pipeline.external_inputs import refresh_inputs
from tryon.workspace import Workspace

NOTHING, KEEP = Overrides(), Preset(UNCHANGED)


@flow(name="pipeline", flow_run_name="pipeline")
def pipeline(
    dry_run: bool = False,
    force: Sequence[StageName] = (),
    look: bool = True,
    preset: Preset = KEEP,
    settings: Overrides = NOTHING,
    set_to_null: Sequence[NullableKey] = (),
) -> dict[str, str]:
    """Bring everything up to date.

    Args:
        dry_run: only say what would run and why; `params.yaml` stays as it is.
        force: stages to run even though nothing changed; "agnostic" means all its categories.
        look: see first whether the data source or weights have changed.
        preset: put this file of `params/` in the place of `params.yaml` first.
        settings: keys of `params.yaml` to change first; what is left empty stays as the file has it.
        set_to_null: keys of `params.yaml` to set to null first, which an empty field cannot say.

    Returns:
        The stages that were run, or those that would be run first, each with the reasons.
    """
    follow_runner()
    chosen = partial(
        chosen_settings, Workspace(), None if preset == UNCHANGED else preset, settings.model_dump(), set_to_null
    )
    if dry_run:
        return _plan(chosen, force, look)
    with holding(PIPELINE, "pipeline", wait=tell_waiting):
        order = stage_order()
        forced, proposal = stages_named(force, order), chosen()
        if proposal.changes:
            stale_stages()  # stops if a stage runs by itself
        if look:
            _look(proposal, write=True)
        proposal.write(Workspace())
        ran = _run_due(order, forced)
        note_finished(Workspace())
        return ran


def _plan(chosen: Callable[[], Proposal], force: Sequence[str], look: bool) -> dict[str, str]:
    if holders := at_work():
        tell_running(holders)
        return {}
    order = stage_order()
    forced, proposal = stages_named(force, order), chosen()
    due = due_with(proposal, order, forced, _look(proposal, write=False) if look else {})
    tell_plan(due)
    return tell_due(due)


def _look(proposal: Proposal, write: bool) -> dict[str, str]:
    with shown_progress() as progress:
        return refresh_inputs(Workspace(), proposal.parameters, progress, write)


def _run_due(order: list[str], waiting: list[str]) -> dict[str, str]:
    due = due_stages(order, waiting)
    ran: dict[str, str] = {}
    while due:
        stage, reasons = next(iter(due.items()))
        ran[stage] = run_told(stage, reasons, stage in waiting)
        waiting = [name for name in waiting if name != stage]
        # Asked anew: an output that came out as before leaves the stages after it alone.
        due = {name: why for name, why in due_stages(order, waiting).items() if name not in ran}
    return ran
