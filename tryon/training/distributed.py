"""Where a process stands among those that train together: rank, machine, and where the first one listens.

The stage itself is rank 0 on machine 0. It starts the other processes of its machine; each further machine runs
`tryon <stage> --worker`, which does the same there. Or torchrun starts all of them. See `tryon.pipeline.distributed_worker`.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from tryon.config.training import OptimizationSettings
from tryon.errors import ParameterError
from tryon.training.graceful_stop import SIGTERM_EXIT_CODE

if TYPE_CHECKING:
    from tryon.training.run_config import RunConfig

LOOPBACK = "127.0.0.1"


@dataclass(frozen=True)
class DistributedContext:
    """One process among `world`.

    Args:
        rank: 0 for the stage, which alone writes.
        local_rank: number of its device on its machine.
        world_size: processes in all.
        address, port: where rank 0 listens; empty and 0 for one process.
        launches_workers: whether this process starts the others of its machine; else something else has started them.
    """

    rank: int = 0
    local_rank: int = 0
    world_size: int = 1
    address: str = ""
    port: int = 0
    launches_workers: bool = False

    def environment(self) -> dict[str, str]:
        """The variables by which torchrun, and this project, tell a process its place."""
        return {
            "RANK": str(self.rank),
            "LOCAL_RANK": str(self.local_rank),
            "WORLD_SIZE": str(self.world_size),
            "MASTER_ADDR": self.address,
            "MASTER_PORT": str(self.port),
        }


SINGLE_PROCESS = DistributedContext()


def resolve_rank(
    stage: str, settings: OptimizationSettings, worker: bool, env: Mapping[str, str] = os.environ
) -> DistributedContext:
    """The place of this process.

    Args:
        stage: section of `params.yaml` that messages speak of.
        settings: say how many processes there are.
        worker: whether this is a worker command and not the stage.
        env: environment variables: `RANK` and its companions where torchrun or the stage started this process; else
            `NODE_RANK`, `MASTER_ADDR` and `MASTER_PORT` where there are several machines.

    Raises:
        ParameterError: variables and settings contradict each other, or one is missing or no number.
    """
    if "RANK" in env and (settings.world_size > 1 or "TORCHELASTIC_RUN_ID" in env):
        rank, local_rank, world = (_number(env, name) for name in ("RANK", "LOCAL_RANK", "WORLD_SIZE"))
        place = DistributedContext(rank, local_rank, world, *_master_address(env))
        if place.world_size != settings.world_size:
            rule = f"is the number of processes that were started, {place.world_size}"
            remedy = f"Change {stage}.devices and {stage}.num_nodes in params.yaml, or start as many as they say."
            raise ParameterError(f"{stage}.devices x num_nodes", expected=rule, found=settings.world_size, hint=remedy)
        if worker == (place.rank == 0):
            rule = "is 0 for the stage and more for a worker"
            raise ParameterError("RANK", expected=rule, found=place.rank, hint=f"Run `tryon {stage}` under torchrun.")
        return place
    node = _number(env, "NODE_RANK", 0) if settings.num_nodes > 1 else 0
    if worker != (node > 0) or node >= settings.num_nodes:
        rule = f"the stage runs on machine 0, workers on machines 1 to {stage}.num_nodes - 1 = {settings.num_nodes - 1}"
        remedy = "Set NODE_RANK to the number of this machine."
        raise ParameterError("NODE_RANK", expected=rule, found=node, hint=remedy)
    if settings.world_size == 1 and settings.strategy == "auto":
        return SINGLE_PROCESS
    address, port = (LOOPBACK, free_port()) if settings.num_nodes == 1 else _master_address(env)
    return DistributedContext(node * settings.devices, 0, settings.world_size, address, port, launches_workers=True)


def free_port() -> int:
    """A port on the loopback interface that nobody listens on."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return probe.getsockname()[1]


def _master_address(given: Mapping[str, str]) -> tuple[str, int]:
    if "MASTER_ADDR" not in given:
        remedy = "Set it, and MASTER_PORT, to where machine 0 can be reached, on every machine."
        raise ParameterError("MASTER_ADDR", expected="is set where there are several machines", hint=remedy)
    return given["MASTER_ADDR"], _number(given, "MASTER_PORT")


def _number(given: Mapping[str, str], name: str, default: int | None = None) -> int:
    text = given.get(name, None if default is None else str(default))
    if text is None or not text.isdecimal():
        remedy = "It comes from torchrun, or is set by hand where there are several machines."
        raise ParameterError(name, expected="is set to a whole number", found=text, hint=remedy)
    return int(text)


EXIT_TIMEOUT = 10.0
"""Seconds that the others get to end by themselves after this process has."""

TERM_TIMEOUT = 5.0
"""Seconds between the end of a worker and that of this process, which may have the same reason and tell it itself."""

CHILD_MODULE = "tryon.child_process"
"""Module that ends a child with its parent, run and not imported."""


@contextmanager
def launch_workers(job: RunConfig, root: Path) -> Iterator[None]:
    """Have the other devices of this machine trained on, each by a worker process, for as long as the block lasts.

    Does nothing for one device, or where something else (torchrun, the stage) started the processes. If a worker dies,
    this process ends too: it would wait for the worker's gradients for ever.
    """
    here = range(1, job.settings.devices) if job.context.launches_workers else range(0)
    children = [_start(job, root, number) for number in here]
    over = threading.Event()
    threads = [threading.Thread(target=_watch, args=(child, over), daemon=True) for child in children]
    for thread in threads:
        thread.start()
    try:
        yield
        over.set()
        for child in children:
            with suppress(subprocess.TimeoutExpired):  # all that it could give has been received
                child.wait(EXIT_TIMEOUT)
    finally:
        over.set()
        for child in children:
            child.kill()
            child.wait()


def _start(job: RunConfig, root: Path, number: int) -> subprocess.Popen[bytes]:
    place = replace(job.context, rank=job.context.rank + number, local_rank=number)
    command = [sys.executable, "-m", "tryon", job.stage, "--worker", "--root", str(root)]
    return subprocess.Popen(
        [sys.executable, "-m", CHILD_MODULE, *command],
        env={**os.environ, **place.environment()},
        stdin=subprocess.DEVNULL,
    )


def _watch(child: subprocess.Popen[bytes], over: threading.Event) -> None:
    code = child.wait()
    if code not in (0, SIGTERM_EXIT_CODE) and not over.wait(TERM_TIMEOUT):
        print(f"error: a worker process ended with exit code {code}; its own message says why", file=sys.stderr)
        os._exit(1)
