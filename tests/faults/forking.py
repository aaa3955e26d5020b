"""A process that has imported everything and forks a stage whenever it is told to; a stage kills itself where told.

The script reads requests, one JSON object a line, and answers with the process's id and, later,
how it ended. Forking saves each of some hundred stage processes the seconds of its imports.

A stage process is told by `FAULT` in its environment where to die: `stage:17` before it changes a folder for the 17th
time (a file put in its place, a file or folder removed or made), `worker:3` the same in each of its worker processes.
With `COUNT` it writes there how often it did so in all.
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

FAULT, COUNT, ROOM, LARGEST = "TESTED_FAULT", "TESTED_COUNT", "TESTED_ROOM", "TESTED_LARGEST"
"""Environment variables; `ROOM` makes the look at the free disk find plenty, `LARGEST` limits the size of files."""

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
"""Work in many pieces though there is little of it; no output depends on it."""


def on_change(act: Callable[[], None]) -> None:
    """Have `act` called before each change of a folder by this process."""

    def with_act(work: Callable[..., Any]) -> Callable[..., Any]:
        def noted(*given: Any, **named: Any) -> Any:
            act()
            return work(*given, **named)

        return noted

    for name in CHANGES:
        setattr(os, name, with_act(getattr(os, name)))


def die_at(number: int) -> Callable[[], None]:
    """What kills this process when it is called for the `number`-th time."""
    calls = 0

    def count() -> None:
        nonlocal calls
        calls += 1
        if calls == number:
            os.kill(os.getpid(), signal.SIGKILL)

    return count


def counting(file: Path) -> Callable[[], None]:
    """What notes in a file how often it was called."""
    calls, write = 0, os.write
    note = os.open(file, os.O_WRONLY | os.O_CREAT)

    def count() -> None:
        nonlocal calls
        calls += 1
        os.lseek(note, 0, os.SEEK_SET)
        write(note, str(calls).encode())

    return count


def may_die(role: str) -> None:
    """Prepare this process, a `stage` or a `worker`, to kill itself if the environment says so."""
    who, _, number = os.environ.get(FAULT, "").partition(":")
    if who == role:
        on_change(die_at(int(number)))


def prepare() -> None:
    """What the environment asks of a stage process."""
    may_die("stage")
    for module, name, size in SMALL_SHARDS:
        assert hasattr(import_module(module), name), (module, name)
        setattr(import_module(module), name, size)
    if COUNT in os.environ:
        on_change(counting(Path(os.environ[COUNT])))
    if LARGEST in os.environ:
        resource.setrlimit(resource.RLIMIT_FSIZE, (int(os.environ[LARGEST]),) * 2)
    if ROOM in os.environ:
        import_module("tryon.pipeline.disk_space")._free_bytes = lambda folder: 1 << 50


def run(request: dict[str, Any]) -> NoReturn:
    """Be the process that is asked for: `program` is `stage` or `tryon`."""
    log = os.open(request["log"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for own, new in ((0, nothing), (1, log), (2, log)):
        os.dup2(new, own)
    os.chdir(request["root"])
    os.environ.update(request["environment"])
    os.setpgid(0, 0)
    prepare()
    sys.argv = ["tryon", *request["arguments"]]
    main = import_module("flows.stage_command" if request["program"] == "stage" else "tryon.cli").main
    raise SystemExit(main(request["arguments"]))


def serve() -> None:
    """Fork what is asked for, one after the other."""
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
    may_die("worker")
