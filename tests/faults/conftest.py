"""Fixtures: a process that forks stages, and a reference run without faults."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.project import Forking, Reference, run_reference
from tests.flows.conftest import _isolated as _isolated


@pytest.fixture(scope="session")
def forking() -> Iterator[Forking]:
    """Process that forks stages."""
    process = Forking()
    yield process
    process.close()


@pytest.fixture(scope="session")
def reference(forking: Forking, tmp_path_factory: pytest.TempPathFactory) -> Reference:
    """Outputs of a run without faults."""
    return run_reference(tmp_path_factory.mktemp("reference"), forking)


@pytest.fixture
def project_root(tmp_path: Path) -> Path:
    """Folder for the project of a test."""
    return tmp_path / "project"
