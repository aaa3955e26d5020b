"""Fork stage processes on request, from a process that has imported everything, and inject faults into them.

The script reads requests, one JSON object per line, and prints the id of the process and later its exit code. Forking
saves some hundred stage processes the seconds of their imports.

The environment variable `FAULT` makes a stage process kill itself: `stage:17` before its 17th change of a folder (a
rename, removal or creation), `worker:3` before the third change in each of its worker processes. With `COUNT` it writes
the number of its changes to that file.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any, NoReturn

FAULT, COUNT, FREE_SPACE, MAX_FILE_SIZE = "TESTED_FAULT", "TESTED_COUNT", "TESTED_FREE_SPACE", "TESTED_MAX_FILE_SIZE"
"""Environment variables. `FREE_SPACE` disables the check of disk space, `MAX_FILE_SIZE` limits files, in bytes."""

CHANGES = ("replace", "unlink", "rmdir", "mkdir")
"""Functions of `os` that change a folder."""

HEAVY = (
    "rich.console",
    "rich.table",
    "tryon.download.stage",
    "tryon.download.fingerprint",
    "tryon.synthetic.archive",
    "tryon.agnostic.stage",
    "tryon.sample.stage",
    "tryon.pretrain.stage",
    "tryon.finetune.stage",
    "tryon.evaluate.stage",
    "tryon.export.export",
    "tryon.cli",
    "flows.stage_command",
)

SMALL_SHARDS = (
    ("tryon.download.stage", "SHARD", 40),
    ("tryon.agnostic.plan", "SHARD_SIZE", 2),
)
"""Small shards, so that a tiny data set has several; no output depends on them."""


def on_change(callback: Callable[[], None]) -> None:
    """Call `callback` before each change of a folder by this process."""

    def wrap(function: Callable[..., Any]) -> Callable[..., Any]:
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            callback()
            return function(*args, **kwargs)

        return wrapper

    for name in CHANGES:
        setattr(os, name, wrap(getattr(os, name)))


def die_at(number: int) -> Callable[[], None]:
    """Return a callback that kills this process when it is called for the `number`-th time."""
    calls = 0

    def count() -> None:
        nonlocal calls
        calls += 1
        if calls == number:
            os.kill(os.getpid(), signal.SIGKILL)

    return count


def counting(file: Path) -> Callable[[], None]:
    """Return a callback that writes the number of its calls to a file."""
    calls, write = 0, os.write
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT)

    def count() -> None:
        nonlocal calls
        calls += 1
        os.lseek(descriptor, 0, os.SEEK_SET)
        write(descriptor, str(calls).encode())

    return count


def inject_fault(role: str) -> None:
    """Set up the fault of the environment in this process, a `stage` or a `worker`."""
    target, _, number = os.environ.get(FAULT, "").partition(":")
    if target == role:
        on_change(die_at(int(number)))


def prepare() -> None:
    """Configure a stage process from its environment."""
    inject_fault("stage")
    for module, name, size in SMALL_SHARDS:
        assert hasattr(import_module(module), name), (module, name)
        setattr(import_module(module), name, size)
    if COUNT in os.environ:
        on_change(counting(Path(os.environ[COUNT])))
    if MAX_FILE_SIZE in os.environ:
        resource.setrlimit(resource.RLIMIT_FSIZE, (int(os.environ[MAX_FILE_SIZE]),) * 2)
    if FREE_SPACE in os.environ:
        import_module("tryon.pipeline.disk_space")._free_bytes = lambda folder: 1 << 50


def run(request: dict[str, Any]) -> NoReturn:
    """Run a request in this process; `program` is `stage` or `tryon`."""
    log = os.open(request["log"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    null = os.open(os.devnull, os.O_RDONLY)
    for descriptor, file in ((0, null), (1, log), (2, log)):
        os.dup2(file, descriptor)
    os.chdir(request["root"])
    os.environ.update(request["environment"])
    os.setpgid(0, 0)
    prepare()
    sys.argv = ["tryon", *request["arguments"]]
    main = import_module("flows.stage_command" if request["program"] == "stage" else "tryon.cli").main
    raise SystemExit(main(request["arguments"]))


def serve() -> None:
    """Fork the requested processes one by one."""
    for module in HEAVY:
        import_module(module)
    print("ready", flush=True)
    for line in iter(sys.stdin.readline, ""):
        child = os.fork()
        if not child:
            run(json.loads(line))
        print(child, flush=True)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


if __name__ == "__main__":
    serve()
elif __name__ == "__mp_main__":  # a worker of a stage
    inject_fault("worker")
