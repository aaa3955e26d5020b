"""The only code that calls DVC: its command line, in the project's folder.

DVC decides what is out of date. It answers "is busy" to whoever asks while a stage runs: that is told as running.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from tasks.subprocesses import child_env, spawn, wait_or_kill
from tryon.child_process import is_running
from tryon.console import log_line
from tryon.errors import ParameterError, TryOnError, format_list

HERE = Path()
NOTHING_TO_DO: Mapping[str, str] = {}
NEW = "no finished run is recorded"
"""The reason of a stage of which `dvc.lock` knows nothing; each of its inputs would be one."""


class DvcError(TryOnError):
    """DVC refused, and not because of a stage."""


class DvcBusyError(DvcError):
    """Another DVC command or pipeline is at work in this folder."""


def stage_order(root: Path = HERE) -> list[str]:
    """All stages of `dvc.yaml` ("agnostic@dresses" for one of a matrix), each after those whose outputs it reads.

    Stages that do not depend on each other keep the order of `dvc.yaml`.
    """
    drawn = _dvc(root, "dag", "--dot")
    waiting = re.findall(r'^"([^"]+)";$', drawn, re.MULTILINE)
    edges = re.findall(r'^"([^"]+)" -> "([^"]+)";$', drawn, re.MULTILINE)
    order: list[str] = []
    while waiting:
        ready = next(name for name in waiting if not any(name == below and above in waiting for above, below in edges))
        waiting.remove(ready)
        order.append(ready)
    return order


def outdated_stages(root: Path = HERE) -> dict[str, list[str]]:
    """Stages that `dvc repro` would run now, each with the reasons, as far as can be known before one has run.

    Raises:
        BusyError: a stage is running.
        VersionsError: DVC cannot tell, for a broken `dvc.yaml` for example.
    """
    status = json.loads(_dvc(root, "status", "--json"))
    stale = {stage: [reason for change in changes for reason in _reasons(change)] for stage, changes in status.items()}
    return {stage: [NEW] if "params.yaml new" in reasons else reasons for stage, reasons in stale.items()}


def stages_to_run(
    order: Sequence[str], forced: Collection[str] = (), root: Path = HERE, changed: Mapping[str, str] = NOTHING_TO_DO
) -> dict[str, list[str]]:
    """Stages of `order` to run now, each with the reasons.

    These are the stages out of date, those of `forced`, and those of `changed`: inputs from outside that have changed,
    by stage, which DVC has not been told yet.
    """
    stale = outdated_stages(root)
    due: dict[str, list[str]] = {}
    for stage in order:
        told = [changed[stage]] if stage in changed else []
        if stage in stale or stage in forced or told:
            due[stage] = told + stale.get(stage, []) + (["forced"] if stage in forced else [])
    return due


def resolve_stages(names: Collection[str], order: Sequence[str]) -> list[str]:
    """The stages of `order` that `names` mean; the bare name of a matrix means all its stages.

    Raises:
        ParameterError: a name means none.
    """
    groups = {stage: stage.partition("@")[0] for stage in order}
    unknown = [name for name in names if name not in {*groups, *groups.values()}]
    if unknown:
        raise ParameterError("stage", expected=f"is one of {', '.join(order)}", found=format_list(unknown))
    return [stage for stage in order if stage in names or groups[stage] in names]


def print_plan(due: Mapping[str, list[str]]) -> None:
    """Print what a run would do and why."""
    for stage, reasons in due.items():
        log_line(f"{stage} would run: {format_list(reasons, 3)}")
    log_line("Stages after these follow if what they read comes out different." if due else "Nothing would run.")


def repro_stage(stage: str, root: Path = HERE, force: bool = False, extra: Mapping[str, str] | None = None) -> int:
    """Have DVC run one stage, if it is out of date, and record what came of it. Returns DVC's exit code, 0 for success.

    The stage shares this process's standard error, so its progress is seen as it happens, and so are DVC's errors.
    What DVC tells on standard output is dropped.

    Args:
        stage: its name in `dvc.yaml`.
        root: the project.
        force: run it even if nothing changed.
        extra: set in the environment of the stage.
    """
    clear_stale_rwlock(root)
    arguments = ["repro", "--single-item", *(["--force"] if force else []), stage]
    return wait_or_kill(spawn([*_command(), *arguments], root, extra, output=subprocess.DEVNULL))


def clear_stale_rwlock(root: Path = HERE) -> None:
    """Remove DVC's note of who reads and writes here if all of them have ended.

    DVC does so itself, but takes a process for alive until its parent has collected it. Where a parent was killed, that
    is for the first process of the machine or the container to do, and not every one does.
    """
    note = root / ".dvc" / "tmp" / "rwlock"
    try:
        processes = {int(number) for number in re.findall(r'"pid": (\d+)', note.read_text())}
    except OSError:
        return
    if processes and not any(map(is_running, processes)):
        note.unlink(missing_ok=True)


def _command() -> list[str]:
    return [sys.executable, "-m", "dvc"]


def _dvc(root: Path, *arguments: str) -> str:
    """Standard output of a DVC command that only looks."""
    clear_stale_rwlock(root)
    done = subprocess.run(
        [*_command(), *arguments], cwd=root, env=child_env(), capture_output=True, text=True, check=False
    )
    if done.returncode == 0:
        return done.stdout
    said = " ".join(line for line in done.stderr.splitlines() if line.strip())
    if "is busy" in said or "acquire lock" in said:
        remedy = "Wait until it has finished, or stop it."
        raise DvcBusyError(
            str(root.resolve()), expected="is free, but a stage is running here", found=said, hint=remedy
        )
    raise DvcError(f"dvc {' '.join(arguments)}", expected="succeeds", found=said, hint="Mend what it says.")


def _reasons(change: Any) -> list[str]:
    """One entry of `dvc status --json` in words: "params.yaml: image.size modified", "data/raw deleted"."""
    if isinstance(change, str):
        return [change]
    reasons: list[str] = []
    for things in change.values():
        for name, how in things.items():
            if isinstance(how, dict):
                reasons += [f"{name}: {key} {what}" for key, what in how.items()]
            else:
                reasons.append(f"{name} {how}")
    return reasons
