"""Write a synthetic Dress Code: an archive in the official layout and an archive of ground truth.

`<name>.zip` has the members of Dress Code. `<name>.truth.zip` holds, for every unpaired test row, the image and label
map of that person in that garment, optional flow and clean label maps, and the tables `attributes.csv` (garments),
`people.csv` and `parser_errors.csv`. A folder holds the members of both. Both contain the same marker file, which lists
seed and settings. Equal settings and seed give equal bytes on one machine, for any number of processes.
"""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

from tryon.categories import Category, Split
from tryon.config.download import SyntheticSettings
from tryon.dresscode.layout import (
    ATTRIBUTE_COLUMNS,
    ATTRIBUTES_FILE,
    PARSING_NOISE_COLUMNS,
    PARSING_NOISE_FILE,
    PEOPLE_COLUMNS,
    PEOPLE_FILE,
    SYNTHETIC_MARKER,
    TRUTH_MARKER,
    pair_list_path,
)
from tryon.dresscode.pair_lists import format_pair_list
from tryon.runtime.atomic_files import atomic_file, atomic_folder
from tryon.runtime.progress import Progress
from tryon.synthetic.ground_truth_io import zip_member
from tryon.synthetic.item_files import Files, RenderOptions, make_ground_truth, make_item
from tryon.synthetic.ordered_pool import Job, run_in_order
from tryon.synthetic.pair_plan import PairPlan

_MARKER_TITLE = "A synthetic twin of Dress Code: drawn figures, no photograph of anybody."
_MARKER_KEYS = {"difficulty": "level", "parsing_noise_fraction": "parser_errors"}
"""Names of settings in the marker file; part of the file format and of the content hash of frozen versions."""

AddFiles = Callable[[Files], None]

_TABLES = {ATTRIBUTES_FILE: ATTRIBUTE_COLUMNS, PEOPLE_FILE: PEOPLE_COLUMNS, PARSING_NOISE_FILE: PARSING_NOISE_COLUMNS}


def write_archive(target: Path, settings: SyntheticSettings, seed: int, progress: Progress) -> None:
    """Write `target` (.zip) and `<stem>.truth.zip` atomically, the truth last; missing parent folders are created."""
    with (
        atomic_file(truth_archive_path(target)) as truth_path,
        atomic_file(target) as path,
        zipfile.ZipFile(path, "w") as archive,
        zipfile.ZipFile(truth_path, "w") as truth,
    ):
        _write_all(partial(_write_members, archive), partial(_write_members, truth), settings, seed, progress)


def write_folder(target: Path, settings: SyntheticSettings, seed: int, progress: Progress) -> None:
    """Write the unpacked data set with its ground truth atomically; an existing folder is replaced."""
    with atomic_folder(target) as folder:
        add = partial(_write_files, folder)
        _write_all(add, add, settings, seed, progress)


def truth_archive_path(archive: Path) -> Path:
    """Return the path of the ground-truth archive that belongs to an archive."""
    return archive.with_name(f"{archive.stem}.truth.zip")


def format_marker(settings: SyntheticSettings, seed: int) -> str:
    """Format the marker file: a title, then "<setting>: <value>" for everything that the images depend on."""
    values = {"seed": seed, **settings.model_dump(exclude={"uv", "flow"})}  # these two only add files
    return "\n".join([_MARKER_TITLE, *(f"{_MARKER_KEYS.get(key, key)}: {value}" for key, value in values.items()), ""])


def _write_all(archive: AddFiles, truth: AddFiles, settings: SyntheticSettings, seed: int, progress: Progress) -> None:
    plan = PairPlan(settings.train_pairs, settings.test_pairs, seed)
    train_options, test_options = (
        RenderOptions(settings.difficulty, settings.uv, flow, settings.parsing_noise_fraction)
        for flow in (settings.flow == "all", settings.flow != "none")
    )
    jobs = [*_item_jobs(plan, train_options, test_options), *_truth_jobs(plan, test_options)]
    rows: dict[str, list[tuple[object, ...]]] = {name: [] for name in _TABLES}
    marker = format_marker(settings, seed).encode()
    archive([(SYNTHETIC_MARKER, marker), *_pair_lists(plan)])
    truth([(TRUTH_MARKER, marker)])
    label = "synthetic people"
    progress(0, len(jobs), label)
    for number, output in enumerate(run_in_order(jobs), start=1):
        archive(output.archive)
        truth(output.truth)
        for name, new_rows in output.rows.items():
            rows[name] += new_rows
        progress(number, len(jobs), label)
    tables = [name for name in _TABLES if name != PARSING_NOISE_FILE or settings.parsing_noise_fraction > 0]
    truth([(name, _format_csv(_TABLES[name], rows[name])) for name in tables])


def _item_jobs(plan: PairPlan, train_options: RenderOptions, test_options: RenderOptions) -> list[Job]:
    item_options = [train_options] * plan.train_pairs + [test_options] * plan.test_pairs
    return [
        partial(make_item, plan.seed, category, number, plan.item_id(category, number), options)
        for category in Category
        for number, options in zip(plan.items(category), item_options, strict=True)
    ]


def _truth_jobs(plan: PairPlan, options: RenderOptions) -> list[Job]:
    return [
        partial(make_ground_truth, plan.seed, category, pair, plan.to_ids(category, pair), options)
        for category in Category
        for pair in plan.pairs(category, Split.TEST_UNPAIRED)
    ]


def _pair_lists(plan: PairPlan) -> Files:
    """Format the pair lists: two columns per category, three columns in the root."""
    files, root_lists = [], dict.fromkeys(Split, "")
    for category in Category:
        for split in Split:
            pairs = [plan.to_ids(category, pair) for pair in plan.pairs(category, split)]
            files.append((pair_list_path(split, category).as_posix(), format_pair_list(pairs).encode()))
            root_lists[split] += format_pair_list(pairs, category)
    return files + [(pair_list_path(split).as_posix(), text.encode()) for split, text in root_lists.items()]


def _format_csv(columns: tuple[str, ...], rows: Iterable[tuple[object, ...]]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([columns, *rows])
    return text.getvalue().encode()


def _write_members(archive: zipfile.ZipFile, files: Files) -> None:
    for name, data in files:
        archive.writestr(zip_member(name), data, zipfile.ZIP_STORED)


def _write_files(folder: Path, files: Files) -> None:
    for name, data in files:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
