"""Jobs are delivered in their order whatever the number of processes, and workers start with little to import."""

from __future__ import annotations

import subprocess
import sys
from functools import partial

import pytest

from tryon.runtime.code_version import ROOT
from tryon.synthetic.item_files import ItemOutput
from tryon.synthetic.ordered_pool import run_in_order


@pytest.mark.parametrize("workers", ["1", "2"])
def test_what_is_made_comes_in_the_order_of_the_jobs(monkeypatch: pytest.MonkeyPatch, workers: str):
    monkeypatch.setenv("TRYON_WORKERS", workers)
    found = [
        made.archive[0][0] for made in run_in_order([partial(ItemOutput, [(str(number), b"")]) for number in range(25)])
    ]
    assert found == [str(number) for number in range(25)]


def test_a_worker_does_not_import_the_settings():
    code = "import sys, tryon.synthetic.ordered_pool; print(sorted({'pydantic', 'tryon.config.download'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
