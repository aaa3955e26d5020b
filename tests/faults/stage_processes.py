"""Script that imports everything once and forks a process per request; a fork can kill itself at a given change.

It reads one JSON request per line and answers with the id of the process and, once it has ended, with its exit code.
Forking saves each of about a hundred stage processes the seconds of its imports.

Environment variables of a request inject faults. `KILL_AT` is `stage:17` to kill the stage process before its 17th
change of a folder (a file renamed or removed, a folder made or removed), or `worker:3` for the same in each of its
worker processes. `CHANGE_COUNT_FILE` is a file that receives the number of changes of the stage process.
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

KILL_AT, CHANGE_COUNT_FILE = "TEST_KILL_AT", "TEST_CHANGE_COUNT_FILE"
SKIP_DISK_CHECK, MAX_FILE_SIZE = "TEST_SKIP_DISK_CHECK", "TEST_MAX_FILE_SIZE"
"""Environment variables: the disk check before a stage reports ample space; limit of the size of a file in bytes."""

CHANGE_FUNCTIONS = ("replace", "unlink", "rmdir", "mkdir")
"""Functions of `os` that change a folder."""

PRELOADED_MODULES = (
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

SHARD_SIZES = (
    ("tryon.download.stage", "SHARD", 40),
    ("tryon.agnostic.plan", "SHARD_SIZE", 2),
)
"""Small shards, so that even the tiny data set has several. No output depends on them."""


def hook_changes(callback: Callable[[], None]) -> None:
    """Call `callback` before each change of a folder by this process."""

    def hooked(function: Callable[..., Any]) -> Callable[..., Any]:
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            callback()
            return function(*args, **kwargs)

        return wrapper

    for name in CHANGE_FUNCTIONS:
        setattr(os, name, hooked(getattr(os, name)))


def kill_at_call(number: int) -> Callable[[], None]:
    """Return a callback that kills this process at its call of that number, starting at 1."""
    calls = 0

    def callback() -> None:
        nonlocal calls
        calls += 1
        if calls == number:
            os.kill(os.getpid(), signal.SIGKILL)

    return callback


def count_calls(file: Path) -> Callable[[], None]:
    """Return a callback that writes the number of its calls to a file."""
    calls, write = 0, os.write
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT)

    def callback() -> None:
        nonlocal calls
        calls += 1
        os.lseek(descriptor, 0, os.SEEK_SET)
        write(descriptor, str(calls).encode())

    return callback


def apply_kill(role: str) -> None:
    """Prepare this process, a `stage` or a `worker`, to kill itself if `KILL_AT` names its role."""
    target, _, number = os.environ.get(KILL_AT, "").partition(":")
    if target == role:
        hook_changes(kill_at_call(int(number)))


def apply_environment() -> None:
    """Set up this stage process as the environment variables request."""
    apply_kill("stage")
    for module, name, size in SHARD_SIZES:
        assert hasattr(import_module(module), name), (module, name)
        setattr(import_module(module), name, size)
    if CHANGE_COUNT_FILE in os.environ:
        hook_changes(count_calls(Path(os.environ[CHANGE_COUNT_FILE])))
    if MAX_FILE_SIZE in os.environ:
        size = int(os.environ[MAX_FILE_SIZE])
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
    if SKIP_DISK_CHECK in os.environ:
        from tryon.pipeline import disk_space

        assert hasattr(disk_space, "_free_bytes")
        disk_space._free_bytes = lambda folder: 1 << 50


def run_request(request: dict[str, Any]) -> NoReturn:
    """Run the program of a request, `stage` or `tryon`, in this process."""
    log = os.open(request["log"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    null = os.open(os.devnull, os.O_RDONLY)
    for standard, descriptor in ((0, null), (1, log), (2, log)):
        os.dup2(descriptor, standard)
    os.chdir(request["root"])
    os.environ.update(request["environment"])
    os.setpgid(0, 0)
    apply_environment()
    sys.argv = ["tryon", *request["arguments"]]
    main = import_module("flows.stage_command" if request["program"] == "stage" else "tryon.cli").main
    raise SystemExit(main(request["arguments"]))


def serve() -> None:
    """Fork a process for each request, one after the other."""
    for module in PRELOADED_MODULES:
        import_module(module)
    print("ready", flush=True)
    for line in iter(sys.stdin.readline, ""):
        child = os.fork()
        if not child:
            run_request(json.loads(line))
        print(child, flush=True)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


if __name__ == "__main__":
    serve()
elif __name__ == "__mp_main__":  # a worker process of a stage
    apply_kill("worker")
