"""The pipeline flow: run every outdated stage in DVC's order, each in a child process."""

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

NO_OVERRIDES, CURRENT = Overrides(), Preset(UNCHANGED)


@flow(name="pipeline", flow_run_name="pipeline")
def pipeline(
    dry_run: bool = False,
    force: Sequence[StageName] = (),
    check_sources: bool = True,
    preset: Preset = CURRENT,
    settings: Overrides = NO_OVERRIDES,
    set_to_null: Sequence[NullableKey] = (),
) -> dict[str, str]:
    """Bring all stages up to date.

    Args:
        dry_run: only report what would run and why; `params.yaml` is unchanged.
        force: stages to run even if they are up to date; "agnostic" selects all its categories.
        check_sources: check the data source and weights for changes first.
        preset: replace `params.yaml` by this file of `params/` first.
        settings: keys of `params.yaml` to change first; empty fields are unchanged.
        set_to_null: keys of `params.yaml` to set to null first, which an empty field cannot express.

    Returns:
        The reasons of the stages that were run, or with `dry_run` would be run first.
    """
    exit_with_runner()
    prepare = partial(
        validate_overrides, Workspace(), None if preset == UNCHANGED else preset, settings.model_dump(), set_to_null
    )
    if dry_run:
        return _plan(prepare, force, check_sources)
    with project_lock(PIPELINE, "pipeline", on_wait=publish_waiting):
        order = stage_order()
        forced, update = resolve_stages(force, order), prepare()
        if update.changes:
            outdated_stages()  # fails if a stage is running
        if check_sources:
            _refresh_inputs(update, write=True)
        update.write(Workspace())
        result = _run_outdated(order, forced)
        record_success(Workspace())
        return result


def _plan(prepare: Callable[[], ConfigUpdate], force: Sequence[str], check_sources: bool) -> dict[str, str]:
    if holders := active_processes():
        publish_running(holders)
        return {}
    order = stage_order()
    forced, update = resolve_stages(force, order), prepare()
    changed = _refresh_inputs(update, write=False) if check_sources else {}
    stages = stages_to_run_with(update, order, forced, changed)
    print_plan(stages)
    return publish_plan(stages)


def _refresh_inputs(update: ConfigUpdate, write: bool) -> dict[str, str]:
    with progress_bars() as progress:
        return refresh_inputs(Workspace(), update.parameters, progress, write)


def _run_outdated(order: list[str], forced: list[str]) -> dict[str, str]:
    due = stages_to_run(order, forced)
    result: dict[str, str] = {}
    while due:
        stage, reasons = next(iter(due.items()))
        result[stage] = run_stage_logged(stage, reasons, stage in forced)
        forced = [name for name in forced if name != stage]
        # The status is computed again: if an output came out unchanged, the stages after it stay up to date.
        due = {name: reasons for name, reasons in stages_to_run(order, forced).items() if name not in result}
    return result
