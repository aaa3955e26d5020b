"""Estimate the peak memory of training before the first step.

Activations and workspace grow linearly with the pixels of a batch, so they are measured in two steps on small random
images, on the device itself, and extrapolated to the size and batch of the run. The rest is computed: weights, their
gradients, two optimizer states and the EMA, and the frozen networks of the loss.
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

BatchShape = tuple[int, int, int]
"""Batch, height, width."""

GIB = 1 << 30

PROBE_SIDE = {"none": 32, "vgg": 128}
"""Minimum side of probe images; the frozen networks of the loss upsample smaller ones."""

CGROUP_FILES = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory.current"))
"""Limit and use of a container's memory in bytes (Linux cgroup v2)."""

MEMINFO = Path("/proc/meminfo")


@dataclass(frozen=True)
class MemoryModel:
    """Peak memory in bytes: `fixed + offset + slope * pixels of a batch`."""

    fixed: int
    offset: float
    slope: float

    def predict(self, shape: BatchShape) -> int:
        """Return the peak bytes for batches of this shape."""
        batch, height, width = shape
        return round(self.fixed + self.offset + self.slope * batch * height * width)


def check_memory(job: RunConfig, network: DAFlow, fabric: Fabric) -> None:
    """Raise ParameterError, suggesting settings that fit, if training exceeds the memory of the device."""
    model, free = estimate_memory(job, network, fabric), free_memory(fabric.device)
    if fabric.device.type == "cpu":
        free //= job.settings.devices
    needed = model.predict((job.settings.batch_size, *job.train.size))
    if needed > free:
        raise ParameterError(
            f"{job.stage}.batch_size {job.settings.batch_size} needs {needed / GIB:.2f} GiB of memory, "
            f"but {fabric.device} has {free / GIB:.2f} GiB free",
            hint=suggest_settings(job, lambda batch: model.predict((batch, *job.train.size)) <= free),
        )


def suggest_settings(job: RunConfig, fits: Callable[[int], bool]) -> str:
    """Suggest settings that fit; `fits` returns whether a batch size does."""
    batch, accumulation = job.settings.batch_size, job.settings.grad_accumulation_steps
    for size in range(batch - 1, 0, -1):
        if batch % size == 0 and fits(size):
            return (
                f"Set {job.stage}.batch_size to {size} and {job.stage}.grad_accumulation_steps to "
                f"{accumulation * batch // size}."
            )
    precision = "" if job.settings.precision == "bf16-mixed" else f"set {job.stage}.precision to bf16-mixed, "
    return f"Batch size 1 does not fit either: {precision}reduce image.size, or use a device with more memory."


def estimate_memory(job: RunConfig, network: DAFlow, fabric: Fabric) -> MemoryModel:
    """Fit the memory model of a run, leaving `network` unchanged."""
    probe = copy.deepcopy(network).to(fabric.device)
    fabric.strategy.precision.convert_module(probe)  # in place
    probe.train()
    if job.settings.freeze_bn_stats:
        freeze_bn_stats(probe)
    for parameter in probe.parameters():
        parameter.grad = torch.zeros_like(parameter)
    side = max(2 * network.config.side_multiple, PROBE_SIDE[job.settings.loss.perceptual])
    loss = Loss(job.settings.loss, job.perceptual).to(fabric.device)
    small, large = (peak_step_memory(probe, loss, fabric, (1, side, width)) for width in (side, 2 * side))
    slope = (large - small) / side**2
    return MemoryModel(batch_independent_bytes(probe, loss, job), small - slope * side**2, slope)


def batch_independent_bytes(network: DAFlow, loss: Loss, job: RunConfig) -> int:
    """Compute the bytes of all copies of the weights, and of the frozen networks of the loss."""
    weights = sum(_num_bytes(parameter) for parameter in network.parameters())
    buffers = sum(_num_bytes(buffer) for buffer in network.buffers())
    has_ema = job.settings.ema_decay is not None
    copies = 4 + has_ema + (job.settings.world_size > 1)  # DDP copies gradients to buckets
    networks = loss.perceptual.networks.values() if loss.perceptual else ()
    frozen = sum(_num_bytes(layer.weight) + _num_bytes(layer.bias) for vgg in networks for layer in vgg.layers)
    return copies * weights + (1 + has_ema) * buffers + frozen


def peak_step_memory(network: DAFlow, loss: Loss, fabric: Fabric, shape: BatchShape) -> int:
    """Measure the peak bytes of a forward and backward pass, excluding existing weights and gradients."""
    batch, height, width = shape

    def random_images(channels: int) -> Tensor:
        return torch.rand(batch, channels, height, width, device=fabric.device) * 2 - 1

    def step() -> None:
        person, mask = random_images(3), random_images(1) > 0
        convert = fabric.strategy.precision.convert_input
        with fabric.autocast(), loss.capturing_offsets(network) as offsets:
            inputs = (convert(random_images(channels)) for channels in (6, 3, 3))
            _, scales = network(*inputs, all_scales=True)
        loss([scale.float() for scale in scales], LossTargets(person, mask, mask), offsets).total.backward()

    on_gpu = fabric.device.type == "cuda"
    with torch.random.fork_rng([fabric.device] if on_gpu else []):  # by default it forks all GPUs, with a warning
        return peak_on_gpu(step) if on_gpu else peak_on_cpu(step)


def peak_on_gpu(work: Callable[[], None]) -> int:
    """Measure the peak bytes that `work` allocates, by the allocator's statistics."""
    work()  # libraries allocate workspace on first use
    before = torch.cuda.memory_allocated()
    torch.cuda.reset_peak_memory_stats()
    work()
    torch.cuda.synchronize()
    return torch.cuda.max_memory_allocated() - before


def peak_on_cpu(work: Callable[[], None]) -> int:
    """Measure the peak bytes that `work` allocates, by the storages of operator results."""
    with _StorageTracker() as tracker:
        work()
    return tracker.peak


class _StorageTracker(TorchDispatchMode):
    """Tracks the bytes of the storages that operators create, until they are freed."""

    def __init__(self) -> None:
        super().__init__()
        self.current, self.peak = 0, 0
        self._tracked: weakref.WeakSet[Any] = weakref.WeakSet()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        inputs = {id(storage) for storage in _storages((args, kwargs))}
        result = func(*args, **(kwargs or {}))
        for storage in _storages(result):
            if id(storage) not in inputs and storage not in self._tracked:
                self._tracked.add(storage)
                self.current += storage.nbytes()
                weakref.finalize(storage, self._release, storage.nbytes())
        self.peak = max(self.peak, self.current)
        return result

    def _release(self, size: int) -> None:
        self.current -= size


def free_memory(device: torch.device) -> int:
    """Return the free bytes of a GPU, or of this machine or container."""
    if device.type == "cuda":
        torch.cuda.empty_cache()
        return torch.cuda.mem_get_info(device)[0]
    lines = MEMINFO.read_text().splitlines() if MEMINFO.is_file() else []
    free = [int(line.split()[1]) << 10 for line in lines if line.startswith("MemAvailable")]
    values = [file.read_text().strip() for file in CGROUP_FILES if file.is_file()]
    if len(values) == len(CGROUP_FILES) and all(value.isdecimal() for value in values):
        free.append(int(values[0]) - int(values[1]))
    return min(free, default=1 << 62)  # unknown: no limit


def _num_bytes(tensor: Tensor) -> int:
    return tensor.numel() * tensor.element_size()


def _storages(values: Any) -> list[Any]:
    tensors = [value for value in tree_leaves(values) if isinstance(value, Tensor)]
    return [tensor.untyped_storage() for tensor in tensors if tensor.layout == torch.strided]
