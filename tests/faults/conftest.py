"""An undisturbed run of a tiny project, made once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.project import Forking, Reference, undisturbed


@pytest.fixture(scope="session")
def forking() -> Iterator[Forking]:
    """Makes stage processes."""
    one = Forking()
    yield one
    one.close()


@pytest.fixture(scope="session")
def reference(forking: Forking, tmp_path_factory: pytest.TempPathFactory) -> Reference:
    """What an undisturbed run leaves."""
    return undisturbed(tmp_path_factory.mktemp("undisturbed"), forking)


@pytest.fixture(autouse=True, scope="session")
def _of_its_own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """No test sees a server or a cache of this machine's."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PREFECT_API_URL", "")
        patch.setenv("PREFECT_HOME", str(tmp_path_factory.mktemp("prefect")))
        patch.setenv("DVC_SITE_CACHE_DIR", str(tmp_path_factory.mktemp("dvc")))
        patch.setenv("OMP_NUM_THREADS", "1")
        patch.delenv("TRYON_WEIGHTS", raising=False)
        yield


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Where a test's project goes."""
    return tmp_path / "project"
