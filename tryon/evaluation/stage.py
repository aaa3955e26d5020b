"""The evaluate stage: score the best checkpoint on every test row, write the numbers, the galleries and the report."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import torch
from torch import nn

from tryon.categories import Category
from tryon.daflow import DAFlow
from tryon.errors import MissingInputError
from tryon.evaluation.audit import mask_audit, mask_pictures
from tryon.evaluation.availability import check_names, check_required, open_metrics
from tryon.evaluation.beside import beside, read_other
from tryon.evaluation.card import model_card
from tryon.evaluation.compare import METRICS_FILE, SCORES_FILE, Evaluated
from tryon.evaluation.course import read_course
from tryon.evaluation.fingerprints import Fingerprints
from tryon.evaluation.gallery import Shot, overview, write_strip
from tryon.evaluation.headline import MODEL, headline_table, nested, sentence
from tryon.evaluation.measuring import Measuring
from tryon.evaluation.methods import METHODS, SETTINGS, Scored, category_counts, read_rows, run_methods
from tryon.evaluation.protocol import Facts, facts, file_hash, protocol
from tryon.evaluation.report import Report, render
from tryon.evaluation.scores import RowScores
from tryon.evaluation.sensitivity import Sensitivity, mask_sensitivity, told_sensitivity
from tryon.evaluation.settings import EvaluateSettings
from tryon.evaluation.shots import picked_shots
from tryon.evaluation.slices import (
    Slices,
    Values,
    headline_setting,
    headline_slices,
    slice_scores,
    slice_values,
    told_slices,
    told_weakest,
    weakest,
)  # fmt: skip
from tryon.evaluation.table import caution_list, unavailable_list
from tryon.evaluation.texture import texture_of
from tryon.files import digest, replacing_folder, write_json, write_text
from tryon.loading.rows import PackedRows
from tryon.progress import Progress
from tryon.summary import Summary
from tryon.training.checkpoint import Checkpoint, build_network, load_checkpoint
from tryon.training.device import choose_accelerator, set_cpu_threads
from tryon.training.history import read_history
from tryon.workspace import Workspace

CHECKPOINT = "best.ckpt"
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
    """Make `data/evaluation/`: `metrics.json`, `slices.json`, `scores.parquet`, report, model card and galleries.

    Args:
        settings: what is scored and shown.
        seed: of the bootstrap and of pictures chosen by name.
        workspace: the project.
        progress: told how far it is.
        checkpoint_file: scored instead of the best checkpoint; the report then tells nothing of the training here, nor
            of the run that `beside` names.
        out: folder that is written instead of `data/evaluation/`.

    Raises:
        ParameterError: a required metric does not exist, or there is no GPU where one is asked for.
        WeightsError: the checkpoint is absent or damaged.
        MissingInputError: the subset is absent or has no test rows, or the run to be put beside is not there.
        TryOnError: a metric of `evaluate.require` is unavailable, or a result of the network is not finite.
    """
    check_names(settings.require)
    workspace = workspace.with_weights(settings.weights)
    device = torch.device(choose_accelerator("evaluate", settings.accelerator))
    set_cpu_threads()
    other = read_other(workspace.root / settings.beside) if settings.beside and not checkpoint_file else None
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
    values = _score(network, rows, (measured, fingerprints), settings, progress)
    slices = {setting: _slices(measured.scores, setting, own, seed) for setting, own in values.items()}
    setting = headline_setting(slices)
    sensitivity = _sensitivity(network, rows, setting, settings, progress)
    sizes = settings.gallery_rows, settings.batch_size
    picked = {name: picked_shots(network, own, name, measured.scores, sizes, seed) for name, own in rows.items()}
    shots = [shot for own in picked.values() for shot in own]
    ours = Evaluated(fingerprints.told(size, workspace), measured.scores)
    compared = beside(ours, read_history(workspace.checkpoints / "history.csv"), other) if other else None
    places = len(SETTINGS) * (len(Category) + 1)
    content = {
        "headline": nested(headline_table({"metrics": measured.tables})),
        "slices": headline_slices(slices),
        "weakest": told_weakest(setting, weakest(slices[setting][MODEL])) if setting else [],
        "sensitivity": told_sensitivity(sensitivity),
        "metrics": measured.tables,
        "rows": counts,
        "compared": measured.compared,
        "masks": mask_audit(workspace),
        "unavailable": unavailable_list(measured.reasons, places),
        "warnings": caution_list(measured.cautions, places),
        "beside": compared.told if compared else {},
        "fingerprints": ours.fingerprints,
        "protocol": protocol(size, counts, _pair_ids(rows), workspace.subset(SETTINGS["paired"]), device.type),
    }
    report = Report(
        content=content,
        shots=shots,
        courses=[] if checkpoint_file else _courses(workspace),
        masks=mask_pictures(workspace),
        slices=slices,
        sensitivity=sensitivity,
        beside=compared,
        data=_data_facts(rows),
        licences=_licences(rows),
        versions=_versions(checkpoint, network, settings, seed, {"checkpoint": path} | _test_files(workspace)),
    )
    _write(out or workspace.evaluation, content, report, measured.scores)
    return _summary(content, shots)


def _score(
    network: nn.Module,
    rows: dict[str, PackedRows],
    kept: tuple[Measuring, Fingerprints],
    settings: EvaluateSettings,
    progress: Progress,
) -> dict[str, Values]:
    """Score every setting, keeping numbers and fingerprints; returns what slices its rows belong to."""
    measured, fingerprints = kept
    device = next(network.parameters()).device
    values: dict[str, Values] = {}
    done, total = 0, sum(map(len, rows.values()))
    for setting, own in rows.items():
        textures: dict[str, str | None] = {}

        def each(batch: Scored, setting: str = setting, textures: dict[str, str | None] = textures) -> None:
            nonlocal done
            textures |= {pair: texture_of(own) for pair, own in zip(batch.pair_ids, batch.garment, strict=True)}
            fingerprints.add(setting, batch)
            done += len(batch.pair_ids)
            progress(done, total, "rows tried on and scored")

        measured.score(setting, own, run_methods(network, own, setting, settings.batch_size, device), each)
        values[setting] = slice_values(own, textures)
    return values


def _slices(scores: RowScores, setting: str, values: Values, seed: int) -> dict[str, Slices]:
    """The model's intervals in every slice, the baselines' by category."""
    by_category = {"category": values["category"]}
    return {
        method: slice_scores(scores, setting, method, values if method == MODEL else by_category, seed)
        for method in METHODS
    }


def _sensitivity(
    network: nn.Module, rows: dict[str, PackedRows], setting: str | None, settings: EvaluateSettings, progress: Progress
) -> Sensitivity | None:
    if setting is None or not settings.sensitivity_rows:
        return None
    return mask_sensitivity(network, rows[setting], setting, settings.sensitivity_rows, settings.batch_size, progress)


def _pair_ids(rows: dict[str, PackedRows]) -> dict[str, list[str]]:
    return {setting: sorted(own.table.column("pair_id").to_pylist()) for setting, own in rows.items()}


def _courses(workspace: Workspace) -> list[Any]:
    stages = {"Pretraining": workspace.pretrained, "Fine-tuning": workspace.checkpoints}
    return [read_course(title, folder) for title, folder in stages.items()]


def _licences(rows: dict[str, PackedRows]) -> dict[str | None, int]:
    """Licence to number of test rows."""
    found = Counter(licence for own in rows.values() for licence in own.table.column("licence").to_pylist())
    return dict(sorted(found.items(), key=str))


def _data_facts(rows: dict[str, PackedRows]) -> Facts:
    told = [f"{licence or 'not recorded'} ({count} test rows)" for licence, count in _licences(rows).items()]
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
        write_json(folder / METRICS_FILE, content)
        write_json(folder / "slices.json", told_slices(report.slices))
        write_text(folder / "report.html", render(report))
        write_text(folder / "model_card.md", model_card(report))
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
