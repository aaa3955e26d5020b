"""Run a rank of a distributed training stage that another process started: `tryon <stage> --worker`.

Several GPUs in one machine: set `devices` in `params.yaml`; the stage launches its workers itself.

Several machines, each with the project, its `data/subset/` and its initial weights: set `num_nodes`, run the stage on
machine 0 and the worker command on the others, each with MASTER_ADDR and MASTER_PORT of machine 0 and its NODE_RANK:

    machine 0:  MASTER_ADDR=10.0.0.1 MASTER_PORT=29500 NODE_RANK=0 dvc repro finetune
    machine 1:  MASTER_ADDR=10.0.0.1 MASTER_PORT=29500 NODE_RANK=1 tryon finetune --worker

With torchrun, all machines run the same command; rank 0 is the stage, all others are workers:

    torchrun --nnodes 2 --nproc-per-node 4 --node-rank N --master-addr 10.0.0.1 -m tryon finetune

Only rank 0 writes checkpoints and outputs. Settings, inputs and code must be equal on all ranks; this is checked first.
"""

from __future__ import annotations

from tryon.child_process import exit_with_parent
from tryon.config.parameters import Parameters
from tryon.finetune.stage import run_finetune_worker
from tryon.pretrain.stage import run_pretrain_worker
from tryon.workspace import Workspace


def run_worker(stage: str, parameters: Parameters, workspace: Workspace) -> None:
    """Train as a worker rank until the stage is done; a TryOnError says what differs from the stage."""
    exit_with_parent()
    if stage == "pretrain":
        run_pretrain_worker(parameters.pretrain, parameters.seed, workspace)
    else:
        run_finetune_worker(parameters.finetune, parameters.seed, workspace)
