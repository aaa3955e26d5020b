"""The twin as files: a Dress Code archive, and beside it the truth that photographs cannot give.

`<name>.zip` is what Dress Code would deliver. `<name>.truth.zip` holds, for every unpaired test row, the picture of
that person really wearing that garment with its label map, and `attributes.csv` on all garments. The same settings and
seed give the same bytes on one machine, whatever the number of processes.
"""

from __future__ import annotations

import csv
import io
import zipfile
from collections import deque
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import cv2

from tryon.categories import Category, Setting
from tryon.download.settings import SyntheticSettings
from tryon.dresscode.layout import ATTRIBUTE_COLUMNS, ATTRIBUTES_FILE, SYNTHETIC_MARK, pair_list_path
from tryon.dresscode.pair_lists import format_pair_list
from tryon.files import replacing
from tryon.progress import Progress
from tryon.synthetic.items import Files, garment_of, item_files, truth_files
from tryon.synthetic.plan import Plan
from tryon.workers import process_pool, worker_count

_MARK = b"A synthetic twin of Dress Code: drawn figures, no photograph of anybody.\n"

Job = Callable[[], Files]

_WHAT = "synthetic people"
_DATE = (1980, 1, 1, 0, 0, 0)
_AHEAD = 4
"""Jobs per worker that may wait for the writer: what bounds the memory."""


def write_archive(target: Path, settings: SyntheticSettings, seed: int, progress: Progress) -> None:
    """Write the twin's archive and, beside it, `<stem>.truth.zip`. Each appears whole or not at all, the truth last.

    Args:
        target: the zip to write; its folder is made.
        settings: how many pairs.
        seed: fixes every figure, garment and pairing.
        progress: told the number of rendered people.
    """
    plan = Plan(settings.train_pairs, settings.test_pairs, seed)
    people, truths = _people_jobs(plan), _truth_jobs(plan)
    jobs = people + truths
    progress(0, len(jobs), _WHAT)
    truth_target = target.with_name(f"{target.stem}.truth.zip")
    with (
        replacing(truth_target) as truth_path,
        replacing(target) as path,
        zipfile.ZipFile(path, "w") as archive,
        zipfile.ZipFile(truth_path, "w") as truth,
    ):
        _add(archive, [(SYNTHETIC_MARK, _MARK), *_pair_lists(plan)])
        _add(truth, [(ATTRIBUTES_FILE, _attributes(plan).encode())])
        for number, files in enumerate(_in_order(jobs)):
            _add(archive if number < len(people) else truth, files)
            progress(number + 1, len(jobs), _WHAT)


def _people_jobs(plan: Plan) -> list[Job]:
    return [
        partial(item_files, plan.seed, category, number, plan.item_id(category, number))
        for category in Category
        for number in plan.items(category)
    ]


def _truth_jobs(plan: Plan) -> list[Job]:
    return [
        partial(truth_files, plan.seed, category, pair, plan.named_pair(category, pair))
        for category in Category
        for pair in plan.pairs(category, Setting.TEST_UNPAIRED)
    ]


def _pair_lists(plan: Plan) -> Files:
    """Two columns in each category's folder, three columns in the root."""
    files, whole = [], dict.fromkeys(Setting, "")
    for category in Category:
        for setting in Setting:
            pairs = [plan.named_pair(category, pair) for pair in plan.pairs(category, setting)]
            files.append((pair_list_path(setting, category).as_posix(), format_pair_list(pairs).encode()))
            whole[setting] += format_pair_list(pairs, category)
    return files + [(pair_list_path(setting).as_posix(), text.encode()) for setting, text in whole.items()]


def _attributes(plan: Plan) -> str:
    """What is known about each garment; an empty field where the word does not apply."""
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(ATTRIBUTE_COLUMNS)
    for category in Category:
        for number in plan.items(category):
            garment = garment_of(plan.seed, category, number)
            known = (garment.kind, garment.sleeve, garment.neckline, garment.fabric.pattern)
            rows.writerow([category.value, plan.item_id(category, number), *(word or "" for word in known)])
    return text.getvalue()


def _add(archive: zipfile.ZipFile, files: Files) -> None:
    for name, data in files:
        member = zipfile.ZipInfo(name, _DATE)
        member.create_system, member.external_attr = 3, 0o644 << 16  # the same bytes on every system
        archive.writestr(member, data, zipfile.ZIP_STORED)


def _in_order(jobs: list[Job]) -> Iterator[Files]:
    """Results of the jobs in their order, made in worker processes a little ahead of the one that is wanted."""
    workers = min(worker_count(), len(jobs))
    if workers < 2:
        yield from map(_run, jobs)
        return
    with process_pool(workers) as pool:
        waiting = deque(pool.submit(_run, job) for job in jobs[: workers * _AHEAD])
        try:
            for job in jobs[workers * _AHEAD :]:
                files = waiting.popleft().result()
                waiting.append(pool.submit(_run, job))
                yield files
            while waiting:
                yield waiting.popleft().result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _run(job: Job) -> Files:
    cv2.setNumThreads(1)  # the processes share the cores
    return job()
