"""The six stages by name: what the command line, the flows and `dvc.yaml` call, each with the settings it takes.

Stages are imported when they run, so that the commands that need no torch start without it.
"""

from __future__ import annotations

import os
from collections.abc import Callable

from tryon.categories import Category
from tryon.config.parameters import Parameters
from tryon.errors import ParameterError
from tryon.pipeline.disk_space import check_disk
from tryon.runtime.progress import Progress
from tryon.runtime.stage_result import StageResult
from tryon.workspace import Workspace

# Set before torch is loaded: its threads wait for each other in a loop, by default for so long that training beside
# another busy program takes 40 times its time. With this it takes 4 times as long, and an idle machine loses 3 %.
os.environ.setdefault("GOMP_SPINCOUNT", "2000")

Stage = Callable[[Parameters, Workspace, Category | None, Progress], StageResult]


def _download(parameters: Parameters, workspace: Workspace, _: Category | None, progress: Progress) -> StageResult:
    from tryon.download.stage import download

    return download(parameters.download, parameters.seed, workspace, progress)


def _agnostic(
    parameters: Parameters, workspace: Workspace, category: Category | None, progress: Progress
) -> StageResult:
    from tryon.agnostic.stage import agnostic

    assert category is not None
    return agnostic(category, parameters.agnostic, parameters.image.size, workspace, progress)


def _sample(parameters: Parameters, workspace: Workspace, _: Category | None, progress: Progress) -> StageResult:
    from tryon.sample.stage import sample

    return sample(parameters.sample, parameters.seed, parameters.image.size, workspace, progress)


def _pretrain(parameters: Parameters, workspace: Workspace, _: Category | None, progress: Progress) -> StageResult:
    from tryon.pretrain.stage import pretrain

    return pretrain(parameters.pretrain, parameters.seed, workspace, progress)


def _finetune(parameters: Parameters, workspace: Workspace, _: Category | None, progress: Progress) -> StageResult:
    from tryon.finetune.stage import finetune

    return finetune(parameters.finetune, parameters.seed, workspace, progress)


def _evaluate(parameters: Parameters, workspace: Workspace, _: Category | None, progress: Progress) -> StageResult:
    from tryon.evaluate.stage import evaluate

    return evaluate(parameters.evaluate, parameters.seed, workspace, progress)


STAGES: dict[str, Stage] = {
    "download": _download,
    "agnostic": _agnostic,
    "sample": _sample,
    "pretrain": _pretrain,
    "finetune": _finetune,
    "evaluate": _evaluate,
}

PER_CATEGORY = frozenset({"agnostic"})
"""Stages that run once for each category."""


def run_stage(
    name: str, parameters: Parameters, workspace: Workspace, category: Category | None, progress: Progress
) -> StageResult:
    """Run one stage.

    Raises:
        ParameterError: there is no such stage, or a category is missing or given in vain.
        DiskError: there is no room for what it will write.
        TryOnError: whatever the stage finds wrong.
    """
    if name not in STAGES:
        raise ParameterError("stage", expected=f"is one of {', '.join(STAGES)}", found=name)
    if (category is not None) != (name in PER_CATEGORY):
        rule = f"names one of {', '.join(Category)}" if name in PER_CATEGORY else "takes no category"
        raise ParameterError(f"stage {name}", expected=rule, found=category)
    check_disk(name, parameters, workspace, category)
    return STAGES[name](parameters, workspace, category, progress)
