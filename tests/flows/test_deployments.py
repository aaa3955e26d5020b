"""Names, flows, schedules and limits of all deployments."""

from __future__ import annotations

from datetime import timedelta

import pytest
from prefect import Flow

from flows.deployments import DEPLOYMENTS, WatchSchedule, build_deployments
from flows.single_stage import run_single_stage
from tryon.errors import ParameterError

pytestmark = pytest.mark.slow

FULL_NAMES = {
    "pipeline/pipeline": "flows.pipeline.pipeline",
    "stage/download": "flows.single_stage.run_single_stage",
    "stage/agnostic": "flows.single_stage.run_single_stage",
    "stage/sample": "flows.single_stage.run_single_stage",
    "stage/pretrain": "flows.single_stage.run_single_stage",
    "stage/finetune": "flows.single_stage.run_single_stage",
    "stage/evaluate": "flows.single_stage.run_single_stage",
    "watch/watch": "flows.watch.watch",
    "score-checkpoint/score-checkpoint": "flows.score_checkpoint.score_checkpoint",
}


@pytest.fixture(scope="module")
def served():
    return {f"{item.flow_name}/{item.name}": item for item in build_deployments(WatchSchedule())}


def test_names_and_flows(served) -> None:
    assert {name: item.entrypoint for name, item in served.items()} == FULL_NAMES
    assert all(item.description and item.tags == ["fitting-room"] for item in served.values())


def test_second_runs_are_enqueued_except_for_the_watch(served) -> None:
    assert {item.concurrency_limit for item in served.values()} == {1}
    strategies = {name: item.concurrency_options.collision_strategy.value for name, item in served.items()}
    assert strategies.pop("watch/watch") == "CANCEL_NEW"
    assert set(strategies.values()) == {"ENQUEUE"}


def test_stage_deployments_have_their_stage_as_parameter(served) -> None:
    for name, item in served.items():
        stage = name.removeprefix("stage/")
        assert item.parameters == ({"stage": stage} if stage != name else {})


def test_only_the_watch_has_a_schedule(served) -> None:
    assert {name: len(item.schedules) for name, item in served.items() if item.schedules} == {"watch/watch": 1}
    assert served["watch/watch"].schedules[0].schedule.interval == timedelta(minutes=10)


def test_schedules() -> None:
    cron = WatchSchedule(cron="0 3 * * *").schedule()
    assert cron is not None
    assert (cron.cron, cron.timezone) == ("0 3 * * *", "UTC")
    assert WatchSchedule(None).schedule() is None
    with pytest.raises(ParameterError, match="--watch-cron is not a valid cron expression"):
        WatchSchedule(cron="on every day at three").schedule()
    with pytest.raises(ParameterError, match="five fields"):
        WatchSchedule(cron="* * * * * *").schedule()
    with pytest.raises(ParameterError, match=r"--watch-cron.*Bad day"):
        WatchSchedule(cron="0 0 31 2 *").schedule()
    WatchSchedule(cron="0 0 29 2 *").validate()
    for minutes in (0, 0.5, float("nan"), float("inf")):
        with pytest.raises(ParameterError, match="--watch-every is out of range"):
            WatchSchedule(minutes).schedule()


def test_deployment_of_a_stage_rejects_other_stages(monkeypatch) -> None:
    monkeypatch.setenv("PREFECT__RUNTIME__DEPLOYMENT__NAME", "agnostic")
    with pytest.raises(ParameterError, match="stage/agnostic cannot run stage"):
        run_single_stage.fn("download", dry_run=True)
    with pytest.raises(ParameterError, match="stage/agnostic cannot run stage"):
        run_single_stage.fn("sample")


def test_every_flow_can_be_imported() -> None:
    from importlib import import_module

    for deployment in DEPLOYMENTS:
        module, _, name = deployment.flow.rpartition(".")
        assert isinstance(getattr(import_module(module), name), Flow)
