"""The evaluate stage: score the best checkpoint on every test row, write the numbers, the galleries and the report."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from tryon.categories import Category
from tryon.daflow import DAFlow
from tryon.errors import MissingInputError
from tryon.evaluation.audit import mask_audit, mask_pictures
from tryon.evaluation.availability import Opened, check_names, check_required, open_metrics
from tryon.evaluation.course import read_course
from tryon.evaluation.gallery import Shot, choose, overview, take, write_strip
from tryon.evaluation.headline import KEY, MODEL, headline_table, nested, sentence
from tryon.evaluation.methods import METHODS, SETTINGS, category_counts, read_rows, run_methods
from tryon.evaluation.protocol import Facts, facts, file_hash, protocol
from tryon.evaluation.report import Report, render
from tryon.evaluation.scores import Scores, score_pairs, score_set
from tryon.evaluation.settings import EvaluateSettings
from tryon.evaluation.table import Reasons, compared_rows, new_reasons, setting_table, unavailable_list
from tryon.files import digest, replacing_folder, write_json, write_text
from tryon.loading.rows import PackedRows
from tryon.progress import Progress
from tryon.summary import Summary
from tryon.training.checkpoint import Checkpoint, build_network, load_checkpoint
from tryon.training.device import choose_accelerator, set_cpu_threads
from tryon.workspace import Workspace

CHECKPOINT = "best.ckpt"
IN_SUMMARY = 3
"""Rows of a category in the summary's pictures."""


def evaluate(settings: EvaluateSettings, seed: int, workspace: Workspace, progress: Progress) -> Summary:
    """Make `data/evaluation/`: `metrics.json`, `report.html` and `galleries/`.

    Raises:
        ParameterError: a required metric does not exist, or there is no GPU where one is asked for.
        WeightsError: the checkpoint is absent or damaged.
        MissingInputError: the subset is absent or has no test rows.
        TryOnError: a metric of `evaluate.require` is unavailable, or a result of the network is not finite.
    """
    check_names(settings.require)
    device = torch.device(choose_accelerator("evaluate", settings.accelerator))
    set_cpu_threads()
    path = workspace.checkpoints / CHECKPOINT
    checkpoint = load_checkpoint(path, remedy="Run `tryon finetune` first.")
    network = build_network(checkpoint, str(path)).eval().to(device)
    rows = {setting: read_rows(workspace, setting) for setting in SETTINGS}
    size = next((own.size for own in rows.values() if len(own)), None)
    if size is None:
        remedy = "Run `tryon sample` again on data with test pairs."
        raise MissingInputError(str(workspace.subset(SETTINGS["paired"])), rule="has test rows", remedy=remedy)
    opened = open_metrics(workspace, size, device.type)
    counts = {setting: category_counts(own) for setting, own in rows.items()}
    check_required(settings.require, opened, counts["paired"])

    tables, compared, shots, reasons = _score(network, rows, opened, settings, seed, device, progress)
    content = {
        "headline": nested(headline_table({"metrics": tables})),
        "metrics": tables,
        "rows": counts,
        "compared": compared,
        "masks": mask_audit(workspace),
        "unavailable": unavailable_list(reasons, places=len(SETTINGS) * (len(Category) + 1)),
        "protocol": protocol(size, counts, _pair_ids(rows), workspace.subset(SETTINGS["paired"]), device.type),
    }
    report = Report(
        content=content,
        shots=shots,
        courses=_courses(workspace),
        masks=mask_pictures(workspace),
        data=_data_facts(rows),
        versions=_versions(checkpoint, network, settings, seed, workspace),
    )
    _write(workspace.evaluation, content, report)
    return _summary(content, shots)


def _score(
    network: nn.Module,
    rows: dict[str, PackedRows],
    opened: Opened,
    settings: EvaluateSettings,
    seed: int,
    device: torch.device,
    progress: Progress,
) -> tuple[dict[str, Any], dict[str, Any], list[Shot], Reasons]:
    """Numbers of every setting, over how many rows, the rows of the galleries, and what could not be computed."""
    pairs, sets = opened.comparing("target"), opened.comparing("people")
    tables: dict[str, Any] = {}
    compared: dict[str, Any] = {}
    shots: list[Shot] = []
    reasons = new_reasons()
    done, total = 0, sum(map(len, rows.values()))
    for setting, own in rows.items():
        scores = Scores()
        wanted = _gallery_rows(own, settings.gallery_rows, seed)
        for batch in run_methods(network, own, setting, settings.batch_size, device):
            known = batch.truth.known
            for method, results in batch.results.items():
                truth = batch.truth
                numbers = score_pairs(pairs, results[known], truth.pictures, truth.garment) if known.any() else {}
                scores.add(batch.category, method, numbers | score_set(sets, results, batch.person))
                if method == MODEL:
                    shots += take(batch, setting, wanted, numbers.get(KEY, np.empty(0)))
            done += len(batch.pair_ids)
            progress(done, total, "rows tried on and scored")
        tables[setting] = setting_table(scores, list(METHODS), category_counts(own), opened, setting, reasons)
        compared[setting] = compared_rows(scores, MODEL)
    return tables, compared, shots, reasons


def _gallery_rows(rows: PackedRows, count: int, seed: int) -> set[str]:
    categories, pairs = rows.categories, rows.table.column("pair_id").to_pylist()
    by_category = {c: [pair for pair, own in zip(pairs, categories, strict=True) if own == c] for c in Category}
    return set().union(*(choose(own, count, seed) for own in by_category.values()))


def _pair_ids(rows: dict[str, PackedRows]) -> dict[str, list[str]]:
    return {setting: sorted(own.table.column("pair_id").to_pylist()) for setting, own in rows.items()}


def _courses(workspace: Workspace) -> list[Any]:
    stages = {"Pretraining": workspace.pretrained, "Fine-tuning": workspace.checkpoints}
    return [read_course(title, folder) for title, folder in stages.items()]


def _data_facts(rows: dict[str, PackedRows]) -> Facts:
    licences = Counter(licence for own in rows.values() for licence in own.table.column("licence").to_pylist())
    told = [f"{licence or 'not recorded'} ({count} test rows)" for licence, count in sorted(licences.items(), key=str)]
    return facts(test_rows=", ".join(f"{setting} {len(own)}" for setting, own in rows.items()), licence="; ".join(told))


def _versions(
    checkpoint: Checkpoint, network: DAFlow, settings: EvaluateSettings, seed: int, workspace: Workspace
) -> Facts:
    files = {"checkpoint": workspace.checkpoints / CHECKPOINT}
    files |= {f"subset {part}": workspace.subset(part) for part in SETTINGS.values()}
    return [
        *facts(**{f"{name} SHA-256": file_hash(path) for name, path in files.items()}),
        *facts(
            training_run=checkpoint.digest,
            best_epoch=checkpoint.best_epoch,
            parameters=f"{network.parameter_count:,}",
            network=", ".join(f"{key} {value}" for key, value in checkpoint.network.items()),
            evaluate_settings=digest({"settings": settings.model_dump(mode="json"), "seed": seed}),
        ),
    ]


def _write(place: Path, content: dict[str, Any], report: Report) -> None:
    with replacing_folder(place) as folder:
        write_json(folder / "metrics.json", content)
        write_text(folder / "report.html", render(report))
        for shot in report.shots:
            write_strip(folder, shot)


def _summary(content: dict[str, Any], shots: list[Shot]) -> Summary:
    rows = headline_table(content)
    pictures = {
        f"{setting}-{category}".replace("_", "-"): overview(chosen[:IN_SUMMARY])
        for setting in SETTINGS
        for category in Category
        if (chosen := [shot for shot in shots if (shot.setting, shot.category) == (setting, category)])
    }
    return Summary("evaluate", sentence(rows), tuple(rows), pictures)
