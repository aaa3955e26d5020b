"""The pipeline flow: every stage that DVC calls out of date, in DVC's order, each in a process of its own."""

from prefect import flow

from tasks.pipeline import run_stage_by_dvc
from tasks.versions import due_stages, stage_order, stages_named, tell_plan
from tryon.console import say, shown_progress
from tryon.errors import listed
from tryon.inputs import refresh_inputs
from tryon.workspace import Workspace


@flow(name="pipeline", flow_run_name="pipeline")
def pipeline(force: list[str] | None = None, dry_run: bool = False, look: bool = True) -> list[str]:
    """Bring everything up to date.

    Args:
        force: stages to run even though nothing changed; "agnostic" means all its categories.
        dry_run: only say what would run and why.
        look: see first whether the data source or weights have changed. The command line has done so already.

    Returns:
        The stages that were run, or those that would be run first.
    """
    changed: dict[str, str] = {}
    if look:
        with shown_progress() as progress:
            changed = refresh_inputs(Workspace(), progress=progress, write=not dry_run)
    order = stage_order()
    waiting = stages_named(force or [], order)
    if dry_run:
        due = due_stages(order, waiting, changed=changed)
        tell_plan(due)
        return list(due)
    due = due_stages(order, waiting)
    ran: list[str] = []
    while due:
        stage, reasons = next(iter(due.items()))
        say(f"\n{stage} runs: {listed(reasons, 3)}")
        run_stage_by_dvc.with_options(name=stage, task_run_name=stage)(stage, stage in waiting)
        ran.append(stage)
        waiting = [name for name in waiting if name != stage]
        # Asked anew: an output that came out as before leaves the stages after it alone.
        due = {name: why for name, why in due_stages(order, waiting).items() if name not in ran}
    return ran
