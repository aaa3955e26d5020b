"""The agnostic flow runs shards as tasks and writes the same manifest as the plain stage."""

from __future__ import annotations

from concurrent.futures import BrokenExecutor
from dataclasses import replace

import httpx
import pytest

import tasks.agnostic
import tryon.agnostic.plan
from tryon.categories import Category
from tryon.runtime.progress import no_progress
from tryon.workspace import Workspace

pytestmark = pytest.mark.slow

SMALL_SHARDS = """import tryon.agnostic.plan
tryon.agnostic.plan.SHARD_SIZE = 2

if __name__ == "__main__":
    from flows.stage_command import main
    raise SystemExit(main())
"""


@pytest.fixture(scope="module")
def downloaded(new_project, tmp_path_factory):
    """A project with a few downloaded synthetic pairs."""
    project = new_project(tmp_path_factory.mktemp("downloaded") / "project")
    project.set("download.synthetic.train_pairs", 3)
    project.set("download.synthetic.test_pairs", 2)
    project.set("image.size", [64, 48])
    (project.root / "stage.py").write_text(SMALL_SHARDS)
    done = project.python("-m", "tryon", "download")
    assert done.returncode == 0, done.stderr
    return project


def test_flow_writes_the_manifest_of_the_plain_stage(downloaded, server, tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("TRYON_WORKERS", "2")
    plain, flow = downloaded.copy(tmp_path / "plain"), downloaded.copy(tmp_path / "flow")
    assert plain.python("-m", "tryon", "agnostic", "dresses").returncode == 0
    done = flow.python("stage.py", "agnostic", "dresses", url=server)
    assert done.returncode == 0, done.stderr
    manifest = Workspace().manifest(Category.DRESSES)
    assert (flow.root / manifest).read_bytes() == (plain.root / manifest).read_bytes()
    names = {run["name"]: run for run in httpx.post(f"{server}/task_runs/filter", json={}, trust_env=False).json()}
    assert {"plan", "shards 0 to 1", "shards 1 to 2", "collect"} <= set(names)
    assert names["shards 1 to 2"]["state_name"] == "Completed"


def test_missing_raw_file_is_one_message(downloaded, server, tmp_path) -> None:
    project = downloaded.copy(tmp_path / "project")
    next((project.root / "data/raw/dresses/images").glob("*_0.jpg")).unlink()
    done = project.python("stage.py", "agnostic", "dresses", url=server)
    assert done.returncode == 2
    assert len(done.stderr.strip().splitlines()) == 1
    assert "`tryon download`" in done.stderr


def test_violated_quality_limits_are_one_message_and_an_image(downloaded, server, tmp_path) -> None:
    project = downloaded.copy(tmp_path / "project")
    project.set("agnostic.quality_limits.max_mask_fraction", 0.05)
    done = project.python("stage.py", "agnostic", "lower_body", url=server)
    assert done.returncode == 2
    assert done.stderr.count("error:") == 1
    assert "Traceback" not in done.stderr
    assert "max_mask_fraction" in done.stderr
    published = httpx.post(f"{server}/artifacts/filter", json={}, trust_env=False).json()
    assert "agnostic-lower-body-rejected-masks" in {artifact["key"] for artifact in published}
    assert not (project.root / Workspace().manifest(Category.LOWER_BODY)).exists()


def test_dead_processes_are_replaced(downloaded, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRYON_WORKERS", "2")
    monkeypatch.setattr(tryon.agnostic.plan, "SHARD_SIZE", 2)
    workspace = Workspace(downloaded.root)
    mask_plan = plan(workspace)
    masks = tasks.agnostic.MaskRun(mask_plan, workspace, no_progress)
    pools = []

    def fails_once(*args: object) -> int:
        pools.append(args[3])
        if len(pools) == 1:
            raise BrokenExecutor
        return 2

    monkeypatch.setattr(tasks.agnostic.stage, "run_shard", fails_once)
    with pytest.raises(BrokenExecutor):
        masks.run_shard(0)
    masks.run_shard(0)
    masks.close()
    assert pools[0] is not None
    assert pools[1] is not pools[0]


@pytest.mark.parametrize(("count", "max_size"), [(1, 1), (2, 1), (7, 1), (8, 2), (60, 15), (200, 32)])
def test_every_shard_belongs_to_one_task(
    downloaded, monkeypatch: pytest.MonkeyPatch, count: int, max_size: int
) -> None:
    monkeypatch.setenv("TRYON_WORKERS", "2")
    workspace = Workspace(downloaded.root)
    mask_plan = plan(workspace)
    masks = tasks.agnostic.MaskRun(replace(mask_plan, shards=mask_plan.shards[:1] * count), workspace, no_progress)
    masks.close()
    assert [shard for part in masks.shard_ranges for shard in part] == list(range(count))
    assert max(len(part) for part in masks.shard_ranges) == max_size


def plan(workspace: Workspace):
    from tryon.config.agnostic import AgnosticSettings

    return tasks.agnostic.stage.plan(Category.DRESSES, AgnosticSettings(), (64, 48), workspace)  # pyright: ignore
