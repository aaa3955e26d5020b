"""Settings typed into the run form: checked, compared with `params.yaml`, told, and what they would make run."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from tasks.artifacts import publish_markdown
from tasks.dvc_cli import stages_to_run
from tryon.config.overrides import Change, ConfigUpdate, flatten, format_value, prepare_update
from tryon.console import log_line
from tryon.errors import format_list
from tryon.workspace import Workspace

PARAMETER = "params.yaml: "
"""How reasons about parameters begin."""


def validate_overrides(
    workspace: Workspace, preset: str | None, values: Mapping[str, Any], nulls: Sequence[str]
) -> ConfigUpdate:
    """Check what was typed into the form and tell what it changes; nothing is written.

    Raises:
        ParameterError: there is no such preset, or a value breaks a rule; every such key is named.
    """
    proposal = prepare_update(workspace, preset, values, nulls)
    if preset or values or nulls:
        changes = [str(change) for change in proposal.changes] or ["nothing: params.yaml has these values already"]
        log_line("\n".join(["Settings of this run:", *(f"  {line}" for line in changes)]))
        publish_markdown("settings", _page(proposal.changes), f"{len(proposal.changes)} settings changed")
    return proposal


def stages_to_run_with(
    proposal: ConfigUpdate, order: Sequence[str], forced: Collection[str], changed: Mapping[str, str]
) -> dict[str, list[str]]:
    """`stages_to_run` as it would be with settings that are not written yet."""
    due = stages_to_run(order, forced, changed=changed)
    if not proposal.changes:
        return due
    content, recorded = _load(proposal.text), _recorded()
    found: dict[str, list[str]] = {}
    for stage in order:
        reasons = [reason for reason in due.get(stage, []) if not reason.startswith(PARAMETER)]
        reasons += [f"{PARAMETER}{key} modified" for key in _changed_parameters(recorded.get(stage, {}), content)]
        if reasons:
            found[stage] = reasons
    return found


def publish_running(holders: Sequence[str]) -> None:
    """Show, in the place of a plan, what is at work in this project."""
    log_line("\n".join(f"running: {holder}" for holder in holders))
    publish_markdown("plan", "\n".join(f"- running: {holder}" for holder in holders), "running")


def publish_waiting(text: str) -> None:
    """Show whom a run waits for."""
    log_line(text)
    publish_markdown("waiting", text, "waiting")


def publish_plan(due: Mapping[str, list[str]]) -> dict[str, str]:
    """Show what would run and why, and return it."""
    plan = {stage: format_list(reasons, 3) for stage, reasons in due.items()}
    rows = "\n".join(f"| {stage} | {why.replace('|', chr(92) + '|')} |" for stage, why in plan.items())
    after = "Stages after these follow if what they read comes out different."
    text = f"| stage | why |\n| --- | --- |\n{rows}\n\n{after}" if plan else "Nothing would run."
    publish_markdown("plan", text, f"{len(plan)} stages would run first" if plan else "nothing would run")
    return plan


def _page(changes: Sequence[Change]) -> str:
    if not changes:
        return "Nothing changes: `params.yaml` has these values already."
    rows = [f"| `{change.key}` | {format_value(change.before)} | {format_value(change.after)} |" for change in changes]
    return "\n".join(["| key | before | after |", "| --- | --- | --- |", *rows])


def _changed_parameters(recorded: Mapping[str, Any], content: Any) -> list[str]:
    """Keys whose values differ from those that `dvc.lock` has of a stage."""
    found: list[str] = []
    for key, before in recorded.items():
        now = content
        for name in key.split("."):
            now = now.get(name) if isinstance(now, Mapping) else None
        ours, theirs = dict(flatten({key: now})), dict(flatten({key: before}))
        found += [leaf for leaf in {**ours, **theirs} if ours.get(leaf, ...) != theirs.get(leaf, ...)]
    return found


def _recorded() -> dict[str, dict[str, Any]]:
    """By stage: the keys of `params.yaml` that it was last run with, from `dvc.lock`."""
    lock = Path("dvc.lock")
    stages = (_load(lock.read_text()) or {}).get("stages", {}) if lock.is_file() else {}
    return {name: stage.get("params", {}).get("params.yaml", {}) for name, stage in stages.items()}


def _load(text: str) -> Any:
    return YAML(typ="safe", pure=True).load(text)
