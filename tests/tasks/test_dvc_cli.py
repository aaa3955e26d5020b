"""DVC's order, what it calls out of date, and what it says when it is busy or broken."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tasks.dvc_cli import BusyError, VersionsError, due_stages, repro_single, stage_order, stages_named, stale_stages
from tasks.subprocesses import end, start
from tryon.child_process import is_running
from tryon.errors import ParameterError

ORDER = ["first@small", "first@large", "gather", "second"]


def test_every_stage_comes_after_what_it_reads(project: Path) -> None:
    assert stage_order(project) == ORDER


def test_stages_run_one_by_one_until_nothing_is_out_of_date(project: Path) -> None:
    assert list(due_stages(ORDER, root=project)) == ORDER
    for stage in ORDER:
        assert repro_single(stage, project) == 0
    assert stale_stages(project) == {}
    assert due_stages(ORDER, root=project) == {}
    assert due_stages(ORDER, ["gather"], project) == {"gather": ["forced"]}


def test_a_changed_parameter_is_a_reason_for_its_stage_alone(project: Path) -> None:
    for stage in ORDER:
        repro_single(stage, project)
    (project / "params.yaml").write_text("seed: 2\n")
    assert stale_stages(project) == {"gather": ["params.yaml: seed modified"]}


def test_a_failing_stage_leaves_no_record(project: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert repro_single("second", project) != 0
    assert not (project / "dvc.lock").exists()
    assert "second" in capfd.readouterr().err  # DVC's own errors reach the terminal


def test_bare_names_mean_the_whole_matrix() -> None:
    assert stages_named(["second", "first"], ORDER) == ["first@small", "first@large", "second"]
    assert stages_named([], ORDER) == []
    with pytest.raises(ParameterError, match="first@small, first@large, gather, second"):
        stages_named(["third"], ORDER)


def test_a_running_stage_is_told_as_running(project: Path) -> None:
    (project / "dvc.yaml").write_text("stages:\n  slow:\n    cmd: touch begun && sleep 60\n    outs: [never]\n")
    child = start([sys.executable, "-m", "dvc", "repro"], project)
    try:
        while not (project / "begun").exists():
            assert child.poll() is None
            time.sleep(0.1)
        with pytest.raises(BusyError, match="is running here"):
            stale_stages(project)
    finally:
        end(child)


def test_a_broken_dvc_file_is_one_clear_error(project: Path) -> None:
    (project / "dvc.yaml").write_text("stages: [")
    with pytest.raises(VersionsError, match=r"dvc\.yaml"):
        stale_stages(project)


def test_the_dead_are_no_obstacle_even_before_they_are_collected(project: Path) -> None:
    """DVC takes a process that nobody has waited for yet for one that runs."""
    note = project / ".dvc" / "tmp" / "rwlock"
    note.parent.mkdir(exist_ok=True)
    child = subprocess.Popen(["sleep", "60"])
    note.write_text(json.dumps({"write": {str(project / "first"): {"pid": child.pid, "cmd": "dvc repro"}}, "read": {}}))
    with pytest.raises(BusyError):
        stale_stages(project)
    child.kill()
    until = time.monotonic() + 30
    while is_running(child.pid):
        assert time.monotonic() < until
    assert "gather" in stale_stages(project)
    assert not note.exists() or str(child.pid) not in note.read_text()
    child.wait()
