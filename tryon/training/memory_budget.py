"""Will it fit: the memory that training takes at its peak, told from the settings before the first step.

What a step keeps and computes with grows with the pixels of a batch, so it is measured in two steps on small images
of nothing, on the device itself, and continued to the size and batch of the run. The rest is counted: the weights, once
more for gradients, twice for the optimizer, once for averaged weights; the frozen networks of the loss.
"""

from __future__ import annotations

import copy
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from lightning_fabric import Fabric
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from tryon.daflow import DAFlow
from tryon.errors import ParameterError
from tryon.training.losses import Loss, LossTargets
from tryon.training.optimizer import freeze_bn_stats
from tryon.training.run_config import RunConfig

ImageShape = tuple[int, int, int]
"""Batch, height, width."""

GIB = 1 << 30

PROBE_SIDE = {"none": 32, "vgg": 128}
"""Smallest side of the images that are measured; below it the frozen networks of the loss enlarge what they see."""


@dataclass(frozen=True)
class MemoryModel:
    """Bytes that training takes at its peak: `fixed`, and `slope` for each pixel of a batch beside `offset`."""

    fixed: int
    offset: float
    slope: float

    def predict(self, images: ImageShape) -> int:
        """Bytes for batches of this size."""
        batch, height, width = images
        return round(self.fixed + self.offset + self.slope * batch * height * width)


def check_memory(job: RunConfig, network: DAFlow, fabric: Fabric) -> None:
    """Stop when training would not fit into the memory of the device.

    Raises:
        ParameterError: naming the batch size that fits, with the accumulation that makes the same step of it.
    """
    needs, free = estimate_memory(job, network, fabric), free_memory(fabric.device)
    if fabric.device.type == "cpu":
        free //= job.settings.devices
    wanted = needs.predict((job.settings.batch_size, *job.train.size))
    if wanted <= free:
        return
    rule = f"training fits into the {free / GIB:.2f} GiB that are free on {fabric.device}; it takes {wanted / GIB:.2f}"
    remedy = suggest_settings(job, lambda batch: needs.predict((batch, *job.train.size)) <= free)
    raise ParameterError(f"{job.stage}.batch_size", expected=rule, found=job.settings.batch_size, hint=remedy)


def suggest_settings(job: RunConfig, fits: Callable[[int], bool]) -> str:
    """What to change so that training fits, in words; `fits` tells of a batch size whether it does."""
    batch, accumulate = job.settings.batch_size, job.settings.grad_accumulation_steps
    smaller = [size for size in range(batch - 1, 0, -1) if batch % size == 0 and fits(size)]
    if smaller:
        return f"Set {job.stage}.batch_size to {smaller[0]} and accumulate to {accumulate * batch // smaller[0]}."
    spare = "" if job.settings.precision == "bf16-mixed" else f"set {job.stage}.precision to bf16-mixed, "
    return f"Not even single pairs fit: {spare}make image.size smaller, or take a device with more memory."


def estimate_memory(job: RunConfig, network: DAFlow, fabric: Fabric) -> MemoryModel:
    """Bytes at the peak of a training step as a function of the batch.

    Args:
        job: what is trained and how.
        network: as it will be trained; it is left as it is.
        fabric: says on what device and in what number format.
    """
    ghost = copy.deepcopy(network).to(fabric.device)
    fabric.strategy.precision.convert_module(ghost)  # in place
    ghost.train()
    if job.settings.freeze_bn_stats:
        freeze_bn_stats(ghost)
    for parameter in ghost.parameters():
        parameter.grad = torch.zeros_like(parameter)
    side = max(2 * network.config.side_multiple, PROBE_SIDE[job.settings.loss.perceptual])
    small, large = (1, side, side), (1, side, 2 * side)
    loss = Loss(job.settings.loss, job.perceptual).to(fabric.device)
    first, second = (peak_step_memory(ghost, loss, fabric, images) for images in (small, large))
    slope = (second - first) / side**2
    return MemoryModel(batch_independent_bytes(ghost, loss, job), first - slope * side**2, slope)


def batch_independent_bytes(network: DAFlow, loss: Loss, job: RunConfig) -> int:
    """Bytes that do not depend on the batch: copies of the weights, and the frozen networks of the loss."""
    weights = sum(_bytes(parameter) for parameter in network.parameters())
    buffers = sum(_bytes(buffer) for buffer in network.buffers())
    copies = 4 + (job.settings.ema_decay is not None) + (job.settings.world_size > 1)  # DDP has gradients in buckets
    networks = loss.perceptual.networks.values() if loss.perceptual else ()
    frozen = sum(_bytes(layer.weight) + _bytes(layer.bias) for own in networks for layer in own.layers)
    return copies * weights + (1 + (job.settings.ema_decay is not None)) * buffers + frozen


def peak_step_memory(network: DAFlow, loss: Loss, fabric: Fabric, images: ImageShape) -> int:
    """Bytes that a forward and a backward pass take at their peak, beside weights and gradients that are there."""

    def step() -> None:
        batch, height, width = images
        person, mask = _image(batch, 3, height, width), _image(batch, 1, height, width) > 0
        convert = fabric.strategy.precision.convert_input
        with fabric.autocast(), loss.capturing_offsets(network) as offsets:
            given = (convert(_image(batch, channels, height, width)) for channels in (6, 3, 3))
            _, scales = network(*given, all_scales=True)
        loss([scale.float() for scale in scales], LossTargets(person, mask, mask), offsets).total.backward()

    def _image(*shape: int) -> Tensor:
        return torch.rand(shape, device=fabric.device) * 2 - 1

    on_gpu = fabric.device.type == "cuda"
    with torch.random.fork_rng([fabric.device] if on_gpu else []):  # by default of all GPUs there are, with a warning
        return peak_on_gpu(step) if on_gpu else peak_on_cpu(step)


def _bytes(tensor: Tensor) -> int:
    return tensor.numel() * tensor.element_size()


CGROUP_FILES = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory.current"))
"""Limit and use of a container's memory in bytes (Linux cgroup v2)."""

MEMINFO = Path("/proc/meminfo")


def peak_on_gpu(work: Callable[[], None]) -> int:
    """Most bytes that tensors took at once while `work` ran, beyond those before it, by the allocator's own count."""
    work()  # libraries take their own share the first time
    before = torch.cuda.memory_allocated()
    torch.cuda.reset_peak_memory_stats()
    work()
    torch.cuda.synchronize()
    return torch.cuda.max_memory_allocated() - before


def peak_on_cpu(work: Callable[[], None]) -> int:
    """The same on the CPU, where no allocator counts: by the storages of what operations return."""
    with _Storages() as storages:
        work()
    return storages.peak


class _Storages(TorchDispatchMode):
    """Watches the storages that operations make until nothing refers to them any more."""

    def __init__(self) -> None:
        super().__init__()
        self.now, self.peak = 0, 0
        self._known: weakref.WeakSet[Any] = weakref.WeakSet()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        given = {id(storage) for storage in _storages((args, kwargs))}
        result = func(*args, **(kwargs or {}))
        for storage in _storages(result):
            if id(storage) not in given and storage not in self._known:
                self._known.add(storage)
                self.now += storage.nbytes()
                weakref.finalize(storage, self._gone, storage.nbytes())
        self.peak = max(self.peak, self.now)
        return result

    def _gone(self, size: int) -> None:
        self.now -= size


def free_memory(device: torch.device) -> int:
    """Bytes that a device has to give: a GPU's free ones, or those of this machine or container."""
    if device.type == "cuda":
        torch.cuda.empty_cache()
        return torch.cuda.mem_get_info(device)[0]
    lines = MEMINFO.read_text().splitlines() if MEMINFO.is_file() else []
    found = [int(line.split()[1]) << 10 for line in lines if line.startswith("MemAvailable")]
    limits = [file.read_text().strip() for file in CGROUP_FILES if file.is_file()]
    if len(limits) == len(CGROUP_FILES) and all(limit.isdecimal() for limit in limits):
        found.append(int(limits[0]) - int(limits[1]))
    return min(found, default=1 << 62)  # where the system does not tell, nothing is refused


def _storages(values: Any) -> list[Any]:
    tensors = [value for value in tree_leaves(values) if isinstance(value, Tensor)]
    return [tensor.untyped_storage() for tensor in tensors if tensor.layout == torch.strided]
