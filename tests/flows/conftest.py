"""A small project with fake stages, ways to run it, and one Prefect server for all tests of this folder."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import reduce
from operator import getitem
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from flows.prefect_server import temporary_server
from tasks.subprocesses import child_env
from tryon.workspace import Workspace

ROOT = Path(__file__).parent.parent.parent

FAKE_STAGES = '''"""`python -m flows.stage_command` with fake stages."""
import sys, time
from pathlib import Path

import tryon.pipeline.stages
from tryon.errors import SourceError
from tryon.runtime.stage_result import StageResult


def fake_stage(name):
    def run(parameters, workspace, category, progress):
        for done in range(3):
            progress(done, 3, f"items of {name}")
        with Path("log").open("a") as log:
            log.write(f"{name} {'with' if 'prefect' in sys.modules else 'without'} Prefect\\n")
        if Path("slow").exists():
            time.sleep(60)
        if Path("edited").exists():  # edits params.yaml while the stage runs
            Path("edited").unlink()
            file = Path("params.yaml")
            file.write_text(file.read_text().replace("seed: 7", "seed: 8"))
        if Path("broken").exists():
            raise RuntimeError("a bug")
        if Path("missing").exists():
            raise SourceError("/nowhere.zip not found", hint="Put it there.")
        # The output of `sample` does not depend on its inputs.
        text = "constant" if name == "sample" else repr((parameters.seed, getattr(parameters, name)))
        Path("data", name).write_text(text)
        return StageResult(name, f"wrote data/{name}", ({"rows": 3, "fraction": 0.5},))
    return run


for name in tryon.pipeline.stages.STAGES:
    tryon.pipeline.stages.STAGES[name] = fake_stage(name)

if __name__ == "__main__":
    from flows.stage_command import main
    raise SystemExit(main())
'''

CHAIN = """stages:
  download:
    cmd: exec python stage.py download
    deps: [data/source.json]
    params: [seed, download]
    outs: [data/download]
  sample:
    cmd: exec python stage.py sample
    deps: [data/download]
    params: [sample]
    outs: [data/sample]
  pretrain:
    cmd: exec python stage.py pretrain
    deps: [data/sample]
    params: [pretrain, {data/weights.json: [start]}]
    outs: [data/pretrain]
"""


class Project:
    """A project folder and ways to run commands in it."""

    def __init__(self, root: Path) -> None:
        self.root = root

    @classmethod
    def new(cls, root: Path) -> Project:
        """Create a project in which nothing has been run."""
        (root / ".dvc").mkdir(parents=True)
        (root / ".dvc" / "config").write_text("[core]\n    analytics = false\n    no_scm = true\n")
        (root / "data").mkdir()
        (root / "data" / "source.json").write_text('{\n  "source": "synthetic"\n}\n')
        weights = '{\n  "start": null,\n  "metrics": {\n    "alexnet": null,\n    "inception": null\n  }\n}\n'
        (root / "data" / "weights.json").write_text(weights)
        shutil.copy(ROOT / "params" / "default.yaml", root / "params.yaml")
        shutil.copytree(ROOT / "params", root / "params")
        (root / "dvc.yaml").write_text(CHAIN)
        (root / "stage.py").write_text(FAKE_STAGES)
        return cls(root)

    def copy(self, root: Path) -> Project:
        """Copy the project with all its outputs."""
        return Project(Path(shutil.copytree(self.root, root)))

    def python(self, *arguments: str, url: str | None = "") -> subprocess.CompletedProcess[str]:
        """Run this Python in the project and wait; `url` is PREFECT_API_URL, which is unset for None."""
        return subprocess.run(
            [sys.executable, *arguments],
            **self._popen_options(url),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def start(self, *arguments: str, url: str | None = "") -> subprocess.Popen[bytes]:
        """Start this Python in the project."""
        if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as in a background job; children inherit it
            signal.signal(signal.SIGINT, signal.default_int_handler)
        null = subprocess.DEVNULL
        return subprocess.Popen([sys.executable, *arguments], **self._popen_options(url), stdout=null, stderr=null)

    def _popen_options(self, url: str | None) -> dict:
        # The shell that DVC falls back on: unlike bash, it does not exec its last command.
        env = child_env({"PREFECT_API_URL": url or "", "PYTHONPATH": str(ROOT), "SHELL": "/bin/sh"})
        if url is None:
            del env["PREFECT_API_URL"]
        return {"cwd": self.root, "env": env, "stdin": subprocess.DEVNULL, "process_group": 0}

    def set(self, key: str, value: object) -> None:
        """Set a key of `params.yaml` ("finetune.lr")."""
        yaml = YAML()
        content = yaml.load((self.root / "params.yaml").read_text())
        *path, last = key.split(".")
        section = reduce(getitem, path, content)
        assert last in section
        section[last] = value
        with (self.root / "params.yaml").open("w") as file:
            yaml.dump(content, file)

    def mark(self, name: str) -> None:
        """Change the fake stages: `slow`, `broken` or `missing`; `edited` changes the seed once while a stage runs."""
        (self.root / name).touch()

    def log(self) -> list[str]:
        """Return which fake stages have run, and whether with Prefect."""
        return (self.root / "log").read_text().splitlines() if (self.root / "log").is_file() else []

    def processes(self) -> list[int]:
        """Return the processes whose working directory is this project."""
        return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit() and self._is_here(entry)]

    def _is_here(self, entry: Path) -> bool:
        try:
            return (entry / "cwd").readlink() == self.root.resolve() and not _is_zombie(entry)
        except OSError:
            return False


def _is_zombie(entry: Path) -> bool:
    return (entry / "stat").read_text().rpartition(")")[2].split()[0] == "Z"


@pytest.fixture(autouse=True, scope="session")
def _isolated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Hide servers and caches of this machine from tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PREFECT_API_URL", "")
        patch.setenv("PREFECT_HOME", str(tmp_path_factory.mktemp("prefect")))
        patch.setenv("DVC_SITE_CACHE_DIR", str(tmp_path_factory.mktemp("dvc")))
        patch.setenv("OMP_NUM_THREADS", "1")
        patch.delenv("TRYON_WEIGHTS", raising=False)
        yield


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """URL of the API of a Prefect server started like that of a pipeline."""
    with temporary_server(Workspace(tmp_path_factory.mktemp("server"))) as url:
        yield url


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project in which nothing has been run."""
    return Project.new(tmp_path / "project")


@pytest.fixture(scope="session")
def new_project() -> Callable[[Path], Project]:
    """Function that creates a project in a folder."""
    return Project.new
