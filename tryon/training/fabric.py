"""Lightning Fabric as the settings want it: device, number format, and the other processes."""

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
    """`make_fabric` for a block; the connection to the other processes ends with it."""
    fabric = make_fabric(stage, settings, context)
    try:
        yield fabric
    finally:
        if torch.distributed.is_initialized():
            torch.distributed.destroy_process_group()


def make_fabric(stage: str, settings: OptimizationSettings, context: DistributedContext = SINGLE_PROCESS) -> Fabric:
    """Start Lightning Fabric as the settings say, and wait for the other processes if there are any.

    Raises:
        ParameterError: GPUs are asked for and there are none or too few, or the CPU cannot compute in that format.
    """
    accelerator = choose_accelerator(stage, settings.accelerator)
    if accelerator == "cpu" and settings.precision == "16-mixed":
        rule, remedy = "is not 16-mixed on the CPU", f"Change {stage}.precision in params.yaml."
        raise ParameterError(f"{stage}.precision", expected=rule, found=settings.precision, hint=remedy)
    if accelerator == "cuda" and settings.devices > torch.cuda.device_count():
        rule = f"is at most {torch.cuda.device_count()}, the GPUs here"
        remedy = f"Change {stage}.devices in params.yaml."
        raise ParameterError(f"{stage}.devices", expected=rule, found=settings.devices, hint=remedy)
    set_cpu_threads()
    several = context.world_size > 1 or settings.strategy == "ddp"
    fabric = Fabric(
        accelerator=accelerator,
        devices=settings.devices,
        num_nodes=settings.num_nodes,
        strategy="ddp" if several else "auto",
        precision=settings.precision,
        plugins=[_ExternalProcessEnvironment(context, settings.devices)] if several else None,
    )
    fabric.launch()
    return fabric


def assert_same_run(run_id: str, fabric: Fabric) -> None:
    """Stop when the processes that train together do not train the same.

    Args:
        run: this process's name of the run, from settings, seed, inputs and code.
        fabric: connects it with the others.

    Raises:
        MissingInputError: another process has another name.
    """
    runs = torch.tensor([int(part, 16) >> 1 for part in run_id.split("-")], device=fabric.device)
    found = cast(Tensor, fabric.all_gather(runs))
    if not torch.equal(found, runs.expand_as(found)):
        remedy = "Bring project, params.yaml and data/ of all machines to one version (git pull, dvc pull)."
        rule = "are the same for all processes that train together"
        raise MissingInputError("settings, data/subset, starting point and code", expected=rule, hint=remedy)


class PrecisionWrapper(nn.Module):
    """The network in the number format it is trained in, without the exchange between processes: for looking at it."""

    def __init__(self, fabric: Fabric, network: nn.Module) -> None:
        super().__init__()
        self.network, self._format = network, fabric.strategy.precision

    def forward(self, *images: Tensor) -> Tensor:
        """Float32 images in, float32 results out."""
        with self._format.forward_context():
            result = self.network(*(self._format.convert_input(image) for image in images))
        return result.float()


class _ExternalProcessEnvironment(ClusterEnvironment):
    """Tells Fabric that the processes run already, and which one this is."""

    def __init__(self, place: DistributedContext, devices: int) -> None:
        self.place, self.devices = place, devices

    @property
    def creates_processes_externally(self) -> bool:
        return True

    @property
    def main_address(self) -> str:
        return self.place.address

    @property
    def main_port(self) -> int:
        return self.place.port

    @staticmethod
    def detect() -> bool:
        return False

    def world_size(self) -> int:
        return self.place.world_size

    def set_world_size(self, size: int) -> None:
        assert size == self.place.world_size

    def global_rank(self) -> int:
        return self.place.rank

    def set_global_rank(self, rank: int) -> None:
        assert rank == self.place.rank

    def local_rank(self) -> int:
        return self.place.local_rank

    def node_rank(self) -> int:
        return self.place.rank // self.devices
