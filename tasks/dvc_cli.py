"""Call DVC's command line in the project folder. No other module does.

DVC decides which stages are outdated. While a stage runs it refuses to answer, which is raised as `DvcBusyError`.
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
DVC = (sys.executable, "-m", "dvc")
NO_CHANGES: Mapping[str, str] = {}
NEVER_RUN = "never run"
"""The only reason of a stage that is not in `dvc.lock`; otherwise each of its inputs would be one."""

LATER_STAGES = "Later stages run if their inputs change."
_STATES = {"modified": "changed", "deleted": "missing"}


class DvcError(TryOnError):
    """DVC failed, and not because of a stage."""


class DvcBusyError(DvcError):
    """Another DVC command or pipeline is running in this folder."""


def stage_order(root: Path = HERE) -> list[str]:
    """Return all stages of `dvc.yaml` ("agnostic@dresses" for one of a matrix) in topological order.

    Independent stages keep their order in `dvc.yaml`.
    """
    graph = _dvc(root, "dag", "--dot")
    pending = re.findall(r'^"([^"]+)";$', graph, re.MULTILINE)
    edges = re.findall(r'^"([^"]+)" -> "([^"]+)";$', graph, re.MULTILINE)
    order: list[str] = []
    while pending:
        ready = next(name for name in pending if not any(name == to and start in pending for start, to in edges))
        pending.remove(ready)
        order.append(ready)
    return order


def outdated_stages(root: Path = HERE) -> dict[str, list[str]]:
    """Return the stages that `dvc repro` would run now, with the reasons.

    Raises:
        DvcBusyError: a stage is running.
        DvcError: DVC failed, for example on an invalid `dvc.yaml`.
    """
    status = json.loads(_dvc(root, "status", "--json"))
    outdated = {stage: [text for change in changes for text in _reasons(change)] for stage, changes in status.items()}
    return {stage: [NEVER_RUN] if "parameter file new" in texts else texts for stage, texts in outdated.items()}


def _reasons(change: Any) -> list[str]:
    """Convert an entry of `dvc status --json`: "parameter changed: image.size", "output missing: data/index"."""
    if isinstance(change, str):
        return ["command changed" if change == "changed command" else change]
    reasons: list[str] = []
    for kind, entries in change.items():
        for path, state in entries.items():
            if isinstance(state, dict):
                noun = "parameter" if path == "params.yaml" else path
                reasons += [f"{noun} {_STATES.get(value, value)}: {key}" for key, value in state.items()]
            elif (path, state) == ("params.yaml", "new"):
                reasons.append("parameter file new")
            else:
                noun = "output" if kind == "changed outs" else "dependency"
                reasons.append(f"{noun} {_STATES.get(state, state)}: {path}")
    return reasons


def stages_to_run(
    order: Sequence[str], forced: Collection[str] = (), root: Path = HERE, changed: Mapping[str, str] = NO_CHANGES
) -> dict[str, list[str]]:
    """Return the stages to run now, in `order`, with the reasons.

    Args:
        order: all stages in topological order.
        forced: stages to run even if they are up to date.
        root: the project.
        changed: changes of external inputs by stage that are not recorded yet, so that DVC does not see them.
    """
    outdated = outdated_stages(root)
    result: dict[str, list[str]] = {}
    for stage in order:
        reasons = [changed[stage]] if stage in changed else []
        reasons += outdated.get(stage, []) + (["forced"] if stage in forced else [])
        if reasons or stage in outdated:
            result[stage] = reasons
    return result


def resolve_stages(names: Collection[str], order: Sequence[str]) -> list[str]:
    """Return the stages of `order` that `names` select; the bare name of a matrix selects all its stages."""
    groups = {stage: stage.partition("@")[0] for stage in order}
    unknown = [name for name in names if name not in {*groups, *groups.values()}]
    if unknown:
        raise ParameterError("unknown stage", found=format_list(unknown), expected=f"one of {', '.join(order)}")
    return [stage for stage in order if stage in names or groups[stage] in names]


def print_plan(stages: Mapping[str, list[str]]) -> None:
    """Print which stages would run and why."""
    for stage, reasons in stages.items():
        log_line(f"{stage} would run: {format_list(reasons, 3)}")
    log_line(LATER_STAGES if stages else "Nothing would run.")


def repro_stage(stage: str, root: Path = HERE, force: bool = False, extra: Mapping[str, str] | None = None) -> int:
    """Run one outdated stage with `dvc repro` and return DVC's exit code, 0 for success.

    The stage shares this process's standard error, for progress and errors. DVC's standard output is discarded.

    Args:
        stage: its name in `dvc.yaml`.
        root: the project.
        force: run it even if it is up to date.
        extra: additional environment variables of the stage.
    """
    clear_stale_rwlock(root)
    arguments = ["repro", "--single-item", *(["--force"] if force else []), stage]
    return wait_or_kill(spawn([*DVC, *arguments], root, extra, output=subprocess.DEVNULL))


def clear_stale_rwlock(root: Path = HERE) -> None:
    """Remove DVC's record of readers and writers if all of them have ended.

    DVC does so itself, but counts zombies as alive. If their parent was killed, the init process of the machine or
    container has to reap them, and not every one does.
    """
    lock = root / ".dvc" / "tmp" / "rwlock"
    try:
        processes = {int(number) for number in re.findall(r'"pid": (\d+)', lock.read_text())}
    except OSError:
        return
    if processes and not any(map(is_running, processes)):
        lock.unlink(missing_ok=True)


def _dvc(root: Path, *arguments: str) -> str:
    """Return the standard output of a read-only DVC command."""
    clear_stale_rwlock(root)
    done = subprocess.run([*DVC, *arguments], cwd=root, env=child_env(), capture_output=True, text=True, check=False)
    if done.returncode == 0:
        return done.stdout
    message = " ".join(line for line in done.stderr.splitlines() if line.strip())
    if "is busy" in message or "acquire lock" in message:
        raise DvcBusyError(
            f"a stage is already running in {root.resolve()} ({message})",
            hint="Wait until it has finished, or stop it.",
        )
    raise DvcError(f"dvc {' '.join(arguments)} failed ({message})")
