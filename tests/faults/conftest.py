"""An undisturbed run of a tiny project, made once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.project import Forking, Reference, undisturbed
from tests.flows.conftest import _isolated as _isolated


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


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Where a test's project goes."""
    return tmp_path / "project"
