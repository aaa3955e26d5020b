"""The watch flow on a real server: new data start one run of the served pipeline, whatever is forgotten in between."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

REGISTER = "from flows.pipeline import pipeline; print(pipeline.to_deployment('pipeline').apply())"
LOOK = "from flows.watch import watch; print(watch(min_interval_seconds=0))"


@pytest.fixture
def watched(project, tmp_path: Path):
    """A project whose source has changed since a pipeline looked at it."""
    images = tmp_path / "source" / "dresses" / "images"
    images.mkdir(parents=True)
    (images / "000001_0.jpg").touch()
    project.set("download.source", "../source")
    return project


def said(project, code: str, url: str) -> str:
    done = project.python("-c", code, url=url)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip().splitlines()[-1]


def test_one_run_is_started_and_the_watch_does_not_wait_for_it(watched, server) -> None:
    deployment = said(watched, REGISTER, server)

    def runs() -> list[dict]:
        chosen = {"flow_runs": {"deployment_id": {"any_": [deployment]}}}
        return httpx.post(f"{server}/flow_runs/filter", json=chosen, trust_env=False).json()

    earlier = len(runs())
    assert "1 of 2 times" in said(watched, LOOK, server)
    assert len(runs()) == earlier
    memory = watched.root / "data/work/watch.json"
    before = memory.read_text()
    assert "a run was started" in said(watched, LOOK, server)
    assert len(runs()) == earlier + 1
    assert runs()[0]["parent_task_run_id"] is None
    memory.write_text(before)  # as if it had been killed before it noted that
    assert "a run was started" in said(watched, LOOK, server)
    assert "has not looked at it yet" in said(watched, LOOK, server)
    assert len(runs()) == earlier + 1


def test_a_source_out_of_reach_fails_the_tick_in_one_message(watched, server) -> None:
    watched.set("download.source", "../nowhere")
    done = watched.python("-c", LOOK, url=server)
    assert done.returncode != 0
    assert "../nowhere: is a folder or a file that exists" in done.stderr
