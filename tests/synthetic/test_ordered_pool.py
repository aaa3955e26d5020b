"""Results arrive in the order of the jobs for any number of processes, and workers import little."""

from __future__ import annotations

import subprocess
import sys
from functools import partial

import pytest

from tryon.runtime.code_version import ROOT
from tryon.synthetic.item_files import ItemOutput
from tryon.synthetic.ordered_pool import run_in_order


@pytest.mark.parametrize("workers", ["1", "2"])
def test_results_arrive_in_job_order(monkeypatch: pytest.MonkeyPatch, workers: str):
    monkeypatch.setenv("TRYON_WORKERS", workers)
    jobs = [partial(ItemOutput, [(str(number), b"")]) for number in range(25)]
    assert [output.archive[0][0] for output in run_in_order(jobs)] == [str(number) for number in range(25)]


def test_workers_do_not_import_the_settings():
    code = (
        "import sys, tryon.synthetic.ordered_pool\n"
        "print(sorted({'pydantic', 'tryon.config.download'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
