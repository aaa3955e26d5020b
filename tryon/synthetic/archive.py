"""The twin as files: a Dress Code archive, and beside it the truth that photographs cannot give.

`<name>.zip` is what Dress Code would deliver. `<name>.truth.zip` holds, for every unpaired test row, the image of
that person really wearing that garment with its label map, flow fields and true label maps where they are wanted, and
the side files: `attributes.csv` on all garments, `people.csv` on all people, `parser_errors.csv` on what is wrong. A
folder holds the members of both. The same settings and seed give the same bytes on one machine, whatever the number of
processes.

Archive and truth each say in a text file which twin they are of, in the same words.
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
    PARSER_ERROR_COLUMNS,
    PARSER_ERRORS_FILE,
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
from tryon.synthetic.item_files import Files, RenderOptions, make_item, make_truth
from tryon.synthetic.ordered_pool import Job, run_in_order
from tryon.synthetic.pair_plan import PairPlan

_MARK = "A synthetic twin of Dress Code: drawn figures, no photograph of anybody."
_ADDED = {"uv", "flow"}
"""Settings that add files and change none: with them or without it is the same twin."""

Add = Callable[[Files], None]
"""Takes members in their order."""

_WHAT = "synthetic people"

_TABLES = {ATTRIBUTES_FILE: ATTRIBUTE_COLUMNS, PEOPLE_FILE: PEOPLE_COLUMNS, PARSER_ERRORS_FILE: PARSER_ERROR_COLUMNS}


def write_archive(target: Path, settings: SyntheticSettings, seed: int, progress: Progress) -> None:
    """Write the twin's archive and, beside it, `<stem>.truth.zip`. Each appears whole or not at all, the truth last.

    Args:
        target: the zip to write; its folder is made.
        settings: how many pairs, and what they hold.
        seed: fixes every figure, garment and pairing.
        progress: told the number of rendered people.
    """
    with (
        atomic_file(truth_archive_path(target)) as truth_path,
        atomic_file(target) as path,
        zipfile.ZipFile(path, "w") as archive,
        zipfile.ZipFile(truth_path, "w") as truth,
    ):
        _fill(partial(_pack, archive), partial(_pack, truth), settings, seed, progress)


def write_folder(target: Path, settings: SyntheticSettings, seed: int, progress: Progress) -> None:
    """Write the twin as an unpacked data set with the truth in it; the folder appears whole or not at all.

    Args:
        target: the folder to write; what is there gives way.
        settings: how many pairs, and what they hold.
        seed: fixes every figure, garment and pairing.
        progress: told the number of rendered people.
    """
    with atomic_folder(target) as folder:
        add = partial(_unpack, folder)
        _fill(add, add, settings, seed, progress)


def truth_archive_path(archive: Path) -> Path:
    """Where the truth of a zip archive lies."""
    return archive.with_name(f"{archive.stem}.truth.zip")


def stamp(settings: SyntheticSettings, seed: int) -> str:
    """Which twin it is: a sentence, then lines "<setting>: <value>" of all that the images depend on.

    Args:
        settings: how many pairs, and what they hold. UV maps and flow are not mentioned.
        seed: of the archive.
    """
    facts = {"seed": seed, **settings.model_dump(exclude=_ADDED)}
    return "\n".join([_MARK, *(f"{name}: {value}" for name, value in facts.items()), ""])


def _fill(archive: Add, truth: Add, settings: SyntheticSettings, seed: int, progress: Progress) -> None:
    plan = PairPlan(settings.train_pairs, settings.test_pairs, seed)
    flowing = [settings.flow == "all", settings.flow != "none"]  # training pairs, test pairs
    trained, tested = (
        RenderOptions(settings.difficulty, settings.uv, flow, settings.parsing_noise_fraction) for flow in flowing
    )
    jobs = [*_people_jobs(plan, trained, tested), *_truth_jobs(plan, tested)]
    rows: dict[str, list[tuple[object, ...]]] = {name: [] for name in _TABLES}
    mark = stamp(settings, seed).encode()
    archive([(SYNTHETIC_MARKER, mark), *_pair_lists(plan)])
    truth([(TRUTH_MARKER, mark)])
    progress(0, len(jobs), _WHAT)
    for number, made in enumerate(run_in_order(jobs), start=1):
        archive(made.archive)
        truth(made.truth)
        for name, known in made.rows.items():
            rows[name] += known
        progress(number, len(jobs), _WHAT)
    wanted = [name for name in _TABLES if name != PARSER_ERRORS_FILE or settings.parsing_noise_fraction > 0]
    truth([(name, _table(_TABLES[name], rows[name])) for name in wanted])


def _people_jobs(plan: PairPlan, trained: RenderOptions, tested: RenderOptions) -> list[Job]:
    return [
        partial(make_item, plan.seed, category, number, plan.item_id(category, number), content)
        for category in Category
        for number, content in zip(plan.items(category), _contents(plan, trained, tested), strict=True)
    ]


def _contents(plan: PairPlan, trained: RenderOptions, tested: RenderOptions) -> list[RenderOptions]:
    """What is written of each of a category's items, training first."""
    return [trained] * plan.train_pairs + [tested] * plan.test_pairs


def _truth_jobs(plan: PairPlan, content: RenderOptions) -> list[Job]:
    return [
        partial(make_truth, plan.seed, category, pair, plan.named_pair(category, pair), content)
        for category in Category
        for pair in plan.pairs(category, Split.TEST_UNPAIRED)
    ]


def _pair_lists(plan: PairPlan) -> Files:
    """Two columns in each category's folder, three columns in the root."""
    files, whole = [], dict.fromkeys(Split, "")
    for category in Category:
        for setting in Split:
            pairs = [plan.named_pair(category, pair) for pair in plan.pairs(category, setting)]
            files.append((pair_list_path(setting, category).as_posix(), format_pair_list(pairs).encode()))
            whole[setting] += format_pair_list(pairs, category)
    return files + [(pair_list_path(setting).as_posix(), text.encode()) for setting, text in whole.items()]


def _table(columns: tuple[str, ...], rows: Iterable[tuple[object, ...]]) -> bytes:
    """A CSV file; what is None is an empty field."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    return text.getvalue().encode()


def _pack(archive: zipfile.ZipFile, files: Files) -> None:
    for name, data in files:
        archive.writestr(zip_member(name), data, zipfile.ZIP_STORED)


def _unpack(folder: Path, files: Files) -> None:
    for name, data in files:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
