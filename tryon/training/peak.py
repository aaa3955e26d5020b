"""Memory as it is: the peak while something runs, and what a device has left to give."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

MEMORY_FILES = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory.current"))
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
    limits = [file.read_text().strip() for file in MEMORY_FILES if file.is_file()]
    if len(limits) == len(MEMORY_FILES) and all(limit.isdecimal() for limit in limits):
        found.append(int(limits[0]) - int(limits[1]))
    return min(found, default=1 << 62)  # where the system does not tell, nothing is refused


def _storages(values: Any) -> list[Any]:
    tensors = [value for value in tree_leaves(values) if isinstance(value, Tensor)]
    return [tensor.untyped_storage() for tensor in tensors if tensor.layout == torch.strided]
