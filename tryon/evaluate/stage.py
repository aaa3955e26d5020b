"""The evaluate stage: score the best checkpoint on every test row; write metrics, galleries, report and model card."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from tryon.categories import SETTINGS, Category
from tryon.config.evaluate import EvaluateSettings
from tryon.evaluate.baselines import ORACLE_WARP
from tryon.evaluate.evaluated_model import (
    EvaluatedModel,
    data_facts,
    load_evaluated_model,
    protocol_facts,
    version_facts,
)
from tryon.evaluate.mask_robustness import MaskRobustness, mask_robustness, robustness_to_dict
from tryon.evaluate.predict import METHODS, PredictionSource
from tryon.evaluate.report.gallery import GalleryRow, build_gallery, overview, write_strip
from tryon.evaluate.report.mask_audit import mask_audit, mask_images
from tryon.evaluate.report.render import Report, render_model_card, render_report
from tryon.evaluate.report.run_comparison import compare_with_baseline, load_baseline_run
from tryon.evaluate.report.training_curves import read_training_curves
from tryon.evaluate.slices import (
    Slices,
    slice_scores,
    slice_values,
    slices_to_dict,
    summary_setting,
    summary_slices,
    worst_slices,
    worst_slices_to_list,
)
from tryon.evaluate.summary import summary_sentence, summary_table, summary_to_dict
from tryon.runtime.atomic_files import atomic_file, atomic_folder, write_json, write_text
from tryon.runtime.progress import Progress
from tryon.runtime.stage_result import StageResult
from tryon.scoring.fingerprint import fingerprint
from tryon.scoring.measure import Measurement, measure
from tryon.scoring.metric_availability import (
    NO_FLOW,
    AvailableMetrics,
    check_names,
    check_required,
    find_unavailable,
    insufficient_samples,
    load_metrics,
)
from tryon.scoring.metrics_table import (
    Notes,
    ground_truth_rows,
    method_table,
    new_notes,
    notes_to_list,
    small_sample_warnings,
)
from tryon.scoring.protocols.fitting_room import EVALUATION
from tryon.scoring.row_scores import SCORES_FILE, RowScores
from tryon.scoring.saved_scores import METRICS_FILE, MODEL, runs_from_content
from tryon.training.device import choose_accelerator, set_cpu_threads
from tryon.training.training_log import read_history
from tryon.workspace import Workspace

CARD_FILE = "model_card.md"
RESULT_FORMAT = "PNG"
"""Results are scored before they are saved, which equals lossless PNG files in a fingerprint."""

MAX_OVERVIEW_ROWS = 3
"""Rows per category in the images of the stage result."""

DECIMALS = 6
NUM_GROUPS = len(SETTINGS) * (len(Category) + 1)
"""Groups that a metric may be unavailable for: every category and `all`, in both settings."""


@dataclass(frozen=True)
class Evaluation:
    """Measurements of a model.

    Args:
        measurements: by setting.
        scores: rows of both settings.
        slices: setting → method → slices.
        setting: the setting of the summary; None without any ground truth.
        robustness: error under perturbed masks; None where it was not measured.
    """

    measurements: dict[str, Measurement]
    scores: RowScores
    slices: dict[str, dict[str, Slices]]
    setting: str | None
    robustness: MaskRobustness | None
    gallery: list[GalleryRow]


def evaluate(
    settings: EvaluateSettings,
    seed: int,
    workspace: Workspace,
    progress: Progress,
    checkpoint_file: Path | None = None,
    out: Path | None = None,
) -> StageResult:
    """Write `data/evaluation/` (metrics, slices, scores, report, model card, galleries) and a copy of the model card.

    Args:
        seed: of the bootstrap and of rows selected by hash.
        checkpoint_file: evaluate this checkpoint instead of the best one; the report then shows neither the training
            of this project nor the baseline run.
        out: write this folder instead of `data/evaluation/`, and nothing else.

    Raises:
        ParameterError: a required metric does not exist, or there is no GPU although one is requested.
        WeightsError: the checkpoint is absent or damaged.
        MissingInputError: the subset is absent or has no test rows, or the baseline run is incomplete.
        TryOnError: a metric of `evaluate.required_metrics` is unavailable, or a result is not finite.
    """
    check_names(settings.required_metrics)
    workspace = workspace.with_weights(settings.metric_weights_dir)
    device = torch.device(choose_accelerator("evaluate", settings.accelerator))
    set_cpu_threads()
    trained_here = checkpoint_file is None
    baseline = None
    if settings.baseline_run and trained_here:
        baseline = load_baseline_run(workspace.root / settings.baseline_run)
    model = load_evaluated_model(workspace, checkpoint_file, device)
    reasons = find_unavailable(EVALUATION, workspace, min(model.size))
    check_required(settings.required_metrics, reasons | _insufficient_metrics(model.counts["paired"], reasons))
    available = load_metrics(EVALUATION, workspace, device.type, reasons)
    evaluation = _evaluate_model(model, available, workspace, settings, seed, progress)
    content = _build_content(model, evaluation, workspace)
    comparison = None
    if baseline:
        runs = runs_from_content(content, evaluation.scores)
        comparison = compare_with_baseline(runs, read_history(workspace.checkpoints / "history.csv"), baseline)
        content["baseline_comparison"] = comparison.content
    stages = {"Pretraining": workspace.pretrained, "Fine-tuning": workspace.checkpoints}
    report = Report(
        content=content,
        gallery=evaluation.gallery,
        training=[read_training_curves(title, folder) for title, folder in stages.items()] if trained_here else [],
        masks=mask_images(workspace),
        slices=evaluation.slices,
        robustness=evaluation.robustness,
        comparison=comparison,
        data=data_facts(model),
        licences=model.licences,
        versions=version_facts(model, settings, seed),
    )
    _write_outputs(out or workspace.evaluation, report, evaluation.scores, None if out else workspace.checkpoints)
    return _stage_result(content, evaluation.gallery)


def _insufficient_metrics(counts: Mapping[str, int], reasons: Mapping[str, str]) -> dict[str, str]:
    """Return the metrics that some category has too few rows for, with the reason."""
    insufficient = {}
    for each in EVALUATION.metrics:
        for category, count in counts.items():
            if each.name not in reasons and (reason := insufficient_samples(each.metric, count)):
                insufficient[each.name] = f"{reason}, {category} has {count}"
    return insufficient


def _evaluate_model(
    model: EvaluatedModel,
    available: AvailableMetrics,
    workspace: Workspace,
    settings: EvaluateSettings,
    seed: int,
    progress: Progress,
) -> Evaluation:
    scores = RowScores()
    measurements: dict[str, Measurement] = {}
    slices: dict[str, dict[str, Slices]] = {}
    for setting, rows in model.rows.items():
        source = PredictionSource(model.network, rows, setting, settings.batch_size, model.device)
        measurements[setting] = measure(EVALUATION, setting, source, available, workspace, progress, scores)
        values = slice_values(rows, source.textures)
        category_only = {"category": values["category"]}
        slices[setting] = {
            method: slice_scores(scores, setting, method, values if method == MODEL else category_only, seed)
            for method in METHODS
        }
    setting = summary_setting(slices)
    robustness = None
    if setting is not None and (count := settings.num_robustness_samples):
        robustness = mask_robustness(model.network, model.rows[setting], setting, count, settings.batch_size, progress)
    sizes = settings.num_gallery_samples, settings.batch_size
    gallery = [
        row
        for name, rows in model.rows.items()
        for row in build_gallery(model.network, rows, name, scores, sizes, seed)
    ]
    return Evaluation(measurements, scores, slices, setting, robustness, gallery)


def _build_content(model: EvaluatedModel, evaluation: Evaluation, workspace: Workspace) -> dict[str, Any]:
    """Return the content of `metrics.json`, most important first."""
    unavailable, warnings = new_notes(), new_notes()
    measurements = evaluation.measurements
    tables = {setting: _setting_table(measurement, unavailable) for setting, measurement in measurements.items()}
    for setting, measurement in measurements.items():
        small_sample_warnings(measurement, warnings, f"{setting} ")
    worst = []
    if evaluation.setting:
        worst = worst_slices_to_list(evaluation.setting, worst_slices(evaluation.slices[evaluation.setting][MODEL]))
    return {
        "summary": summary_to_dict(summary_table({"metrics": tables})),
        "slices": summary_slices(evaluation.slices),
        "worst_slices": worst,
        "mask_robustness": robustness_to_dict(evaluation.robustness),
        "metrics": tables,
        "rows": model.counts,
        "ground_truth_rows": {setting: ground_truth_rows(each, MODEL) for setting, each in measurements.items()},
        "masks": mask_audit(workspace),
        "unavailable": notes_to_list(unavailable, NUM_GROUPS, "reason"),
        "warnings": notes_to_list(warnings, NUM_GROUPS, "warning"),
        "baseline_comparison": {},
        "fingerprints": {
            setting: fingerprint(EVALUATION, setting, (model.size, RESULT_FORMAT), each.references, workspace)
            for setting, each in measurements.items()
        },
        "protocol": protocol_facts(model),
    }


def _setting_table(measurement: Measurement, unavailable: Notes) -> dict[str, Any]:
    """Return group → method → key → score; report a missing oracle warp once, not per metric."""
    prefix = f"{measurement.setting} "
    table: dict[str, Any] = {group: {} for group in measurement.groups}
    for method in METHODS:
        missing_oracle = method == ORACLE_WARP and method not in measurement.methods()
        scores = method_table(measurement, method, new_notes() if missing_oracle else unavailable, DECIMALS, prefix)
        for group, values in scores.items():
            table[group][method] = values
            if missing_oracle:
                unavailable[ORACLE_WARP, NO_FLOW].append(f"{prefix}{group}")
    return table


def _write_outputs(folder: Path, report: Report, scores: RowScores, checkpoints: Path | None) -> None:
    """Write all outputs atomically, and a copy of the model card next to its checkpoint."""
    card = render_model_card(report)
    with ExitStack() as stack:
        if checkpoints:
            stack.enter_context(atomic_file(checkpoints / CARD_FILE)).write_text(card, encoding="utf-8")
        temporary = stack.enter_context(atomic_folder(folder))
        scores.write(temporary / SCORES_FILE)
        write_json(temporary / METRICS_FILE, report.content)
        write_json(temporary / "slices.json", slices_to_dict(report.slices))
        write_text(temporary / "report.html", render_report(report))
        write_text(temporary / CARD_FILE, card)
        for row in report.gallery:
            write_strip(temporary, row)


def _stage_result(content: Mapping[str, Any], gallery: list[GalleryRow]) -> StageResult:
    rows = summary_table(content)
    images = {
        f"{setting}-{category}".replace("_", "-"): overview(selected[:MAX_OVERVIEW_ROWS])
        for setting in SETTINGS
        for category in Category
        if (selected := [row for row in gallery if (row.setting, row.category) == (setting, category)])
    }
    return StageResult("evaluate", summary_sentence(rows), tuple(rows), images)
