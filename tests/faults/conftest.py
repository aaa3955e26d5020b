"""Fixtures: the fork server, and one run of a tiny project without faults."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.project import ForkServer, Reference, run_without_faults
from tests.flows.conftest import _isolated as _isolated


@pytest.fixture(scope="session")
def fork_server() -> Iterator[ForkServer]:
    """The server that forks stage processes."""
    server = ForkServer()
    yield server
    server.close()


@pytest.fixture(scope="session")
def reference(fork_server: ForkServer, tmp_path_factory: pytest.TempPathFactory) -> Reference:
    """The results of a run without faults."""
    return run_without_faults(tmp_path_factory.mktemp("reference"), fork_server)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The root of a test's project, not created yet."""
    return tmp_path / "project"
