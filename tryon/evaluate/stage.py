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
from tryon.evaluate.compare import METRICS_FILE, SCORES_FILE, SavedEvaluation
from tryon.evaluate.evaluated_model import (
    EvaluatedModel,
    data_facts,
    load_evaluated_model,
    protocol_facts,
    version_facts,
)
from tryon.evaluate.garment_texture import texture_of
from tryon.evaluate.mask_robustness import MaskRobustness, mask_robustness, robustness_to_dict
from tryon.evaluate.metrics_table import caution_list, unavailable_list
from tryon.evaluate.predict import METHODS, SETTINGS, PredictedBatch, predict_all
from tryon.evaluate.provenance import Fingerprints
from tryon.evaluate.report.gallery import GalleryRow, build_gallery, overview, write_strip
from tryon.evaluate.report.mask_audit import mask_audit, mask_images
from tryon.evaluate.report.render import Report, render, render_model_card
from tryon.evaluate.report.run_comparison import RunComparison, compare_runs, load_baseline_run
from tryon.evaluate.report.training_curves import read_training_curves
from tryon.evaluate.score_rows import RowScorer
from tryon.evaluate.slices import (
    Slices,
    Values,
    slice_scores,
    slice_values,
    slices_to_dict,
    summary_setting,
    summary_slices,
    worst_slice_to_dict,
    worst_slices,
)
from tryon.evaluate.summary import MODEL, summary_sentence, summary_table, to_dict
from tryon.runtime.atomic_files import atomic_file, atomic_folder, write_json, write_text
from tryon.runtime.progress import Progress
from tryon.runtime.stage_result import StageResult
from tryon.scoring.metric_availability import AvailableMetrics, check_names, check_required, open_metrics
from tryon.scoring.row_scores import RowScores
from tryon.training.device import choose_accelerator, set_cpu_threads
from tryon.training.training_log import read_history
from tryon.workspace import Workspace

CARD_FILE = "model_card.md"

IN_SUMMARY = 3
"""Rows of a category in the summary's images."""

_PLACES = len(SETTINGS) * (len(Category) + 1)
"""Tables that a number may be missing from: every category and all of them, in both settings."""


@dataclass(frozen=True)
class EvaluationResult:
    """All that was found out about a subject.

    Args:
        measured: the numbers.
        fingerprints: the facts behind them, by setting.
        slices: setting → method → slices.
        setting: the one that says most; None where no true image is known.
        sensitivity: error under changed masks; None where it was left out.
        shots: rows of the galleries.
    """

    measured: RowScorer
    fingerprints: dict[str, Any]
    slices: dict[str, dict[str, Slices]]
    setting: str | None
    sensitivity: MaskRobustness | None
    shots: list[GalleryRow]


def evaluate(
    settings: EvaluateSettings,
    seed: int,
    workspace: Workspace,
    progress: Progress,
    checkpoint_file: Path | None = None,
    out: Path | None = None,
) -> StageResult:
    """Make `data/evaluation/`: `metrics.json`, `slices.json`, `scores.parquet`, report, model card and galleries; and
    a copy of the card beside the checkpoint.

    Args:
        settings: what is scored and shown.
        seed: of the bootstrap and of images chosen by name.
        workspace: the project.
        progress: told how far it is.
        checkpoint_file: scored instead of the best checkpoint; the report then tells nothing of the training here, nor
            of the run that `beside` names.
        out: folder that is written instead of `data/evaluation/`, and nothing else.

    Raises:
        ParameterError: a required metric does not exist, or there is no GPU where one is asked for.
        WeightsError: the checkpoint is absent or damaged.
        MissingInputError: the subset is absent or has no test rows, or the run to be put beside is not there.
        TryOnError: a metric of `evaluate.required_metrics` is unavailable, or a result of the network is not finite.
    """
    check_names(settings.required_metrics)
    workspace = workspace.with_weights(settings.metric_weights_dir)
    device = torch.device(choose_accelerator("evaluate", settings.accelerator))
    set_cpu_threads()
    trained_here = checkpoint_file is None
    other = (
        load_baseline_run(workspace.root / settings.baseline_run) if settings.baseline_run and trained_here else None
    )
    subject = load_evaluated_model(workspace, checkpoint_file, device)
    opened = open_metrics(workspace, subject.size, device.type)
    check_required(settings.required_metrics, opened, subject.counts["paired"])
    found = _analyze(subject, opened, workspace, (settings, seed), progress)
    ours = SavedEvaluation(found.fingerprints, found.measured.scores)
    compared = compare_runs(ours, read_history(workspace.checkpoints / "history.csv"), other) if other else None
    report = Report(
        content=_content(subject, found, compared, workspace),
        shots=found.shots,
        courses=_courses(workspace) if trained_here else [],
        masks=mask_images(workspace),
        slices=found.slices,
        sensitivity=found.sensitivity,
        beside=compared,
        data=data_facts(subject),
        licences=subject.licences,
        versions=version_facts(subject, settings, seed),
    )
    _write(out or workspace.evaluation, report, found.measured.scores, None if out else workspace.checkpoints)
    return _summary(report.content, found.shots)


def _analyze(
    subject: EvaluatedModel,
    opened: AvailableMetrics,
    workspace: Workspace,
    asked: tuple[EvaluateSettings, int],
    progress: Progress,
) -> EvaluationResult:
    """Score every row, then look closer: slices, changed masks, and the rows that are worth showing."""
    settings, seed = asked
    measured = RowScorer(opened, workspace.work_dir("evaluate") / "references")
    fingerprints = Fingerprints()
    values = _score(subject, (measured, fingerprints), settings.batch_size, progress)
    slices = {setting: _slices(measured.scores, setting, own, seed) for setting, own in values.items()}
    setting = summary_setting(slices)
    sensitivity = _sensitivity(subject, setting, settings, progress)
    sizes = settings.num_gallery_samples, settings.batch_size
    picked = [
        build_gallery(subject.network, own, name, measured.scores, sizes, seed) for name, own in subject.rows.items()
    ]
    shots = [shot for own in picked for shot in own]
    told = fingerprints.told(subject.size, workspace)
    return EvaluationResult(measured, told, slices, setting, sensitivity, shots)


def _score(
    subject: EvaluatedModel, kept: tuple[RowScorer, Fingerprints], batch_size: int, progress: Progress
) -> dict[str, Values]:
    """Score every setting, keeping numbers and fingerprints; returns what slices its rows belong to."""
    measured, fingerprints = kept
    values: dict[str, Values] = {}
    done, total = 0, sum(map(len, subject.rows.values()))
    for setting, own in subject.rows.items():
        textures: dict[str, str | None] = {}

        def each(batch: PredictedBatch, setting: str = setting, textures: dict[str, str | None] = textures) -> None:
            nonlocal done
            textures |= {pair: texture_of(own) for pair, own in zip(batch.pair_ids, batch.garment, strict=True)}
            fingerprints.add(setting, batch)
            done += len(batch.pair_ids)
            progress(done, total, "rows tried on and scored")

        measured.score(setting, own, predict_all(subject.network, own, setting, batch_size, subject.device), each)
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
    subject: EvaluatedModel, setting: str | None, settings: EvaluateSettings, progress: Progress
) -> MaskRobustness | None:
    if setting is None or not settings.num_robustness_samples:
        return None
    rows, count = subject.rows[setting], settings.num_robustness_samples
    return mask_robustness(subject.network, rows, setting, count, settings.batch_size, progress)


def _content(
    subject: EvaluatedModel, found: EvaluationResult, compared: RunComparison | None, workspace: Workspace
) -> dict[str, Any]:
    """The content of `metrics.json`, what says most first."""
    measured = found.measured
    weak = worst_slices(found.slices[found.setting][MODEL]) if found.setting else []
    return {
        "headline": to_dict(summary_table({"metrics": measured.tables})),
        "slices": summary_slices(found.slices),
        "weakest": worst_slice_to_dict(found.setting, weak) if found.setting else [],
        "sensitivity": robustness_to_dict(found.sensitivity),
        "metrics": measured.tables,
        "rows": subject.counts,
        "compared": measured.compared,
        "masks": mask_audit(workspace),
        "unavailable": unavailable_list(measured.reasons, _PLACES),
        "warnings": caution_list(measured.cautions, _PLACES),
        "beside": compared.content if compared else {},
        "fingerprints": found.fingerprints,
        "protocol": protocol_facts(subject),
    }


def _courses(workspace: Workspace) -> list[Any]:
    stages = {"Pretraining": workspace.pretrained, "Fine-tuning": workspace.checkpoints}
    return [read_training_curves(title, folder) for title, folder in stages.items()]


def _write(place: Path, report: Report, scores: RowScores, checkpoints: Path | None) -> None:
    """Write everything or nothing; the model card into `checkpoints` too: whoever takes one of them takes its card."""
    with ExitStack() as both:
        if checkpoints:
            both.enter_context(atomic_file(checkpoints / CARD_FILE)).write_text(
                render_model_card(report), encoding="utf-8"
            )
        folder = both.enter_context(atomic_folder(place))
        scores.write(folder / SCORES_FILE)
        write_json(folder / METRICS_FILE, report.content)
        write_json(folder / "slices.json", slices_to_dict(report.slices))
        write_text(folder / "report.html", render(report))
        write_text(folder / CARD_FILE, render_model_card(report))
        for shot in report.shots:
            write_strip(folder, shot)


def _summary(content: Mapping[str, Any], shots: list[GalleryRow]) -> StageResult:
    rows = summary_table(content)
    images = {
        f"{setting}-{category}".replace("_", "-"): overview(chosen[:IN_SUMMARY])
        for setting in SETTINGS
        for category in Category
        if (chosen := [shot for shot in shots if (shot.setting, shot.category) == (setting, category)])
    }
    return StageResult("evaluate", summary_sentence(rows), tuple(rows), images)
