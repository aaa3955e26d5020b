"""What `tryon score` does: from options to the content of its result file and the rows of its table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tryon.categories import Category
from tryon.config.evaluate import EvaluateSettings
from tryon.config.parameters import load_parameters
from tryon.errors import MissingInputError, ParameterError, TryOnError, listed
from tryon.runtime.atomic_files import write_json
from tryon.runtime.progress import Progress
from tryon.scoring.compare_results import Comparison, compared, read_runs, runs_of
from tryon.scoring.measure import Bench, Task
from tryon.scoring.metric_availability import check_names
from tryon.scoring.protocols import PROTOCOLS, Protocol
from tryon.scoring.references import SETTINGS, References, twin_references, workspace_references
from tryon.scoring.result_folder import SHOWN, Line, check_folder, read_results, spelled
from tryon.scoring.score_protocol import Block, misfit, score, unavailable
from tryon.scoring.synthetic_references import PICTURE_HASHES
from tryon.training.device import choose_accelerator, set_cpu_threads
from tryon.workspace import Workspace

EVERY = "all"
HERE = "workspace"
SCHEMA = 1


@dataclass(frozen=True)
class Order:
    """The options.

    Args:
        folder: of result pictures.
        protocols: names, or `all`.
        dataset: `workspace` or a frozen twin.
        setting: paired or unpaired.
        categories: which are scored.
        only_listed: file of pair ids that are scored alone.
    """

    folder: Path
    protocols: tuple[str, ...]
    dataset: str
    setting: str
    categories: tuple[Category, ...]
    only_listed: Path | None = None


def run_order(
    order: Order, workspace: Workspace, against: Path | None, out: Path | None, progress: Progress
) -> tuple[dict[str, Any], Comparison | None]:
    """Score a folder, write the result, and put it beside another one.

    Args:
        order: the options.
        workspace: its `params.yaml`, if there is one, says how metrics are computed.
        against: a file of another result; None for none.
        out: the file to write; None for none.
        progress: told pictures.

    Raises:
        TryOnError: as `score_folder`; or nothing of the two results can be compared, and the message says what differs.
    """
    others = read_runs(against) if against else None
    known = workspace.params_file.is_file()
    settings = load_parameters(workspace.params_file).evaluate if known else EvaluateSettings()  # pyright: ignore[reportCallIssue]
    content = score_folder(order, settings, workspace, progress)
    if out is not None:
        write_json(out, content)
    return content, compared(runs_of(content), others) if others is not None else None


def check_order(order: Order) -> None:
    """Stop on a name that there is not.

    Raises:
        ParameterError: there is one.
    """
    choices = {
        "--protocol": (order.protocols, (*PROTOCOLS, EVERY)),
        "--dataset": ((order.dataset,), (HERE, *PICTURE_HASHES)),
        "--setting": ((order.setting,), tuple(SETTINGS)),
    }
    for option, (given, known) in choices.items():
        unknown = [name for name in given if name not in known]
        if unknown:
            raise ParameterError(option, rule=f"is one of {', '.join(known)}", value=listed(unknown))


def score_folder(order: Order, settings: EvaluateSettings, workspace: Workspace, progress: Progress) -> dict[str, Any]:
    """Score a folder; what `--out` writes.

    Raises:
        ParameterError: an option has a value that there is not.
        MissingInputError: the folder is not good, or there are no true pictures.
        TryOnError: a number of `evaluate.require` could not be computed.
    """
    check_order(order)
    check_names(settings.require)
    check_folder(order.folder)
    device = choose_accelerator("evaluate", settings.accelerator)
    set_cpu_threads()
    workspace = workspace.with_weights(settings.weights)
    names = list(PROTOCOLS) if EVERY in order.protocols else list(dict.fromkeys(order.protocols))
    protocols = [PROTOCOLS[name] for name in names]
    references = _references(order, workspace, progress)
    wanted = wanted_lines(references.lines, order)
    results = read_results(order.folder, references.lines, wanted, progress)
    task = Task(order.setting, references, tuple(wanted), results)
    bench = Bench(workspace, device, settings.batch_size, progress)
    _check_required(
        settings.require, protocols, [misfit(one, task) or unavailable(one, task, bench) for one in protocols]
    )
    references.prepare(task.categories)
    blocks = {one.name: score(one, task, bench) for one in protocols}
    _check_required(settings.require, protocols, [_told(blocks[one.name]) for one in protocols])
    return {
        "schema": SCHEMA,
        "dataset": order.dataset,
        "setting": order.setting,
        "results": {
            "n": len(wanted),
            "size": spelled(results.size),
            "format": results.format,
            "sha256": results.digest,
            "by_person": results.by_person,
        },
        "device": device,
        "protocols": blocks,
    }


def wanted_lines(lines: Sequence[Line], order: Order) -> list[Line]:
    """The lines that are scored: of the categories, and of the file that `--only-listed` names.

    Raises:
        ParameterError: the file cannot be read, or names what is not among them.
        MissingInputError: no line is left.
    """
    wanted = [line for line in lines if line.category in order.categories]
    if order.only_listed is not None:
        try:
            names = set(order.only_listed.read_text(encoding="utf-8-sig").split())
        except (OSError, UnicodeDecodeError) as error:
            raise ParameterError("--only-listed", rule="is a text file of pair ids", value=str(error)) from error
        unknown = sorted(names - {line.pair_id for line in lines})
        if unknown or not names:
            rule = f"names pairs of the {order.setting} test list of {order.dataset}, one a line; these are not in it"
            value = listed(unknown, SHOWN) or "an empty file"
            raise ParameterError("--only-listed", rule=rule, value=value)
        if elsewhere := sorted(names - {line.pair_id for line in wanted}):
            rule = f"names pairs of {', '.join(order.categories)} alone, as --category says; these are of another"
            raise ParameterError("--only-listed", rule=rule, value=listed(elsewhere, SHOWN))
        wanted = [line for line in wanted if line.pair_id in names]
    if not wanted:
        rule = f"has {order.setting} test pairs of {', '.join(order.categories)}"
        raise MissingInputError(f"the data set {order.dataset}", rule=rule)
    return wanted


def _references(order: Order, workspace: Workspace, progress: Progress) -> References:
    if order.dataset == HERE:
        return workspace_references(workspace, order.setting)
    return twin_references(order.dataset, order.setting, workspace.staging("score"), progress)


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
        remedy = "Provide what is missing, or take the name out of evaluate.require in params.yaml."
        raise TryOnError("numbers required by evaluate.require are unavailable", rule="; ".join(missing), remedy=remedy)
