"""Lightning Fabric as the settings want it: the device and the number format of training."""

from __future__ import annotations

from lightning_fabric import Fabric

from tryon.errors import ParameterError
from tryon.training.device import choose_accelerator, set_cpu_threads
from tryon.training.settings import OptimisationSettings


def make_fabric(stage: str, settings: OptimisationSettings) -> Fabric:
    """Start Lightning Fabric on one device as the settings say.

    Raises:
        ParameterError: a GPU is asked for and there is none, or the CPU cannot compute in that format.
    """
    accelerator = choose_accelerator(stage, settings.accelerator)
    if accelerator == "cpu" and settings.precision == "16-mixed":
        rule, remedy = "is 32-true or bf16-mixed on the CPU", f"Change {stage}.precision in params.yaml."
        raise ParameterError(f"{stage}.precision", rule=rule, value=settings.precision, remedy=remedy)
    set_cpu_threads()
    fabric = Fabric(accelerator=accelerator, devices=1, precision=settings.precision)
    fabric.launch()
    return fabric
