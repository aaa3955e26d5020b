"""DVC's order, what it calls out of date, and what it says when it is busy or broken."""

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
from tryon.child_process import is_running
from tryon.errors import ParameterError

ORDER = ["first@small", "first@large", "gather", "second"]


def test_every_stage_comes_after_what_it_reads(project: Path) -> None:
    assert stage_order(project) == ORDER


def test_stages_run_one_by_one_until_nothing_is_out_of_date(project: Path) -> None:
    assert list(stages_to_run(ORDER, root=project)) == ORDER
    for stage in ORDER:
        assert repro_stage(stage, project) == 0
    assert outdated_stages(project) == {}
    assert stages_to_run(ORDER, root=project) == {}
    assert stages_to_run(ORDER, ["gather"], project) == {"gather": ["forced"]}


def test_a_changed_parameter_is_a_reason_for_its_stage_alone(project: Path) -> None:
    for stage in ORDER:
        repro_stage(stage, project)
    (project / "params.yaml").write_text("seed: 2\n")
    assert outdated_stages(project) == {"gather": ["params.yaml: seed modified"]}


def test_a_failing_stage_leaves_no_record(project: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert repro_stage("second", project) != 0
    assert not (project / "dvc.lock").exists()
    assert "second" in capfd.readouterr().err  # DVC's own errors reach the terminal


def test_bare_names_mean_the_whole_matrix() -> None:
    assert resolve_stages(["second", "first"], ORDER) == ["first@small", "first@large", "second"]
    assert resolve_stages([], ORDER) == []
    with pytest.raises(ParameterError, match="first@small, first@large, gather, second"):
        resolve_stages(["third"], ORDER)


def test_a_running_stage_is_told_as_running(project: Path) -> None:
    (project / "dvc.yaml").write_text("stages:\n  slow:\n    cmd: touch begun && sleep 60\n    outs: [never]\n")
    child = spawn([sys.executable, "-m", "dvc", "repro"], project)
    try:
        while not (project / "begun").exists():
            assert child.poll() is None
            time.sleep(0.1)
        with pytest.raises(DvcBusyError, match="is running here"):
            outdated_stages(project)
    finally:
        terminate_group(child)


def test_a_broken_dvc_file_is_one_clear_error(project: Path) -> None:
    (project / "dvc.yaml").write_text("stages: [")
    with pytest.raises(DvcError, match=r"dvc\.yaml"):
        outdated_stages(project)


def test_the_dead_are_no_obstacle_even_before_they_are_collected(project: Path) -> None:
    """DVC takes a process that nobody has waited for yet for one that runs."""
    note = project / ".dvc" / "tmp" / "rwlock"
    note.parent.mkdir(exist_ok=True)
    child = subprocess.Popen(["sleep", "60"])
    note.write_text(json.dumps({"write": {str(project / "first"): {"pid": child.pid, "cmd": "dvc repro"}}, "read": {}}))
    with pytest.raises(DvcBusyError):
        outdated_stages(project)
    child.kill()
    until = time.monotonic() + 30
    while is_running(child.pid):
        assert time.monotonic() < until
    assert "gather" in outdated_stages(project)
    assert not note.exists() or str(child.pid) not in note.read_text()
    child.wait()
