"""Lightning Fabric setup: device, precision and process group."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast

import torch
from lightning_fabric import Fabric
from lightning_fabric.plugins.environments.cluster_environment import ClusterEnvironment
from torch import Tensor, nn

from tryon.config.training import OptimizationSettings
from tryon.errors import MissingInputError, ParameterError
from tryon.training.device import choose_accelerator, set_cpu_threads
from tryon.training.distributed import SINGLE_PROCESS, DistributedContext


@contextmanager
def fabric_session(
    stage: str, settings: OptimizationSettings, context: DistributedContext = SINGLE_PROCESS
) -> Iterator[Fabric]:
    """Run `make_fabric` for a block, and destroy the process group afterwards."""
    fabric = make_fabric(stage, settings, context)
    try:
        yield fabric
    finally:
        if torch.distributed.is_initialized():
            torch.distributed.destroy_process_group()


def make_fabric(stage: str, settings: OptimizationSettings, context: DistributedContext = SINGLE_PROCESS) -> Fabric:
    """Launch Lightning Fabric, and wait for the other processes if there are any.

    Raises:
        ParameterError: too few GPUs, or a precision that the CPU does not support.
    """
    accelerator = choose_accelerator(stage, settings.accelerator)
    if accelerator == "cpu" and settings.precision == "16-mixed":
        raise ParameterError(
            f"{stage}.precision 16-mixed is not supported on the CPU", hint=f"Change {stage}.precision in params.yaml."
        )
    if accelerator == "cuda" and settings.devices > torch.cuda.device_count():
        raise ParameterError(
            f"{stage}.devices exceeds the number of GPUs",
            found=settings.devices,
            expected=f"at most {torch.cuda.device_count()}",
            hint=f"Change {stage}.devices in params.yaml.",
        )
    set_cpu_threads()
    use_ddp = context.world_size > 1 or settings.strategy == "ddp"
    fabric = Fabric(
        accelerator=accelerator,
        devices=settings.devices,
        num_nodes=settings.num_nodes,
        strategy="ddp" if use_ddp else "auto",
        precision=settings.precision,
        plugins=[_ExternalProcessEnvironment(context, settings.devices)] if use_ddp else None,
    )
    fabric.launch()
    return fabric


def assert_same_run(run_id: str, fabric: Fabric) -> None:
    """Raise MissingInputError unless all processes have the same run id, hashes of settings, inputs and code."""
    local_id = torch.tensor([int(part, 16) >> 1 for part in run_id.split("-")], device=fabric.device)
    gathered = cast(Tensor, fabric.all_gather(local_id))
    if not torch.equal(gathered, local_id.expand_as(gathered)):
        raise MissingInputError(
            "settings, data/subset, starting point or code differ between the processes of a run",
            hint="Bring project, params.yaml and data/ of all machines to one version (git pull, dvc pull).",
        )


class PrecisionWrapper(nn.Module):
    """Applies the training precision to a network without the DDP wrapper, for evaluation."""

    def __init__(self, fabric: Fabric, network: nn.Module) -> None:
        super().__init__()
        self.network, self._precision = network, fabric.strategy.precision

    def forward(self, *images: Tensor) -> Tensor:
        """Map float32 images to float32 results."""
        with self._precision.forward_context():
            result = self.network(*(self._precision.convert_input(image) for image in images))
        return result.float()


class _ExternalProcessEnvironment(ClusterEnvironment):
    """Cluster environment of processes that were started by the stage or torchrun."""

    def __init__(self, context: DistributedContext, devices: int) -> None:
        self.context, self.devices = context, devices

    @property
    def creates_processes_externally(self) -> bool:
        return True

    @property
    def main_address(self) -> str:
        return self.context.address

    @property
    def main_port(self) -> int:
        return self.context.port

    @staticmethod
    def detect() -> bool:
        return False

    def world_size(self) -> int:
        return self.context.world_size

    def set_world_size(self, size: int) -> None:
        assert size == self.context.world_size

    def global_rank(self) -> int:
        return self.context.rank

    def set_global_rank(self, rank: int) -> None:
        assert rank == self.context.rank

    def local_rank(self) -> int:
        return self.context.local_rank

    def node_rank(self) -> int:
        return self.context.rank // self.devices
