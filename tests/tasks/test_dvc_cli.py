"""Stage order, outdated stages and their reasons, and DVC's errors."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tasks.dvc_cli import (
    DvcBusyError,
    DvcError,
    outdated_stages,
    repro_stage,
    resolve_stages,
    stage_order,
    stages_to_run,
)
from tasks.subprocesses import spawn, terminate_group
from tests.tasks.conftest import CHAIN
from tryon.child_process import is_running
from tryon.errors import ParameterError

pytestmark = pytest.mark.slow

ORDER = ["first@small", "first@large", "gather", "second"]


def test_stages_are_in_topological_order(project: Path) -> None:
    assert stage_order(project) == ORDER


def test_repro_stage_runs_each_outdated_stage(project: Path) -> None:
    due = stages_to_run(ORDER, root=project)
    assert list(due) == ORDER
    assert due["gather"] == ["never run"]
    for stage in ORDER:
        assert repro_stage(stage, project) == 0
    assert outdated_stages(project) == {}
    assert stages_to_run(ORDER, root=project) == {}
    assert stages_to_run(ORDER, ["gather"], project) == {"gather": ["forced"]}


def test_reasons_name_what_changed(project: Path) -> None:
    for stage in ORDER:
        repro_stage(stage, project)
    (project / "params.yaml").write_text("seed: 2\n")
    assert outdated_stages(project) == {"gather": ["parameter changed: seed"]}
    (project / "params.yaml").write_text("seed: 1\n")
    (project / "all-small").write_text("edited")
    (project / "second").unlink()
    reasons = outdated_stages(project)
    assert reasons["gather"] == ["dependency changed: all-small"]
    assert reasons["first@small"] == ["output changed: all-small"]
    assert reasons["second"] == ["output missing: second"]
    (project / "dvc.yaml").write_text(CHAIN.replace("cp first second", "cp  first second"))
    assert "command changed" in outdated_stages(project)["second"]


def test_failed_stage_is_not_recorded(project: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert repro_stage("second", project) != 0
    assert not (project / "dvc.lock").exists()
    assert "second" in capfd.readouterr().err  # DVC's own errors reach the terminal


def test_bare_name_selects_the_whole_matrix() -> None:
    assert resolve_stages(["second", "first"], ORDER) == ["first@small", "first@large", "second"]
    assert resolve_stages([], ORDER) == []
    with pytest.raises(ParameterError, match="first@small, first@large, gather, second"):
        resolve_stages(["third"], ORDER)


def test_running_stage_raises_busy_error(project: Path) -> None:
    (project / "dvc.yaml").write_text("stages:\n  slow:\n    cmd: touch begun && sleep 60\n    outs: [never]\n")
    child = spawn([sys.executable, "-m", "dvc", "repro"], project)
    try:
        while not (project / "begun").exists():
            assert child.poll() is None
            time.sleep(0.1)
        with pytest.raises(DvcBusyError, match="a stage is already running in"):
            outdated_stages(project)
    finally:
        terminate_group(child)


def test_invalid_dvc_file_is_one_error(project: Path) -> None:
    (project / "dvc.yaml").write_text("stages: [")
    with pytest.raises(DvcError, match=r"dvc\.yaml"):
        outdated_stages(project)


def test_stale_rwlock_of_a_zombie_is_removed(project: Path) -> None:
    """DVC itself counts zombies as alive."""
    lock = project / ".dvc" / "tmp" / "rwlock"
    lock.parent.mkdir(exist_ok=True)
    child = subprocess.Popen(["sleep", "60"])
    lock.write_text(json.dumps({"write": {str(project / "first"): {"pid": child.pid, "cmd": "dvc repro"}}, "read": {}}))
    with pytest.raises(DvcBusyError):
        outdated_stages(project)
    child.kill()
    until = time.monotonic() + 30
    while is_running(child.pid):
        assert time.monotonic() < until
    assert "gather" in outdated_stages(project)
    assert not lock.exists() or str(child.pid) not in lock.read_text()
    child.wait()
