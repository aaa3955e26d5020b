"""Measure orchestration: a run of 54,000 masks under Prefect against plain calls, and runs with nothing to do.

    python -m benchmarks.orchestration masks FOLDER
    python -m benchmarks.orchestration prepare FOLDER
    python -m benchmarks.orchestration nothing FOLDER

The masks are simulated: each shard uses a fixed CPU time in a worker process. Tasks, processes, server and shards are
as many as in a real run, so their overhead is the real one; it is reported relative to the measured cost of a mask.
`prepare` makes a project with as many source files as the real data set has, and outputs of random bytes.
"""

from __future__ import annotations

import os
import resource
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

PAIRS = {"upper_body": 15_363, "lower_body": 8_951, "dresses": 29_478}
"""Pairs of Dress Code, train and test."""

SHARD_SECONDS = 0.02
"""CPU time that a simulated shard takes."""

MASK_SECONDS = {"1024x768": 0.0034, "512x384": 0.0023}
"""CPU time of a real mask, reading included."""

PLAIN = {".json": b'{"summary": {}}\n', ".csv": b"epoch,val_l1\n0,0.5\n"}
"""Outputs that DVC reads itself."""

ROOT = Path(__file__).parent.parent

STAGE = """import sys
import tryon.agnostic.stage as stage
from benchmarks.orchestration import burn, no_summary, planned

stage.plan, stage.make_shard, stage.collect = planned, burn, no_summary
if __name__ == "__main__":
    from flows.stage_command import main
    raise SystemExit(main())
"""


def burn(people: Sequence[Any], *given: object, **more: object) -> None:
    """Stand-in for `make_shard`."""
    until = time.process_time() + SHARD_SECONDS
    while time.process_time() < until:
        sum(range(1000))


def planned(category: Any, settings: Any, size: Any, workspace: Any) -> Any:
    """Stand-in for `plan`: as many people as the category has pairs."""
    from tryon.agnostic.plan import SHARD_SIZE, MaskPlan
    from tryon.agnostic.process_person import PersonFiles
    from tryon.runtime.process_pool import split_chunks

    people = [PersonFiles(f"{number:06d}", None, None, None) for number in range(PAIRS[category])]
    return MaskPlan(category, settings, size, "", tuple(tuple(part) for part in split_chunks(people, SHARD_SIZE)), "")


def no_summary(planned: Any, workspace: Any) -> Any:
    """Stand-in for `collect`, which is the same with and without Prefect."""
    from tryon.runtime.stage_result import StageResult

    return StageResult(f"agnostic@{planned.category}", f"{planned.num_people} people, {len(planned.shards)} shards.")


def masks(folder: Path) -> None:
    """All three categories, each in a process of its server_env as DVC runs them, plain and under Prefect: CPU time."""
    from flows.prefect_server import temporary_server
    from tryon.agnostic.plan import SHARD_SIZE
    from tryon.workspace import Workspace

    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(ROOT / "params" / "default.yaml", folder / "params.yaml")
    (folder / "stage.py").write_text(STAGE)
    with temporary_server(Workspace(folder)):  # makes its database, which only the first run of a project does
        pass
    since = _spent()
    with temporary_server(Workspace(folder)):
        pass
    idle, since = _spent() - since, _spent()
    for category in PAIRS:
        _stage(folder, category, "")
    plain, since = _spent() - since, _spent()
    with temporary_server(Workspace(folder)) as url:
        for category in PAIRS:
            _stage(folder, category, url)
        flows = _spent() - since
    added, served = flows - plain, _spent() - since - flows - idle
    tasks = sum(-(-pairs // SHARD_SIZE) for pairs in PAIRS.values())
    print(
        f"{tasks} shards in three stages, CPU: plain {plain:.1f} s, flows add {added:.1f} s, the server {served:.1f} s "
        f"(and {idle:.1f} s to start and stop one, once a run or, served, never)"
    )
    for size, seconds in MASK_SECONDS.items():
        real = sum(PAIRS.values()) * seconds
        share = 100 * (added + served) / real
        print(f"{sum(PAIRS.values())} masks of {size} take {real:.0f} s: orchestration adds {share:.1f} %.")


def _spent() -> float:
    """CPU time of all processes that were started here and have ended."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return children.ru_utime + children.ru_stime


def _stage(folder: Path, category: str, url: str) -> None:
    subprocess.run([sys.executable, "stage.py", "agnostic", category], cwd=folder, env=_surroundings(url), check=True)


def prepare(folder: Path) -> None:
    """A project in which everything has been done, by DVC's account."""
    project, source = folder / "project", folder / "source"
    for category, pairs in PAIRS.items():
        for kind in ("images", "label_maps", "dense", "keypoints", "skeletons"):
            (source / category / kind).mkdir(parents=True)
        for number in range(pairs):
            for name in (
                "images/{}_0.jpg", "images/{}_1.jpg", "label_maps/{}_4.png", "dense/{}_5.png", "dense/{}_5_uv.npz",
                "keypoints/{}_2.json", "skeletons/{}_5.jpg",
            ):  # fmt: skip
                (source / category / name.format(f"{number:06d}")).touch()
    for name in ("tryon", "flows", "tasks", "params", "dvc.yaml"):
        target = project / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, target)
    (project / ".dvc").mkdir()
    (project / ".dvc" / "config").write_text("[core]\n    analytics = false\n    no_scm = true\n")
    (project / ".dvcignore").write_text("__pycache__\n")
    text = (ROOT / "params" / "default.yaml").read_text()
    (project / "params.yaml").write_text(text.replace("source: synthetic", "source: ../source"))
    subprocess.run([sys.executable, "-m", "tryon", "refresh-inputs"], cwd=project, env=_surroundings(""), check=True)
    for path, size in _outputs().items():
        (project / path).parent.mkdir(parents=True, exist_ok=True)
        (project / path).write_bytes(PLAIN.get(Path(path).suffix) or os.urandom(size))
    subprocess.run([sys.executable, "-m", "dvc", "commit", "-f", "-q"], cwd=project, env=_surroundings(""), check=True)


def _outputs() -> dict[str, int]:
    """Every output of every stage, with the megabytes that it has at 54,000 pairs or, where larger, a hundred."""
    from ruamel.yaml import YAML

    stages = YAML(typ="safe").load((ROOT / "dvc.yaml").read_text())["stages"]
    counts: dict[str, int] = {}
    for stage in stages.values():
        for entry in [entry for kind in ("outs", "metrics", "plots") for entry in stage.get(kind, [])]:
            path = entry if isinstance(entry, str) else next(iter(entry))
            for category in PAIRS if "${" in path else [""]:
                name = path.replace("${item.category}", category)
                folder = not Path(name).suffix
                large = name.startswith(("data/manifests", "data/subset", "data/checkpoints"))
                names = [f"{name}/{number}" for number in range(40)] if folder else [name]
                counts |= dict.fromkeys(names, 100_000 if folder else 100_000_000 if large else 10_000_000)
    return counts


def nothing(folder: Path) -> None:
    """A pipeline and `dvc repro` that find nothing to do, and one look of the watch."""
    commands = {"dvc repro": ["dvc", "repro"], "pipeline": ["flows"], "watch": ["flows", "--watch"]}
    spent: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(3):
        for name, command in commands.items():
            since = time.monotonic()
            done = subprocess.run(
                [sys.executable, "-m", *command],
                cwd=folder / "project",
                env=_surroundings(""),
                capture_output=True,
                text=True,
                check=True,
            )
            spent[name].append(time.monotonic() - since)
            output = done.stdout + done.stderr
            assert "up to date" in output or "unchanged" in output, output
    for name, times in spent.items():
        print(f"{name} with nothing to do: {statistics.median(times):.1f} s (median of {times})")


def _surroundings(url: str) -> dict[str, str]:
    server_env = {"PREFECT_API_URL": url, "PYTHONPATH": str(ROOT), "DO_NOT_TRACK": "1", "DVC_NO_ANALYTICS": "true"}
    return {**os.environ, **server_env, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}


if __name__ == "__main__":
    {"masks": masks, "prepare": prepare, "nothing": nothing}[sys.argv[1]](Path(sys.argv[2]).resolve())
