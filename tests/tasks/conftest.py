"""A small DVC project, isolated from caches of this machine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

CHAIN = """stages:
  second:
    cmd: cp first second
    deps: [first]
    outs: [second]
  first:
    matrix:
      size: [small, large]
    cmd: echo ${item.size} >> first-${item.size} && cat first-* > all-${item.size}
    outs: ["all-${item.size}"]
  gather:
    cmd: cat all-small all-large > first
    deps: [all-small, all-large]
    params: [seed]
    outs: [first]
"""


@pytest.fixture(autouse=True, scope="session")
def _isolated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DVC_SITE_CACHE_DIR", str(tmp_path_factory.mktemp("dvc")))
        patch.setenv("PREFECT_HOME", str(tmp_path_factory.mktemp("prefect")))
        yield


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / ".dvc").mkdir()
    (tmp_path / ".dvc" / "config").write_text("[core]\n    analytics = false\n    no_scm = true\n")
    (tmp_path / "dvc.yaml").write_text(CHAIN)
    (tmp_path / "params.yaml").write_text("seed: 1\n")
    return tmp_path
