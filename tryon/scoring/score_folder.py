"""What `tryon score` does: from options to the content of its result file and the rows of its table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tryon.categories import Category
from tryon.config.evaluate import EvaluateSettings
from tryon.config.parameters import load_parameters
from tryon.errors import MissingInputError, ParameterError, TryOnError, format_list
from tryon.runtime.atomic_files import write_json
from tryon.runtime.progress import Progress
from tryon.scoring.compare_results import Comparison, compared, read_runs, runs_of
from tryon.scoring.measure import ScoringContext, ScoringTask
from tryon.scoring.metric_availability import check_names
from tryon.scoring.protocols import PROTOCOLS, Protocol
from tryon.scoring.references import SETTINGS, GroundTruthSource, synthetic_references, workspace_references
from tryon.scoring.result_folder import SHOWN, TestPair, check_folder, format_size, read_results
from tryon.scoring.score_protocol import Block, score_protocol, size_mismatch, unavailable
from tryon.scoring.synthetic_references import IMAGE_HASHES
from tryon.training.device import choose_accelerator, set_cpu_threads
from tryon.workspace import Workspace

EVERY = "all"
WORKSPACE = "workspace"
SCHEMA = 1


@dataclass(frozen=True)
class ScoreRequest:
    """The options.

    Args:
        folder: of result images.
        protocols: names, or `all`.
        dataset: `workspace` or a frozen twin.
        setting: paired or unpaired.
        categories: which are scored.
        pairs_file: file of pair ids that are scored alone.
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
    """Score a folder, write the result, and put it beside another one.

    Args:
        request: the options.
        workspace: its `params.yaml`, if there is one, says how metrics are computed.
        baseline: a file of another result; None for none.
        out: the file to write; None for none.
        progress: told images.

    Raises:
        TryOnError: as `score_folder`; or nothing of the two results can be compared, and the message says what differs.
    """
    others = read_runs(baseline) if baseline else None
    known = workspace.params_file.is_file()
    settings = load_parameters(workspace.params_file).evaluate if known else EvaluateSettings()  # pyright: ignore[reportCallIssue]
    content = score_folder(request, settings, workspace, progress)
    if out is not None:
        write_json(out, content)
    return content, compared(runs_of(content), others) if others is not None else None


def validate_request(order: ScoreRequest) -> None:
    """Stop on a name that there is not.

    Raises:
        ParameterError: there is one.
    """
    choices = {
        "--protocol": (order.protocols, (*PROTOCOLS, EVERY)),
        "--dataset": ((order.dataset,), (WORKSPACE, *IMAGE_HASHES)),
        "--setting": ((order.setting,), tuple(SETTINGS)),
    }
    for option, (given, known) in choices.items():
        unknown = [name for name in given if name not in known]
        if unknown:
            raise ParameterError(option, expected=f"is one of {', '.join(known)}", found=format_list(unknown))


def score_folder(
    request: ScoreRequest, settings: EvaluateSettings, workspace: Workspace, progress: Progress
) -> dict[str, Any]:
    """Score a folder; what `--out` writes.

    Raises:
        ParameterError: an option has a value that there is not.
        MissingInputError: the folder is not good, or there are no true images.
        TryOnError: a number of `evaluate.required_metrics` could not be computed.
    """
    validate_request(request)
    check_names(settings.required_metrics)
    check_folder(request.folder)
    device = choose_accelerator("evaluate", settings.accelerator)
    set_cpu_threads()
    workspace = workspace.with_weights(settings.metric_weights_dir)
    names = list(PROTOCOLS) if EVERY in request.protocols else list(dict.fromkeys(request.protocols))
    protocols = [PROTOCOLS[name] for name in names]
    references = _references(request, workspace, progress)
    wanted = select_pairs(references.lines, request)
    results = read_results(request.folder, references.lines, wanted, progress)
    task = ScoringTask(request.setting, references, tuple(wanted), results)
    bench = ScoringContext(workspace, device, settings.batch_size, progress)
    _check_required(
        settings.required_metrics,
        protocols,
        [size_mismatch(one, task) or unavailable(one, task, bench) for one in protocols],
    )
    references.prepare(task.categories)
    blocks = {one.name: score_protocol(one, task, bench) for one in protocols}
    _check_required(settings.required_metrics, protocols, [_told(blocks[one.name]) for one in protocols])
    return {
        "schema": SCHEMA,
        "dataset": request.dataset,
        "setting": request.setting,
        "results": {
            "n": len(wanted),
            "size": format_size(results.size),
            "format": results.format,
            "sha256": results.digest,
            "by_person": results.by_person,
        },
        "device": device,
        "protocols": blocks,
    }


def select_pairs(lines: Sequence[TestPair], order: ScoreRequest) -> list[TestPair]:
    """The lines that are scored: of the categories, and of the file that `--pairs-file` names.

    Raises:
        ParameterError: the file cannot be read, or names what is not among them.
        MissingInputError: no line is left.
    """
    wanted = [line for line in lines if line.category in order.categories]
    if order.pairs_file is not None:
        try:
            names = set(order.pairs_file.read_text(encoding="utf-8-sig").split())
        except (OSError, UnicodeDecodeError) as error:
            raise ParameterError("--pairs-file", expected="is a text file of pair ids", found=str(error)) from error
        unknown = sorted(names - {line.pair_id for line in lines})
        if unknown or not names:
            rule = f"names pairs of the {order.setting} test list of {order.dataset}, one a line; these are not in it"
            value = format_list(unknown, SHOWN) or "an empty file"
            raise ParameterError("--pairs-file", expected=rule, found=value)
        if elsewhere := sorted(names - {line.pair_id for line in wanted}):
            rule = f"names pairs of {', '.join(order.categories)} alone, as --category says; these are of another"
            raise ParameterError("--pairs-file", expected=rule, found=format_list(elsewhere, SHOWN))
        wanted = [line for line in wanted if line.pair_id in names]
    if not wanted:
        rule = f"has {order.setting} test pairs of {', '.join(order.categories)}"
        raise MissingInputError(f"the data set {order.dataset}", expected=rule)
    return wanted


def _references(order: ScoreRequest, workspace: Workspace, progress: Progress) -> GroundTruthSource:
    if order.dataset == WORKSPACE:
        return workspace_references(workspace, order.setting)
    return synthetic_references(order.dataset, order.setting, workspace.work_dir("score"), progress)


def _told(block: Block) -> dict[str, str]:
    return {entry["number"]: entry["reason"] for entry in block["unavailable"]}


def _check_required(required: Sequence[str], protocols: Sequence[Protocol], reasons: Sequence[dict[str, str]]) -> None:
    """Looked at twice: what is known to be missing stops the work before it begins, the rest before it is written."""
    asked = {number.metric.name for protocol in protocols for number in protocol.numbers}
    missing = [f"{name}: no protocol that was asked for has it" for name in required if name not in asked] + [
        f"{protocol.name} {number.name}: {own[number.name]}"
        for protocol, own in zip(protocols, reasons, strict=True)
        for number in protocol.numbers
        if number.name in own and {number.name, number.metric.name} & set(required)
    ]
    if missing:
        remedy = "Provide what is missing, or take the name out of evaluate.required_metrics in params.yaml."
        raise TryOnError(
            "numbers required by evaluate.required_metrics are unavailable", expected="; ".join(missing), hint=remedy
        )
