"""Validate the settings of the run form, publish them, and compute which stages they would run."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from tasks.artifacts import publish_markdown
from tasks.dvc_cli import LATER_STAGES, stages_to_run
from tryon.config.overrides import Change, ConfigUpdate, flatten, format_value, prepare_update
from tryon.console import format_count, log_line
from tryon.errors import format_list
from tryon.workspace import Workspace

PARAMETER = "parameter "  # prefix of reasons about `params.yaml`


def validate_overrides(
    workspace: Workspace, preset: str | None, values: Mapping[str, Any], nulls: Sequence[str]
) -> ConfigUpdate:
    """Validate the settings of the run form and publish their changes; nothing is written. See `prepare_update`."""
    update = prepare_update(workspace, preset, values, nulls)
    if preset or values or nulls:
        changes = [str(change) for change in update.changes] or ["none: params.yaml has these values already"]
        log_line("\n".join(["Changed settings of this run:", *(f"  {line}" for line in changes)]))
        description = f"{format_count(len(update.changes), 'setting')} changed"
        publish_markdown("settings", _changes_to_markdown(update.changes), description)
    return update


def stages_to_run_with(
    update: ConfigUpdate, order: Sequence[str], forced: Collection[str], changed: Mapping[str, str]
) -> dict[str, list[str]]:
    """Compute `stages_to_run` for settings that are not written yet."""
    due = stages_to_run(order, forced, changed=changed)
    if not update.changes:
        return due
    content, recorded = _load(update.text), _recorded_parameters()
    result: dict[str, list[str]] = {}
    for stage in order:
        reasons = [reason for reason in due.get(stage, []) if not reason.startswith(PARAMETER)]
        reasons += [f"{PARAMETER}changed: {key}" for key in _changed_parameters(recorded.get(stage, {}), content)]
        if reasons:
            result[stage] = reasons
    return result


def publish_running(holders: Sequence[str]) -> None:
    """Publish the active processes of this project instead of a plan."""
    log_line("\n".join(f"running: {holder}" for holder in holders))
    publish_markdown("plan", "\n".join(f"- running: {holder}" for holder in holders), "running")


def publish_waiting(text: str) -> None:
    """Publish which process a run is waiting for."""
    log_line(text)
    publish_markdown("waiting", text, "waiting")


def publish_plan(stages: Mapping[str, list[str]]) -> dict[str, str]:
    """Publish which stages would run and why; return the reasons as text by stage."""
    plan = {stage: format_list(reasons, 3) for stage, reasons in stages.items()}
    rows = "\n".join(f"| {stage} | {reasons.replace('|', chr(92) + '|')} |" for stage, reasons in plan.items())
    text = f"| stage | reasons |\n| --- | --- |\n{rows}\n\n{LATER_STAGES}" if plan else "Nothing would run."
    publish_markdown("plan", text, f"{format_count(len(plan), 'stage')} would run" if plan else "nothing would run")
    return plan


def _changes_to_markdown(changes: Sequence[Change]) -> str:
    if not changes:
        return "Nothing changes: `params.yaml` has these values already."
    rows = [f"| `{change.key}` | {format_value(change.before)} | {format_value(change.after)} |" for change in changes]
    return "\n".join(["| key | before | after |", "| --- | --- | --- |", *rows])


def _changed_parameters(recorded: Mapping[str, Any], content: Any) -> list[str]:
    """Return the keys whose values differ from those recorded for a stage in `dvc.lock`."""
    changed: list[str] = []
    for key, before in recorded.items():
        after = content
        for name in key.split("."):
            after = after.get(name) if isinstance(after, Mapping) else None
        new, old = dict(flatten({key: after})), dict(flatten({key: before}))
        changed += [leaf for leaf in {**new, **old} if new.get(leaf, ...) != old.get(leaf, ...)]
    return changed


def _recorded_parameters() -> dict[str, dict[str, Any]]:
    """Return the keys of `params.yaml` recorded in `dvc.lock`, by stage."""
    lock = Path("dvc.lock")
    stages = (_load(lock.read_text()) or {}).get("stages", {}) if lock.is_file() else {}
    return {name: stage.get("params", {}).get("params.yaml", {}) for name, stage in stages.items()}


def _load(text: str) -> Any:
    return YAML(typ="safe", pure=True).load(text)
