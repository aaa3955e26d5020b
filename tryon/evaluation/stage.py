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
from tryon.evaluation.availability import check_names, check_required, open_metrics
from tryon.evaluation.course import read_course
from tryon.evaluation.fingerprints import Fingerprints
from tryon.evaluation.gallery import Shot, choose, overview, take, write_strip
from tryon.evaluation.headline import KEY, headline_table, nested, sentence
from tryon.evaluation.measuring import Measuring
from tryon.evaluation.methods import SETTINGS, Scored, category_counts, read_rows, run_methods
from tryon.evaluation.protocol import Facts, facts, file_hash, protocol
from tryon.evaluation.report import Report, render
from tryon.evaluation.scores import Numbers, RowScores
from tryon.evaluation.settings import EvaluateSettings
from tryon.evaluation.table import caution_list, unavailable_list
from tryon.files import digest, replacing_folder, write_json, write_text
from tryon.loading.rows import PackedRows
from tryon.progress import Progress
from tryon.summary import Summary
from tryon.training.checkpoint import Checkpoint, build_network, load_checkpoint
from tryon.training.device import choose_accelerator, set_cpu_threads
from tryon.workspace import Workspace

CHECKPOINT = "best.ckpt"
SCORES_FILE = "scores.parquet"
"""Numbers of every row, see `tryon.evaluation.scores.SCORES`."""

IN_SUMMARY = 3
"""Rows of a category in the summary's pictures."""


def evaluate(
    settings: EvaluateSettings,
    seed: int,
    workspace: Workspace,
    progress: Progress,
    checkpoint_file: Path | None = None,
    out: Path | None = None,
) -> Summary:
    """Make `data/evaluation/`: `metrics.json`, `scores.parquet`, `report.html` and `galleries/`.

    Args:
        settings: what is scored and shown.
        seed: of the choice of pictures.
        workspace: the project.
        progress: told how far it is.
        checkpoint_file: scored instead of the best checkpoint; the report then tells nothing of the training here.
        out: folder that is written instead of `data/evaluation/`.

    Raises:
        ParameterError: a required metric does not exist, or there is no GPU where one is asked for.
        WeightsError: the checkpoint is absent or damaged.
        MissingInputError: the subset is absent or has no test rows.
        TryOnError: a metric of `evaluate.require` is unavailable, or a result of the network is not finite.
    """
    check_names(settings.require)
    workspace = workspace.with_weights(settings.weights)
    device = torch.device(choose_accelerator("evaluate", settings.accelerator))
    set_cpu_threads()
    path = checkpoint_file or workspace.checkpoints / CHECKPOINT
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

    measured = Measuring(opened, workspace.staging("evaluate") / "references")
    fingerprints = Fingerprints()
    shots = _score(network, rows, (measured, fingerprints), settings, seed, progress)
    places = len(SETTINGS) * (len(Category) + 1)
    content = {
        "headline": nested(headline_table({"metrics": measured.tables})),
        "metrics": measured.tables,
        "rows": counts,
        "compared": measured.compared,
        "masks": mask_audit(workspace),
        "unavailable": unavailable_list(measured.reasons, places),
        "warnings": caution_list(measured.cautions, places),
        "fingerprints": fingerprints.told(size, workspace),
        "protocol": protocol(size, counts, _pair_ids(rows), workspace.subset(SETTINGS["paired"]), device.type),
    }
    report = Report(
        content=content,
        shots=shots,
        courses=[] if checkpoint_file else _courses(workspace),
        masks=mask_pictures(workspace),
        data=_data_facts(rows),
        versions=_versions(checkpoint, network, settings, seed, {"checkpoint": path} | _test_files(workspace)),
    )
    _write(out or workspace.evaluation, content, report, measured.scores)
    return _summary(content, shots)


def _score(
    network: nn.Module,
    rows: dict[str, PackedRows],
    kept: tuple[Measuring, Fingerprints],
    settings: EvaluateSettings,
    seed: int,
    progress: Progress,
) -> list[Shot]:
    """Score every setting, keeping numbers and fingerprints; returns the rows of the galleries."""
    measured, fingerprints = kept
    device = next(network.parameters()).device
    shots: list[Shot] = []
    done, total = 0, sum(map(len, rows.values()))
    for setting, own in rows.items():
        wanted = _gallery_rows(own, settings.gallery_rows, seed)

        def each(batch: Scored, numbers: Numbers, setting: str = setting, wanted: set[str] = wanted) -> None:
            nonlocal done
            errors = numbers.get(KEY, np.empty(0))[batch.truth.known if numbers else slice(0)]
            shots.extend(take(batch, setting, wanted, errors))
            fingerprints.add(setting, batch)
            done += len(batch.pair_ids)
            progress(done, total, "rows tried on and scored")

        measured.score(setting, own, run_methods(network, own, setting, settings.batch_size, device), each)
    return shots


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


def _test_files(workspace: Workspace) -> dict[str, Path]:
    return {f"subset {part}": workspace.subset(part) for part in SETTINGS.values()}


def _versions(
    checkpoint: Checkpoint, network: DAFlow, settings: EvaluateSettings, seed: int, files: dict[str, Path]
) -> Facts:
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


def _write(place: Path, content: dict[str, Any], report: Report, scores: RowScores) -> None:
    with replacing_folder(place) as folder:
        scores.write(folder / SCORES_FILE)
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
