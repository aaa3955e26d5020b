"""Run a stage by name, as the command line, the flows and `dvc.yaml` do.

Stages are imported when they run, so that other commands start without torch.
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

# Must be set before torch is loaded. By default OpenMP threads spin so long that training takes 40 times as long next
# to another busy program; with this value it takes 4 times as long, and an idle machine loses 3 %.
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

PER_CATEGORY = frozenset({"agnostic"})  # stages that run once per category


def run_stage(
    name: str, parameters: Parameters, workspace: Workspace, category: Category | None, progress: Progress
) -> StageResult:
    """Run one stage.

    Raises:
        ParameterError: the stage is unknown, or a category is missing or not supported.
        DiskError: there is not enough disk space.
        TryOnError: the stage failed.
    """
    if name not in STAGES:
        raise ParameterError("unknown stage", found=name, expected=f"one of {', '.join(STAGES)}")
    if category is None and name in PER_CATEGORY:
        raise ParameterError(f"stage {name} needs a category", expected=f"one of {', '.join(Category)}")
    if category is not None and name not in PER_CATEGORY:
        raise ParameterError(f"stage {name} takes no category", found=str(category))
    check_disk(name, parameters, workspace, category)
    return STAGES[name](parameters, workspace, category, progress)
