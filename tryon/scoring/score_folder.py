"""Score a folder of result images by protocols, and compare it with a baseline (`tryon score`)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tryon.categories import ALL, SETTINGS, Category
from tryon.config.evaluate import EvaluateSettings
from tryon.config.parameters import load_parameters
from tryon.errors import MissingInputError, ParameterError, format_list
from tryon.runtime.atomic_files import write_json
from tryon.runtime.progress import Progress
from tryon.scoring.compare import Comparison, compare
from tryon.scoring.fingerprint import ReferenceHashes, fingerprint, short_fingerprint
from tryon.scoring.folder_source import METHOD, FolderSource, FolderTask, ShapeError
from tryon.scoring.image_folder import MAX_NAMED, ScoredPair, check_folder, format_size, read_results
from tryon.scoring.measure import Measurement, measure
from tryon.scoring.metric_availability import (
    AvailableMetrics,
    check_names,
    check_required,
    find_unavailable,
    load_metrics,
)
from tryon.scoring.metrics_table import method_table, new_notes, notes_to_list, small_sample_warnings
from tryon.scoring.protocols import PROTOCOLS, Protocol
from tryon.scoring.protocols.preprocessing import read_image
from tryon.scoring.references import synthetic_references, workspace_references
from tryon.scoring.row_scores import RowScores
from tryon.scoring.saved_scores import read_runs, runs_from_content
from tryon.scoring.synthetic_references import IMAGE_HASHES
from tryon.training.device import choose_accelerator, set_cpu_threads
from tryon.workspace import Workspace

WORKSPACE = "workspace"
SCHEMA = 2
DECIMALS = 8

Block = dict[str, Any]
"""The result of one protocol: `scores` by group, `unavailable`, `warnings`, `fingerprint`."""


@dataclass(frozen=True)
class ScoreRequest:
    """The options of `tryon score`.

    Args:
        protocols: names, or `all`.
        dataset: `workspace` or a frozen version of the synthetic data set.
        pairs_file: file of pair ids; only these are scored.
    """

    folder: Path
    protocols: tuple[str, ...]
    dataset: str
    setting: str
    categories: tuple[Category, ...]
    pairs_file: Path | None = None


def run(
    request: ScoreRequest, workspace: Workspace, baseline: Path | None, out: Path | None, progress: Progress
) -> tuple[dict[str, Any], Comparison | None]:
    """Score a folder, write the result, and compare it with a baseline.

    Args:
        workspace: its `params.yaml`, if present, configures the metrics.
        baseline: optional result file to compare with.
        out: optional file to write.

    Raises:
        TryOnError: see `score_folder`, or the baseline cannot be read.
    """
    baseline_runs = read_runs(baseline) if baseline else None
    configured = workspace.params_file.is_file()
    settings = load_parameters(workspace.params_file).evaluate if configured else EvaluateSettings()  # pyright: ignore[reportCallIssue]
    content = score_folder(request, settings, workspace, progress)
    if out is not None:
        write_json(out, content)
    return content, None if baseline_runs is None else compare(runs_from_content(content), baseline_runs)


def validate_request(request: ScoreRequest) -> None:
    """Reject unknown protocols, data sets and settings.

    Raises:
        ParameterError: a name is unknown.
    """
    choices = {
        "--protocol": (request.protocols, (*PROTOCOLS, ALL)),
        "--dataset": ((request.dataset,), (WORKSPACE, *IMAGE_HASHES)),
        "--setting": ((request.setting,), tuple(SETTINGS)),
    }
    for option, (names, valid) in choices.items():
        if unknown := [name for name in names if name not in valid]:
            raise ParameterError(
                f"unknown value of {option}", found=format_list(unknown), expected=f"one of {', '.join(valid)}"
            )


def score_folder(
    request: ScoreRequest, settings: EvaluateSettings, workspace: Workspace, progress: Progress
) -> dict[str, Any]:
    """Score a folder and return the content of the result file.

    Raises:
        ParameterError: an option has an unknown value.
        MissingInputError: result images are missing or unusable, or there is no ground truth.
        TryOnError: a metric of `evaluate.required_metrics` is unavailable.
    """
    validate_request(request)
    check_names(settings.required_metrics)
    check_folder(request.folder)
    device = choose_accelerator("evaluate", settings.accelerator)
    set_cpu_threads()
    workspace = workspace.with_weights(settings.metric_weights_dir)
    names = list(PROTOCOLS) if ALL in request.protocols else list(dict.fromkeys(request.protocols))
    protocols = [PROTOCOLS[name] for name in names]
    if request.dataset == WORKSPACE:
        references = workspace_references(workspace, request.setting)
    else:
        references = synthetic_references(request.dataset, request.setting, workspace.work_dir("score"), progress)
    pairs = select_pairs(references.pairs, request)
    results = read_results(request.folder, references.pairs, pairs, progress)
    task = FolderTask(request.setting, references, tuple(pairs), results)
    unavailable = {protocol.name: _find_unavailable(protocol, task, workspace) for protocol in protocols}
    _check_required(settings.required_metrics, protocols, unavailable)  # before anything is rendered or computed
    references.prepare(list(task.counts))
    blocks: dict[str, Block] = {}
    for protocol in protocols:
        reasons = unavailable[protocol.name]
        blocks[protocol.name] = _score_protocol(
            protocol, task, workspace, (device, settings.batch_size), reasons, progress
        )
    missing = {
        name: {note["metric"]: note["reason"] for note in block["unavailable"]} for name, block in blocks.items()
    }
    _check_required(settings.required_metrics, protocols, missing)
    return {
        "schema": SCHEMA,
        "dataset": request.dataset,
        "setting": request.setting,
        "results": {
            "n": len(pairs),
            "size": format_size(results.size),
            "format": results.format,
            "sha256": results.digest,
            "by_person": results.by_person,
        },
        "device": device,
        "protocols": blocks,
    }


def select_pairs(pairs: Sequence[ScoredPair], request: ScoreRequest) -> list[ScoredPair]:
    """Select the pairs of the requested categories and of `--pairs-file`.

    Raises:
        ParameterError: the file cannot be read, or lists pairs that are not in the test list.
        MissingInputError: no pair is selected.
    """
    selected = [pair for pair in pairs if pair.category in request.categories]
    categories = ", ".join(request.categories)
    if request.pairs_file is not None:
        try:
            names = set(request.pairs_file.read_text(encoding="utf-8-sig").split())
        except (OSError, UnicodeDecodeError) as error:
            raise ParameterError(f"--pairs-file {request.pairs_file} cannot be read", found=str(error)) from error
        if not names:
            raise ParameterError(f"--pairs-file {request.pairs_file} is empty", expected="one pair id per line")
        if unknown := sorted(names - {pair.pair_id for pair in pairs}):
            raise ParameterError(
                f"--pairs-file lists pairs that are not in the {request.setting} test list of {request.dataset}",
                found=format_list(unknown, MAX_NAMED),
            )
        if excluded := sorted(names - {pair.pair_id for pair in selected}):
            raise ParameterError(
                "--pairs-file lists pairs of categories that --category excludes",
                found=format_list(excluded, MAX_NAMED),
                expected=f"pairs of {categories}",
            )
        selected = [pair for pair in selected if pair.pair_id in names]
    if not selected:
        raise MissingInputError(f"data set {request.dataset} has no {request.setting} test pairs of {categories}")
    return selected


def _find_unavailable(protocol: Protocol, task: FolderTask, workspace: Workspace) -> dict[str, str]:
    """Find the metrics that cannot be computed, without reading ground truth."""
    size = {"any": None, "size": protocol.size, "rows": task.references.native_size}[protocol.sizes]
    if size is not None and task.results.size != size:
        reason = f"results are {format_size(task.results.size)}, and {protocol.name} requires {format_size(size)}"
        return {each.name: reason for each in protocol.metrics}
    first = read_image(next(iter(task.results.files.values())))
    min_side = min(protocol.result(first, task.results.format).pair.shape[:2])
    count = sum(pair.pair_id in task.references.pairs_with_truth for pair in task.pairs)
    no_truth = ""
    if count < len(task.pairs):
        no_truth = (
            f"{f'only {count}' if count else 'none'} of the {len(task.pairs)} pairs have a ground-truth image of that "
            "person in that garment, and a comparison with the person in other clothes is meaningless"
        )
    return find_unavailable(protocol, workspace, min_side, no_truth)


def _score_protocol(
    protocol: Protocol,
    task: FolderTask,
    workspace: Workspace,
    compute: tuple[str, int],
    reasons: dict[str, str],
    progress: Progress,
) -> Block:
    device, batch_size = compute
    available = AvailableMetrics(reasons=reasons)
    measurement = Measurement(protocol, task.setting, task.counts, available, RowScores(tuple(protocol.pair_keys())))
    measurement.references |= {
        category: ReferenceHashes({pair.pair_id for pair in task.pairs_of(category)}) for category in task.counts
    }
    try:
        if len(reasons) < len(protocol.metrics):
            available = load_metrics(protocol, workspace, device, reasons)
            source = FolderSource(protocol, task, batch_size, bool(available.measures), bool(available.extractors))
            measurement = measure(protocol, task.setting, source, available, workspace, progress)
    except ShapeError as error:
        available.reasons.update({each.name: str(error) for each in protocol.metrics})
    except MissingInputError as error:
        available.reasons.update({each.name: f"{protocol.reference} photos: {error}" for each in protocol.metrics})
    measurement.available = available
    unavailable, warnings = new_notes(), new_notes()
    table = method_table(measurement, METHOD, unavailable, DECIMALS)
    small_sample_warnings(measurement, warnings)
    size = task.results.size, task.results.format
    facts = fingerprint(protocol, task.setting, size, measurement.references, workspace)
    groups = measurement.groups
    return {
        "scores": {group: {"n": groups[group], **scores} for group, scores in table.items()},
        "unavailable": notes_to_list(unavailable, len(groups), "reason"),
        "warnings": notes_to_list(warnings, len(groups), "warning"),
        "deviations": _deviations(protocol, task),
        "fingerprint": facts,
        "short": short_fingerprint(facts),
    }


def _deviations(protocol: Protocol, task: FolderTask) -> list[str]:
    """List deviations of the results from the published protocol."""
    results, deviations = task.results, []
    if protocol.format not in (None, results.format):
        deviations.append(f"results are {results.format} files, not {protocol.format} as in the protocol")
    if protocol.size not in (None, results.size):
        deviations.append(
            f"results are {format_size(results.size)}, not {format_size(protocol.size)} as in the protocol"
        )
    if any(count != protocol.rows for count in task.counts.values()):
        deviations.append(f"not the protocol's {protocol.rows:,} pairs per category")
    return deviations


def _check_required(
    required: Sequence[str], protocols: Sequence[Protocol], unavailable: dict[str, dict[str, str]]
) -> None:
    reasons: dict[str, list[str]] = {}
    computed = {each.metric.name for protocol in protocols for each in protocol.metrics}
    for name in required:
        if name not in computed:
            reasons.setdefault(name, []).append("not part of the requested protocols")
    for protocol in protocols:
        for each in protocol.metrics:
            if reason := unavailable[protocol.name].get(each.name):
                for name in {each.name, each.metric.name} & set(required):
                    reasons.setdefault(name, []).append(f"{reason} ({protocol.name})")
    check_required(required, {name: "; ".join(dict.fromkeys(texts)) for name, texts in reasons.items()})
