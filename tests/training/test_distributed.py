"""Ranks are resolved from settings and environment, contradictions are named."""

from __future__ import annotations

import pytest

from tryon.config.training import FinetuneSettings
from tryon.errors import ParameterError
from tryon.training.distributed import LOOPBACK, SINGLE_PROCESS, DistributedContext, resolve_rank

MACHINES = {"MASTER_ADDR": "10.0.0.1", "MASTER_PORT": "29500"}
TORCHRUN = {**MACHINES, "RANK": "5", "LOCAL_RANK": "1", "WORLD_SIZE": "8", "TORCHELASTIC_RUN_ID": "none"}


def settings(devices: int, machines: int) -> FinetuneSettings:
    return FinetuneSettings(devices=devices, num_nodes=machines)  # pyright: ignore


def test_single_process_ignores_the_environment() -> None:
    assert resolve_rank("finetune", settings(1, 1), False, {"RANK": "0", "NODE_RANK": "3"}) == SINGLE_PROCESS


def test_one_machine_needs_no_environment() -> None:
    context = resolve_rank("finetune", settings(4, 1), False, {})
    assert (context.rank, context.world_size, context.address, context.launches_workers) == (0, 4, LOOPBACK, True)
    assert context.port > 0


def test_ranks_continue_over_machines() -> None:
    stage = resolve_rank("finetune", settings(4, 2), False, MACHINES)
    worker = resolve_rank("finetune", settings(4, 2), True, {**MACHINES, "NODE_RANK": "1"})
    assert (stage.rank, worker.rank, worker.world_size, worker.address) == (0, 4, 8, "10.0.0.1")


def test_rank_of_torchrun_or_the_stage_is_used() -> None:
    context = resolve_rank("finetune", settings(4, 2), True, TORCHRUN)
    assert context == DistributedContext(5, 1, 8, "10.0.0.1", 29500)
    assert resolve_rank("finetune", settings(4, 2), True, context.environment()) == context


@pytest.mark.parametrize(
    ("devices", "machines", "worker", "env", "match"),
    [
        (1, 1, False, TORCHRUN, r"finetune\.devices x num_nodes"),
        (2, 2, True, TORCHRUN, r"finetune\.devices x num_nodes"),
        (4, 2, False, TORCHRUN, "RANK"),
        (4, 2, True, {**TORCHRUN, "RANK": "0"}, "RANK"),
        (4, 2, False, {}, "MASTER_ADDR"),
        (4, 2, False, {"MASTER_ADDR": "10.0.0.1"}, "MASTER_PORT"),
        (4, 2, False, {**MACHINES, "NODE_RANK": "1"}, "NODE_RANK"),
        (4, 2, True, MACHINES, "NODE_RANK"),
        (4, 2, True, {**MACHINES, "NODE_RANK": "2"}, "NODE_RANK"),
        (4, 2, True, {**MACHINES, "NODE_RANK": "one"}, "NODE_RANK"),
        (1, 1, True, {}, "NODE_RANK"),
    ],
)
def test_contradictions_are_named(devices: int, machines: int, worker: bool, env: dict, match: str) -> None:
    with pytest.raises(ParameterError, match=match):
        resolve_rank("finetune", settings(devices, machines), worker, env)
