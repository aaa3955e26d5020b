"""The network as published beside ours: one training step, inference, peak memory and the memory kept for backward.

    python -m benchmarks.network --height 512 --width 384 --rounds 3
    python -m benchmarks.network --device cuda --height 512 --width 384 --precisions fp32 bf16 --batches 1 4 8

The ways take turns on the same item; ratios are medians of the rounds' ratios, so a busy machine harms them less than
it harms the times. On the CPU the times are CPU time; on a GPU, time until all its work is done. Beside them stand two
floors of a step: its multiplications at the speed of one large convolution, and the bytes it cannot but move (what is
kept written and read once, weights read twice, gradients written once) at the speed of one large copy.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import itertools
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.published_network import in_the_published_way
from tryon.daflow import DAFlow, DAFlowConfig
from tryon.training.memory_budget import peak_on_cpu, peak_on_gpu


@dataclass(frozen=True)
class Way:
    """One way to run the network."""

    warp: str
    channels_last: bool = False  # `gather` lays its images so by itself
    compiled: bool = False

    def built(self, config: DAFlowConfig, device: torch.device) -> DAFlow:
        """The same weights for every way."""
        torch.manual_seed(0)
        network = DAFlow.from_config(config).to(device)
        if self.channels_last:
            network = network.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
        return in_the_published_way(network) if self.warp == "published" else network.use_warp(self.warp)


WAYS = {
    "published": Way("published"),
    "reference": Way("reference"),
    "recompute": Way("recompute"),
    "recompute-last": Way("recompute", channels_last=True),
    "gather": Way("gather"),
    "published-last": Way("published", channels_last=True),
    "recompute-compiled": Way("recompute", compiled=True),
    "gather-compiled": Way("gather", compiled=True),
}
ON_CPU = ("published", "reference", "recompute", "gather")
ON_GPU = ("published", "published-last", "reference", "recompute", "recompute-last", "gather")
COLUMNS = ("step s", "faster", "img/s", "infer s", "faster", "kept MiB", "peak MiB", "apart")
PRECISIONS = {"fp32": torch.float32, "bf16": torch.bfloat16}


@dataclass(frozen=True)
class Run:
    """What is run: on which device, in which number format, on which images."""

    device: torch.device
    precision: str
    images: tuple[Tensor, ...]

    def autocast(self) -> contextlib.AbstractContextManager[object]:
        if self.precision == "fp32":
            return contextlib.nullcontext()
        return torch.autocast(self.device.type, dtype=PRECISIONS[self.precision])

    def seconds(self, work: Callable[[], object]) -> float:
        """CPU time of one run, so that other work on the machine does not count; on a GPU until it is done."""
        if self.device.type != "cuda":
            start = time.process_time()
            work()
            return time.process_time() - start
        torch.cuda.synchronize()
        start = time.perf_counter()
        work()
        torch.cuda.synchronize()
        return time.perf_counter() - start


class Contestant:
    """One way to run the network, and what it took."""

    def __init__(self, name: str, config: DAFlowConfig, run: Run) -> None:
        way = WAYS[name]
        self.name, self.run = name, run
        self.network = way.built(config, run.device)
        self.called = torch.compile(self.network) if way.compiled else self.network
        self.images = run.images
        if way.channels_last:
            self.images = tuple(one.contiguous(memory_format=torch.channels_last) for one in run.images)
        self.steps: list[float] = []
        self.inferences: list[float] = []

    def losses(self) -> Tensor:
        with self.run.autocast():
            result, results = self.called(*self.images, all_scales=True)
        return torch.stack([scale.float().abs().mean() for scale in (*results, result)]).sum()

    def step(self) -> None:
        self.network.zero_grad()
        self.losses().backward()

    def infer(self) -> Tensor:
        with torch.no_grad(), self.run.autocast():  # compiled code does not take inference mode everywhere
            return self.called(*self.images).float()

    def measure_memory(self) -> None:
        """Bytes kept for backward, and at the peak of a step beside weights and gradients. Also warms up."""
        self.network.train()
        self.step()
        for parameter in self.network.parameters():
            parameter.grad = torch.zeros_like(parameter)
        self.kept = kept_for_backward(self.losses, self.network)
        self.peak = (peak_on_gpu if self.run.device.type == "cuda" else peak_on_cpu)(lambda: self.losses().backward())

    def round(self) -> None:
        self.network.train()
        self.steps.append(self.run.seconds(self.step))
        self.network.eval()
        self.inferences.append(self.run.seconds(self.infer))


def kept_for_backward(run: Callable[[], object], network: torch.nn.Module) -> int:
    """Bytes of the distinct tensors that autograd keeps, the network's parameters and views of them aside."""
    known = {parameter.untyped_storage().data_ptr() for parameter in network.parameters()}
    kept: dict[int, int] = {}

    def note(tensor: Tensor) -> Tensor:
        if not tensor.is_sparse_csr and tensor.untyped_storage().data_ptr() not in known:
            kept[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor.detach()  # the tensor itself would hold its own graph, for ever

    with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        held = run()
    del held
    return sum(kept.values())


def floors(one: Contestant) -> str:
    """What no way with this network's multiplications and kept bytes can beat, in words."""
    with FlopCounterMode(display=False) as counter:
        one.step()
    weights = sum(parameter.numel() * parameter.element_size() for parameter in one.network.parameters())
    operations, moved = counter.get_total_flops(), 2 * one.kept + 3 * weights
    compute, bandwidth = convolution_speed(one.run), copy_speed(one.run)
    return (
        f"floors of a step: {operations / 1e9:.0f} GFLOP at {compute / 1e9:.0f} GFLOP/s {operations / compute:.3f} s, "
        f"{moved / 1e9:.2f} GB at {bandwidth / 1e9:.1f} GB/s {moved / bandwidth:.3f} s"
    )


def convolution_speed(run: Run) -> float:
    """Operations a second of a 3x3 layer, 256 to 256 channels, the network's most frequent one."""
    dtype, batch = PRECISIONS[run.precision], 8 if run.device.type == "cuda" else 1
    weight = torch.randn(256, 256, 3, 3, device=run.device, dtype=dtype)
    maps = torch.randn(batch, 256, 128, 96, device=run.device, dtype=dtype)
    weight, maps = (tensor.contiguous(memory_format=torch.channels_last) for tensor in (weight, maps))
    took = fastest(run, lambda: F.conv2d(maps, weight, padding=1))
    return 2 * 256 * 9 * maps.numel() / took


def copy_speed(run: Run) -> float:
    """Bytes a second of a copy, read and written."""
    source = torch.zeros(1 << 26, device=run.device)
    target = torch.ones_like(source)
    return 2 * 4 * source.numel() / fastest(run, lambda: target.copy_(source))


def fastest(run: Run, work: Callable[[], object]) -> float:
    """Seconds of the fastest of ten."""
    return min(run.seconds(work) for _ in range(10))


def contest(names: Sequence[str], config: DAFlowConfig, run: Run, rounds: int) -> None:
    """Measure every way in turn and print one table. The first is what the others are compared with."""
    contestants: list[Contestant] = []
    for name in names:
        try:
            one = Contestant(name, config, run)
            one.measure_memory()
        except RuntimeError as error:  # does not fit, or not made for this device
            print(f"{name}: {str(error).splitlines()[0]}")
            continue
        contestants.append(one)
        one.network.zero_grad()
    batch, _, height, width = run.images[0].shape
    print(f"\n{batch} x {height}x{width}, {run.precision}, {run.device}, medians of {rounds} rounds")
    if not contestants:
        return
    apart = differences(contestants)
    for _ in range(rounds):
        for one in contestants:
            one.round()
            one.network.zero_grad()
    print(f"{'':16}" + "".join(f"{title:>10}" for title in COLUMNS))
    for one, difference in zip(contestants, apart, strict=True):
        step, inference = statistics.median(one.steps), statistics.median(one.inferences)
        print(
            f"{one.name:16}{step:10.3f}{ratio(contestants[0].steps, one.steps):9.2f}x{batch / step:10.2f}"
            f"{inference:10.3f}{ratio(contestants[0].inferences, one.inferences):9.2f}x"
            f"{one.kept / 2**20:10.0f}{one.peak / 2**20:10.0f}{difference:10.1e}"
        )
    print(floors(contestants[-1]))


def differences(contestants: list[Contestant]) -> list[float]:
    """How far each way's result is from the first one's; in fp32 they agree."""
    for one in contestants:  # a training step moved the running statistics of each alike, up to rounding
        one.network.eval()
    expected = contestants[0].infer()
    apart = [(one.infer() - expected).abs().max().item() for one in contestants]
    if contestants[0].run.precision == "fp32" and not torch.backends.cudnn.allow_tf32:
        assert max(apart) < 1e-4, f"{apart}"
    return apart


def ratio(first: list[float], other: list[float]) -> float:
    """Median over the rounds of how many times faster `other` was."""
    return statistics.median(a / b for a, b in zip(first, other, strict=True))


def options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--height", type=int, default=256)
    parser.add_argument("--width", type=int, default=192)
    parser.add_argument("--batches", type=int, nargs="+", default=[1])
    parser.add_argument("--precisions", choices=PRECISIONS, nargs="+", default=["fp32"])
    parser.add_argument("--ways", choices=WAYS, nargs="+", help="the first is what the others are compared with")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--tf32", action="store_true", help="let a GPU round what fp32 multiplies")
    parser.add_argument("--narrow", action="store_true", help="the small network of the demo, not the published one")
    return parser.parse_args()


def main() -> None:
    """Measure and print a table for every precision and batch size."""
    chosen = options()
    torch.set_num_threads(chosen.threads)
    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = chosen.tf32
    device = torch.device(chosen.device)
    config = DAFlowConfig.narrow() if chosen.narrow else DAFlowConfig()
    names = chosen.ways or (ON_GPU if chosen.device == "cuda" else ON_CPU)
    for precision, batch in itertools.product(chosen.precisions, chosen.batches):
        torch.manual_seed(1)
        shapes = ((batch, channels, chosen.height, chosen.width) for channels in (6, 3, 3))
        images = tuple((torch.rand(shape) * 2 - 1).to(device) for shape in shapes)
        contest(names, config, Run(device, precision, images), chosen.rounds)
        gc.collect()


if __name__ == "__main__":
    main()
