"""A process that trains along and leaves nothing behind: `tryon pretrain --worker` and `tryon finetune --worker`.

Several GPUs in one machine: `devices` in `params.yaml`; the stage starts its workers itself.

Several machines, each with the project, its `data/subset/` and its starting point: set `num_nodes`, run the stage on
machine 0 and the worker command on the others, everywhere with MASTER_ADDR and MASTER_PORT set to where machine 0
can be reached, and NODE_RANK to the number of the machine:

    machine 0:  MASTER_ADDR=10.0.0.1 MASTER_PORT=29500 NODE_RANK=0 dvc repro finetune
    machine 1:  MASTER_ADDR=10.0.0.1 MASTER_PORT=29500 NODE_RANK=1 tryon finetune --worker

With torchrun, every machine runs the same; the process of rank 0 is the stage, all others are workers:

    torchrun --nnodes 2 --nproc-per-node 4 --node-rank N --master-addr 10.0.0.1 -m tryon finetune

Only rank 0 writes states and outputs. Settings, inputs and code must be equal everywhere, which is checked first.
"""

from __future__ import annotations

from tryon.child_process import exit_with_parent
from tryon.config.parameters import Parameters
from tryon.finetune.stage import run_finetune_worker
from tryon.pretrain.stage import run_pretrain_worker
from tryon.workspace import Workspace


def run_worker(stage: str, parameters: Parameters, workspace: Workspace) -> None:
    """Train along with the stage that runs elsewhere, until it is done.

    Raises:
        ParameterError: this process has no place among those that the settings speak of.
        TryOnError: whatever the stage finds wrong, or settings, inputs or code differ from the stage's.
    """
    exit_with_parent()
    if stage == "pretrain":
        run_pretrain_worker(parameters.pretrain, parameters.seed, workspace)
    else:
        run_finetune_worker(parameters.finetune, parameters.seed, workspace)
