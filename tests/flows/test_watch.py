"""The watch flow on a real server: new data start one run of the served pipeline."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

pytestmark = pytest.mark.slow

REGISTER = "from flows.pipeline import pipeline; print(pipeline.to_deployment('pipeline').apply())"
WATCH = "from flows.watch import watch; print(watch(min_interval_seconds=0))"


@pytest.fixture
def watched(project, tmp_path: Path):
    """A project whose source has changed since the last pipeline."""
    images = tmp_path / "source" / "dresses" / "images"
    images.mkdir(parents=True)
    (images / "000001_0.jpg").touch()
    project.set("download.source", "../source")
    return project


def last_line(project, code: str, url: str) -> str:
    done = project.python("-c", code, url=url)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip().splitlines()[-1]


def test_one_run_is_started_without_waiting_for_it(watched, server) -> None:
    deployment = last_line(watched, REGISTER, server)

    def runs() -> list[dict]:
        query = {"flow_runs": {"deployment_id": {"any_": [deployment]}}}
        return httpx.post(f"{server}/flow_runs/filter", json=query, trust_env=False).json()

    earlier = len(runs())
    assert "stable in 1 of 2 checks" in last_line(watched, WATCH, server)
    assert len(runs()) == earlier
    state_file = watched.root / "data/work/watch.json"
    before = state_file.read_text()
    assert "a run was started" in last_line(watched, WATCH, server)
    assert len(runs()) == earlier + 1
    assert runs()[0]["parent_task_run_id"] is None
    state_file.write_text(before)  # as after a crash before the state was written
    assert "a run was started" in last_line(watched, WATCH, server)
    assert "has not read it yet" in last_line(watched, WATCH, server)
    assert len(runs()) == earlier + 1


def test_unreachable_source_is_one_message(watched, server) -> None:
    watched.set("download.source", "../nowhere")
    done = watched.python("-c", WATCH, url=server)
    assert done.returncode != 0
    messages = {line for line in done.stderr.splitlines() if line.startswith("tryon.errors.SourceError: ")}
    assert len(messages) == 1
    assert "../nowhere" in messages.pop()
