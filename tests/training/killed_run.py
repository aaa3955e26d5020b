"""Run fine-tuning again and again in forked processes, each killed where it is told, until one comes to its end.

    python killed_run.py <workspace> <settings as JSON> <kills as JSON>

A kill is ["step", n], when step n is done, or ["write", n], when the n-th file of the process is written but does not
have its name yet. Forking after the imports saves their seconds.
"""

import json
import os
import signal
import sys
from pathlib import Path

from tryon.config.training import FinetuneSettings
from tryon.finetune.stage import finetune
from tryon.workspace import Workspace


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def run(kind: str, number: int) -> None:
    rename, written = Path.replace, 0

    def replace(path: Path, target: Path) -> Path:
        nonlocal written
        written += 1
        if kind == "write" and written == number:
            path.write_bytes(path.read_bytes()[:100])
            die()
        return rename(path, target)

    def progress(done: int, total: int, what: str) -> None:
        if kind == "step" and done == number:
            die()

    Path.replace = replace  # pyright: ignore[reportAttributeAccessIssue]
    settings = FinetuneSettings.model_validate(json.loads(sys.argv[2]))
    finetune(settings, 7, Workspace(Path(sys.argv[1])), progress)


for kill in [*json.loads(sys.argv[3]), ["nowhere", 0]]:
    child = os.fork()
    if not child:
        run(*kill)
        os._exit(0)
    ended = os.waitpid(child, 0)[1]
    assert ended == (0 if kill[0] == "nowhere" else signal.SIGKILL), (kill, ended)
