"""Run fine-tuning in forked processes, killing each at a given point, until the last one finishes.

    python killed_run.py <workspace> <settings as JSON> <kills as JSON>

A kill is ["step", n], after step n, or ["write", n], after the n-th file of the process is written but before it is
renamed. Forking after the imports saves their seconds.
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

    def progress(done: int, total: int, label: str) -> None:
        if kind == "step" and done == number:
            die()

    Path.replace = replace  # pyright: ignore[reportAttributeAccessIssue]
    settings = FinetuneSettings.model_validate(json.loads(sys.argv[2]))
    finetune(settings, 7, Workspace(Path(sys.argv[1])), progress)


if __name__ == "__main__":
    for kill in [*json.loads(sys.argv[3]), ["never", 0]]:
        child = os.fork()
        if not child:
            run(*kill)
            os._exit(0)
        status = os.waitpid(child, 0)[1]
        assert status == (0 if kill[0] == "never" else signal.SIGKILL), (kill, status)
