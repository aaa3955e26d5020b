"""The evaluate stage: score the best checkpoint on every test row, write the numbers, the galleries and the report."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from tryon.categories import Category
from tryon.config.evaluate import EvaluateSettings
from tryon.evaluate.compare import METRICS_FILE, SCORES_FILE, Evaluated
from tryon.evaluate.evaluated_model import Subject, data_facts, protocol_facts, read_subject, version_facts
from tryon.evaluate.garment_texture import texture_of
from tryon.evaluate.mask_robustness import Sensitivity, mask_sensitivity, told_sensitivity
from tryon.evaluate.metrics_table import caution_list, unavailable_list
from tryon.evaluate.predict import METHODS, SETTINGS, Scored, run_methods
from tryon.evaluate.provenance import Fingerprints
from tryon.evaluate.report.gallery import Shot, overview, picked_shots, write_strip
from tryon.evaluate.report.mask_audit import mask_audit, mask_pictures
from tryon.evaluate.report.render import Report, model_card, render
from tryon.evaluate.report.run_comparison import Beside, beside, read_other
from tryon.evaluate.report.training_curves import read_course
from tryon.evaluate.score_rows import Measuring
from tryon.evaluate.slices import (
    Slices,
    Values,
    headline_setting,
    headline_slices,
    slice_scores,
    slice_values,
    told_slices,
    told_weakest,
    weakest,
)
from tryon.evaluate.summary import MODEL, headline_table, nested, sentence
from tryon.runtime.atomic_files import replacing, replacing_folder, write_json, write_text
from tryon.runtime.progress import Progress
from tryon.runtime.stage_result import Summary
from tryon.scoring.metric_availability import Opened, check_names, check_required, open_metrics
from tryon.scoring.row_scores import RowScores
from tryon.training.device import choose_accelerator, set_cpu_threads
from tryon.training.training_log import read_history
from tryon.workspace import Workspace

CARD_FILE = "model_card.md"

IN_SUMMARY = 3
"""Rows of a category in the summary's pictures."""

_PLACES = len(SETTINGS) * (len(Category) + 1)
"""Tables that a number may be missing from: every category and all of them, in both settings."""


@dataclass(frozen=True)
class Findings:
    """All that was found out about a subject.

    Args:
        measured: the numbers.
        fingerprints: the facts behind them, by setting.
        slices: setting → method → slices.
        setting: the one that says most; None where no true picture is known.
        sensitivity: error under changed masks; None where it was left out.
        shots: rows of the galleries.
    """

    measured: Measuring
    fingerprints: dict[str, Any]
    slices: dict[str, dict[str, Slices]]
    setting: str | None
    sensitivity: Sensitivity | None
    shots: list[Shot]


def evaluate(
    settings: EvaluateSettings,
    seed: int,
    workspace: Workspace,
    progress: Progress,
    checkpoint_file: Path | None = None,
    out: Path | None = None,
) -> Summary:
    """Make `data/evaluation/`: `metrics.json`, `slices.json`, `scores.parquet`, report, model card and galleries; and
    a copy of the card beside the checkpoint.

    Args:
        settings: what is scored and shown.
        seed: of the bootstrap and of pictures chosen by name.
        workspace: the project.
        progress: told how far it is.
        checkpoint_file: scored instead of the best checkpoint; the report then tells nothing of the training here, nor
            of the run that `beside` names.
        out: folder that is written instead of `data/evaluation/`, and nothing else.

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
    trained_here = checkpoint_file is None
    other = read_other(workspace.root / settings.beside) if settings.beside and trained_here else None
    subject = read_subject(workspace, checkpoint_file, device)
    opened = open_metrics(workspace, subject.size, device.type)
    check_required(settings.require, opened, subject.counts["paired"])
    found = _find(subject, opened, workspace, (settings, seed), progress)
    ours = Evaluated(found.fingerprints, found.measured.scores)
    compared = beside(ours, read_history(workspace.checkpoints / "history.csv"), other) if other else None
    report = Report(
        content=_content(subject, found, compared, workspace),
        shots=found.shots,
        courses=_courses(workspace) if trained_here else [],
        masks=mask_pictures(workspace),
        slices=found.slices,
        sensitivity=found.sensitivity,
        beside=compared,
        data=data_facts(subject),
        licences=subject.licences,
        versions=version_facts(subject, settings, seed),
    )
    _write(out or workspace.evaluation, report, found.measured.scores, None if out else workspace.checkpoints)
    return _summary(report.content, found.shots)


def _find(
    subject: Subject, opened: Opened, workspace: Workspace, asked: tuple[EvaluateSettings, int], progress: Progress
) -> Findings:
    """Score every row, then look closer: slices, changed masks, and the rows that are worth showing."""
    settings, seed = asked
    measured = Measuring(opened, workspace.staging("evaluate") / "references")
    fingerprints = Fingerprints()
    values = _score(subject, (measured, fingerprints), settings.batch_size, progress)
    slices = {setting: _slices(measured.scores, setting, own, seed) for setting, own in values.items()}
    setting = headline_setting(slices)
    sensitivity = _sensitivity(subject, setting, settings, progress)
    sizes = settings.gallery_rows, settings.batch_size
    picked = [
        picked_shots(subject.network, own, name, measured.scores, sizes, seed) for name, own in subject.rows.items()
    ]
    shots = [shot for own in picked for shot in own]
    told = fingerprints.told(subject.size, workspace)
    return Findings(measured, told, slices, setting, sensitivity, shots)


def _score(
    subject: Subject, kept: tuple[Measuring, Fingerprints], batch_size: int, progress: Progress
) -> dict[str, Values]:
    """Score every setting, keeping numbers and fingerprints; returns what slices its rows belong to."""
    measured, fingerprints = kept
    values: dict[str, Values] = {}
    done, total = 0, sum(map(len, subject.rows.values()))
    for setting, own in subject.rows.items():
        textures: dict[str, str | None] = {}

        def each(batch: Scored, setting: str = setting, textures: dict[str, str | None] = textures) -> None:
            nonlocal done
            textures |= {pair: texture_of(own) for pair, own in zip(batch.pair_ids, batch.garment, strict=True)}
            fingerprints.add(setting, batch)
            done += len(batch.pair_ids)
            progress(done, total, "rows tried on and scored")

        measured.score(setting, own, run_methods(subject.network, own, setting, batch_size, subject.device), each)
        values[setting] = slice_values(own, textures)
    return values


def _slices(scores: RowScores, setting: str, values: Values, seed: int) -> dict[str, Slices]:
    """The model's intervals in every slice, the other methods' by category."""
    by_category = {"category": values["category"]}
    return {
        method: slice_scores(scores, setting, method, values if method == MODEL else by_category, seed)
        for method in METHODS
    }


def _sensitivity(
    subject: Subject, setting: str | None, settings: EvaluateSettings, progress: Progress
) -> Sensitivity | None:
    if setting is None or not settings.sensitivity_rows:
        return None
    rows, count = subject.rows[setting], settings.sensitivity_rows
    return mask_sensitivity(subject.network, rows, setting, count, settings.batch_size, progress)


def _content(subject: Subject, found: Findings, compared: Beside | None, workspace: Workspace) -> dict[str, Any]:
    """The content of `metrics.json`, what says most first."""
    measured = found.measured
    weak = weakest(found.slices[found.setting][MODEL]) if found.setting else []
    return {
        "headline": nested(headline_table({"metrics": measured.tables})),
        "slices": headline_slices(found.slices),
        "weakest": told_weakest(found.setting, weak) if found.setting else [],
        "sensitivity": told_sensitivity(found.sensitivity),
        "metrics": measured.tables,
        "rows": subject.counts,
        "compared": measured.compared,
        "masks": mask_audit(workspace),
        "unavailable": unavailable_list(measured.reasons, _PLACES),
        "warnings": caution_list(measured.cautions, _PLACES),
        "beside": compared.told if compared else {},
        "fingerprints": found.fingerprints,
        "protocol": protocol_facts(subject),
    }


def _courses(workspace: Workspace) -> list[Any]:
    stages = {"Pretraining": workspace.pretrained, "Fine-tuning": workspace.checkpoints}
    return [read_course(title, folder) for title, folder in stages.items()]


def _write(place: Path, report: Report, scores: RowScores, checkpoints: Path | None) -> None:
    """Write everything or nothing; the model card into `checkpoints` too: whoever takes one of them takes its card."""
    with ExitStack() as both:
        if checkpoints:
            both.enter_context(replacing(checkpoints / CARD_FILE)).write_text(model_card(report), encoding="utf-8")
        folder = both.enter_context(replacing_folder(place))
        scores.write(folder / SCORES_FILE)
        write_json(folder / METRICS_FILE, report.content)
        write_json(folder / "slices.json", told_slices(report.slices))
        write_text(folder / "report.html", render(report))
        write_text(folder / CARD_FILE, model_card(report))
        for shot in report.shots:
            write_strip(folder, shot)


def _summary(content: Mapping[str, Any], shots: list[Shot]) -> Summary:
    rows = headline_table(content)
    pictures = {
        f"{setting}-{category}".replace("_", "-"): overview(chosen[:IN_SUMMARY])
        for setting in SETTINGS
        for category in Category
        if (chosen := [shot for shot in shots if (shot.setting, shot.category) == (setting, category)])
    }
    return Summary("evaluate", sentence(rows), tuple(rows), pictures)
