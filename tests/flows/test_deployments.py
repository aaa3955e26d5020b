"""The registry: names, flows, schedules and limits of all deployments."""

from __future__ import annotations

from datetime import timedelta

import pytest
from prefect import Flow

from flows.deployments import DEPLOYMENTS, WatchSchedule, build_deployments
from flows.single_stage import run_single_stage
from tryon.errors import ParameterError

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
    return {f"{one.flow_name}/{one.name}": one for one in build_deployments(WatchSchedule())}


def test_names_and_flows(served) -> None:
    assert {name: one.entrypoint for name, one in served.items()} == FULL_NAMES
    assert all(one.description and one.tags == ["fitting-room"] for one in served.values())


def test_one_run_of_each_at_a_time_and_a_second_look_at_the_source_is_dropped(served) -> None:
    assert {one.concurrency_limit for one in served.values()} == {1}
    strategies = {name: one.concurrency_options.collision_strategy.value for name, one in served.items()}
    assert strategies.pop("watch/watch") == "CANCEL_NEW"
    assert set(strategies.values()) == {"ENQUEUE"}


def test_stages_are_preset(served) -> None:
    for name, one in served.items():
        stage = name.removeprefix("stage/")
        assert one.parameters == ({"stage": stage} if stage != name else {})


def test_only_the_watch_has_a_schedule(served) -> None:
    assert {name: len(one.schedules) for name, one in served.items() if one.schedules} == {"watch/watch": 1}
    assert served["watch/watch"].schedules[0].schedule.interval == timedelta(minutes=10)


def test_schedules() -> None:
    cron = WatchSchedule(cron="0 3 * * *").schedule()
    assert cron is not None
    assert (cron.cron, cron.timezone) == ("0 3 * * *", "UTC")
    assert WatchSchedule(None).schedule() is None
    with pytest.raises(ParameterError, match="cron line"):
        WatchSchedule(cron="on every day at three").schedule()
    with pytest.raises(ParameterError, match="five fields"):
        WatchSchedule(cron="* * * * * *").schedule()
    with pytest.raises(ParameterError, match=r"is a cron line.*Bad day"):
        WatchSchedule(cron="0 0 31 2 *").schedule()
    WatchSchedule(cron="0 0 29 2 *").validate()
    for minutes in (0, 0.5, float("nan"), float("inf")):
        with pytest.raises(ParameterError, match="one minute"):
            WatchSchedule(minutes).schedule()


def test_a_stages_deployment_runs_that_stage_only(monkeypatch) -> None:
    monkeypatch.setenv("PREFECT__RUNTIME__DEPLOYMENT__NAME", "agnostic")
    with pytest.raises(ParameterError, match="agnostic or one of its categories"):
        run_single_stage.fn("download", dry_run=True)
    with pytest.raises(ParameterError, match="agnostic or one of its categories"):
        run_single_stage.fn("sample")


def test_every_flow_can_be_imported() -> None:
    from importlib import import_module

    for one in DEPLOYMENTS:
        module, _, name = one.flow.rpartition(".")
        assert isinstance(getattr(import_module(module), name), Flow)
