"""Distributed training: rank resolution, and worker processes on one machine.

The stage is rank 0 on machine 0 and starts the other processes of its machine. Each further machine runs
`tryon <stage> --worker`, which does the same there. Alternatively torchrun starts all processes. See
`tryon.pipeline.distributed_worker`.
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

EXIT_TIMEOUT = 10.0
"""Seconds that workers get to exit after this process has finished."""

TERM_TIMEOUT = 5.0
"""Seconds from the death of a worker to the exit of this process, which may fail for the same reason and report it."""

CHILD_MODULE = "tryon.child_process"
"""Run as a wrapper that terminates a child with its parent."""


@dataclass(frozen=True)
class DistributedContext:
    """One process of a distributed run.

    Args:
        rank: 0 for the stage, the only process that writes.
        local_rank: index of its device on its machine.
        world_size: number of processes.
        address, port: where rank 0 listens; empty and 0 for a single process.
        launches_workers: whether this process starts the others of its machine.
    """

    rank: int = 0
    local_rank: int = 0
    world_size: int = 1
    address: str = ""
    port: int = 0
    launches_workers: bool = False

    def environment(self) -> dict[str, str]:
        """Return the environment variables of torchrun for this process."""
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
    """Determine the rank of this process.

    Args:
        stage: section of `params.yaml`, for messages.
        settings: number of devices and machines.
        worker: whether this is a worker command and not the stage.
        env: environment: `RANK` etc. if torchrun or the stage started this process; else `NODE_RANK`, `MASTER_ADDR`
            and `MASTER_PORT` on several machines.

    Raises:
        ParameterError: a variable is missing, not a number, or contradicts the settings.
    """
    if "RANK" in env and (settings.world_size > 1 or "TORCHELASTIC_RUN_ID" in env):
        rank, local_rank, world_size = (_number(env, name) for name in ("RANK", "LOCAL_RANK", "WORLD_SIZE"))
        if world_size != settings.world_size:
            raise ParameterError(
                f"{stage}.devices x num_nodes differs from the number of started processes",
                found=settings.world_size,
                expected=str(world_size),
                hint=f"Change {stage}.devices and {stage}.num_nodes in params.yaml, or start as many processes.",
            )
        if worker == (rank == 0):
            raise ParameterError(
                "RANK does not fit the command",
                found=rank,
                expected="0 for the stage, 1 or more for a worker",
                hint=f"Run `tryon {stage}` under torchrun.",
            )
        return DistributedContext(rank, local_rank, world_size, *_master_address(env))
    node = _number(env, "NODE_RANK", 0) if settings.num_nodes > 1 else 0
    if worker != (node > 0) or node >= settings.num_nodes:
        raise ParameterError(
            "NODE_RANK does not fit the command",
            found=node,
            expected=f"0 for the stage, 1 to {stage}.num_nodes - 1 = {settings.num_nodes - 1} for workers",
            hint="Set NODE_RANK to the number of this machine.",
        )
    if settings.world_size == 1 and settings.strategy == "auto":
        return SINGLE_PROCESS
    address, port = (LOOPBACK, free_port()) if settings.num_nodes == 1 else _master_address(env)
    return DistributedContext(node * settings.devices, 0, settings.world_size, address, port, launches_workers=True)


def free_port() -> int:
    """Return an unused port of the loopback interface."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return probe.getsockname()[1]


def _master_address(env: Mapping[str, str]) -> tuple[str, int]:
    if "MASTER_ADDR" not in env:
        raise ParameterError(
            "MASTER_ADDR is not set, which several machines need",
            hint="Set MASTER_ADDR and MASTER_PORT to the address of machine 0, on every machine.",
        )
    return env["MASTER_ADDR"], _number(env, "MASTER_PORT")


def _number(env: Mapping[str, str], name: str, default: int | None = None) -> int:
    text = env.get(name, None if default is None else str(default))
    if text is None or not text.isdecimal():
        raise ParameterError(
            f"environment variable {name} is not set to a number",
            found=text,
            hint="Start the processes with torchrun, or set it by hand on each machine.",
        )
    return int(text)


@contextmanager
def launch_workers(job: RunConfig, root: Path) -> Iterator[None]:
    """Run one worker process for each further device of this machine, for the duration of the block.

    Does nothing for one device, or if torchrun or the stage started the processes. If a worker dies, this process
    exits too: it would wait for the worker's gradients forever.
    """
    local_ranks = range(1, job.settings.devices) if job.context.launches_workers else range(0)
    children = [_start(job, root, local_rank) for local_rank in local_ranks]
    finished = threading.Event()
    for child in children:
        threading.Thread(target=_watch, args=(child, finished), daemon=True).start()
    try:
        yield
        finished.set()
        for child in children:
            with suppress(subprocess.TimeoutExpired):  # its results have been received
                child.wait(EXIT_TIMEOUT)
    finally:
        finished.set()
        for child in children:
            child.kill()
            child.wait()


def _start(job: RunConfig, root: Path, local_rank: int) -> subprocess.Popen[bytes]:
    context = replace(job.context, rank=job.context.rank + local_rank, local_rank=local_rank)
    command = [sys.executable, "-m", "tryon", job.stage, "--worker", "--root", str(root)]
    return subprocess.Popen(
        [sys.executable, "-m", CHILD_MODULE, *command],
        env={**os.environ, **context.environment()},
        stdin=subprocess.DEVNULL,
    )


def _watch(child: subprocess.Popen[bytes], finished: threading.Event) -> None:
    code = child.wait()
    if code not in (0, SIGTERM_EXIT_CODE) and not finished.wait(TERM_TIMEOUT):
        print(f"error: a worker process exited with code {code}, see its own message", file=sys.stderr)
        os._exit(1)
