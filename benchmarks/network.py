"""DAFlow compared with the published implementation: training step, inference, and memory.

    python -m benchmarks.network --height 512 --width 384 --rounds 3
    python -m benchmarks.network --device cuda --height 512 --width 384 --precisions fp32 bf16 --batches 1 4 8

Variants take turns on the same input; ratios are medians over rounds, which machine load affects less than times. Times
are CPU time on the CPU, and time until all work is done on a GPU. Two lower bounds of a step are printed as well: its
multiplications at the speed of one large convolution, and the bytes it must move (saved tensors written and read once,
weights read twice, gradients written once) at the speed of one large copy.
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

from benchmarks.published_network import use_published_implementation
from tryon.daflow import DAFlow, DAFlowConfig
from tryon.training.memory_budget import peak_on_cpu, peak_on_gpu


@dataclass(frozen=True)
class VariantConfig:
    """How a variant runs the network."""

    warp: str
    channels_last: bool = False  # `gather` does this itself
    compiled: bool = False

    def build(self, config: DAFlowConfig, device: torch.device) -> DAFlow:
        """Build the network, with the same weights for every variant."""
        torch.manual_seed(0)
        network = DAFlow(config).to(device)
        if self.channels_last:
            network = network.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
        return use_published_implementation(network) if self.warp == "published" else network.use_warp(self.warp)


VARIANTS = {
    "published": VariantConfig("published"),
    "reference": VariantConfig("reference"),
    "recompute": VariantConfig("recompute"),
    "recompute-last": VariantConfig("recompute", channels_last=True),
    "gather": VariantConfig("gather"),
    "published-last": VariantConfig("published", channels_last=True),
    "recompute-compiled": VariantConfig("recompute", compiled=True),
    "gather-compiled": VariantConfig("gather", compiled=True),
}
ON_CPU = ("published", "reference", "recompute", "gather")
ON_GPU = ("published", "published-last", "reference", "recompute", "recompute-last", "gather")
COLUMNS = ("step s", "faster", "img/s", "infer s", "faster", "saved MiB", "peak MiB", "max diff")
PRECISIONS = {"fp32": torch.float32, "bf16": torch.bfloat16}


@dataclass(frozen=True)
class Run:
    """Device, precision and images of a run."""

    device: torch.device
    precision: str
    images: tuple[Tensor, ...]

    def autocast(self) -> contextlib.AbstractContextManager[object]:
        if self.precision == "fp32":
            return contextlib.nullcontext()
        return torch.autocast(self.device.type, dtype=PRECISIONS[self.precision])

    def seconds(self, work: Callable[[], object]) -> float:
        """Measure CPU time of one call, or on a GPU the time until it is done."""
        if self.device.type != "cuda":
            start = time.process_time()
            work()
            return time.process_time() - start
        torch.cuda.synchronize()
        start = time.perf_counter()
        work()
        torch.cuda.synchronize()
        return time.perf_counter() - start


class Variant:
    """A variant of the network, and its measurements."""

    def __init__(self, name: str, config: DAFlowConfig, run: Run) -> None:
        variant = VARIANTS[name]
        self.name, self.run = name, run
        self.network = variant.build(config, run.device)
        self.compiled = torch.compile(self.network) if variant.compiled else self.network
        self.images = run.images
        if variant.channels_last:
            self.images = tuple(image.contiguous(memory_format=torch.channels_last) for image in run.images)
        self.steps: list[float] = []
        self.inferences: list[float] = []

    def losses(self) -> Tensor:
        with self.run.autocast():
            result, results = self.compiled(*self.images, all_scales=True)
        return torch.stack([scale.float().abs().mean() for scale in (*results, result)]).sum()

    def step(self) -> None:
        self.network.zero_grad()
        self.losses().backward()

    def infer(self) -> Tensor:
        with torch.no_grad(), self.run.autocast():  # compiled code does not always support inference mode
            return self.compiled(*self.images).float()

    def measure_memory(self) -> None:
        """Measure saved bytes, and peak bytes of a step excluding weights and gradients. Also warms up."""
        self.network.train()
        self.step()
        for parameter in self.network.parameters():
            parameter.grad = torch.zeros_like(parameter)
        self.saved = saved_for_backward(self.losses, self.network)
        self.peak = (peak_on_gpu if self.run.device.type == "cuda" else peak_on_cpu)(lambda: self.losses().backward())

    def round(self) -> None:
        self.network.train()
        self.steps.append(self.run.seconds(self.step))
        self.network.eval()
        self.inferences.append(self.run.seconds(self.infer))


def saved_for_backward(run: Callable[[], object], network: torch.nn.Module) -> int:
    """Measure the bytes of distinct tensors that autograd saves, excluding the network's parameters."""
    parameters = {parameter.untyped_storage().data_ptr() for parameter in network.parameters()}
    saved: dict[int, int] = {}

    def record(tensor: Tensor) -> Tensor:
        if not tensor.is_sparse_csr and tensor.untyped_storage().data_ptr() not in parameters:
            saved[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor.detach()  # the tensor itself would keep its graph alive

    with torch.autograd.graph.saved_tensors_hooks(record, lambda tensor: tensor):
        result = run()
    del result
    return sum(saved.values())


def lower_bounds(variant: Variant) -> str:
    """Format the lower bounds of a step with this variant's multiplications and saved bytes."""
    with FlopCounterMode(display=False) as counter:
        variant.step()
    weights = sum(parameter.numel() * parameter.element_size() for parameter in variant.network.parameters())
    operations, moved = counter.get_total_flops(), 2 * variant.saved + 3 * weights
    compute, bandwidth = convolution_speed(variant.run), copy_speed(variant.run)
    return (
        f"lower bounds of a step: {operations / 1e9:.0f} GFLOP at {compute / 1e9:.0f} GFLOP/s "
        f"{operations / compute:.3f} s, "
        f"{moved / 1e9:.2f} GB at {bandwidth / 1e9:.1f} GB/s {moved / bandwidth:.3f} s"
    )


def convolution_speed(run: Run) -> float:
    """Measure FLOP/s of a 3x3 layer with 256 channels, the network's most frequent one."""
    dtype, batch = PRECISIONS[run.precision], 8 if run.device.type == "cuda" else 1
    weight = torch.randn(256, 256, 3, 3, device=run.device, dtype=dtype)
    maps = torch.randn(batch, 256, 128, 96, device=run.device, dtype=dtype)
    weight, maps = (tensor.contiguous(memory_format=torch.channels_last) for tensor in (weight, maps))
    seconds = fastest(run, lambda: F.conv2d(maps, weight, padding=1))
    return 2 * 256 * 9 * maps.numel() / seconds


def copy_speed(run: Run) -> float:
    """Measure bytes per second of a copy, read and written."""
    source = torch.zeros(1 << 26, device=run.device)
    target = torch.ones_like(source)
    return 2 * 4 * source.numel() / fastest(run, lambda: target.copy_(source))


def fastest(run: Run, work: Callable[[], object]) -> float:
    """Return the seconds of the fastest of ten calls."""
    return min(run.seconds(work) for _ in range(10))


def compare_variants(names: Sequence[str], config: DAFlowConfig, run: Run, rounds: int) -> None:
    """Measure all variants in turn and print a table; the first one is the baseline."""
    variants: list[Variant] = []
    for name in names:
        try:
            variant = Variant(name, config, run)
            variant.measure_memory()
        except RuntimeError as error:  # out of memory, or not supported on this device
            print(f"{name}: {str(error).splitlines()[0]}")
            continue
        variants.append(variant)
        variant.network.zero_grad()
    batch, _, height, width = run.images[0].shape
    print(f"\n{batch} x {height}x{width}, {run.precision}, {run.device}, medians of {rounds} rounds")
    if not variants:
        return
    max_differences = differences(variants)
    for _ in range(rounds):
        for variant in variants:
            variant.round()
            variant.network.zero_grad()
    print(f"{'':16}" + "".join(f"{title:>10}" for title in COLUMNS))
    for variant, difference in zip(variants, max_differences, strict=True):
        step, inference = statistics.median(variant.steps), statistics.median(variant.inferences)
        print(
            f"{variant.name:16}{step:10.3f}{ratio(variants[0].steps, variant.steps):9.2f}x{batch / step:10.2f}"
            f"{inference:10.3f}{ratio(variants[0].inferences, variant.inferences):9.2f}x"
            f"{variant.saved / 2**20:10.0f}{variant.peak / 2**20:10.0f}{difference:10.1e}"
        )
    print(lower_bounds(variants[-1]))


def differences(variants: list[Variant]) -> list[float]:
    """Return the maximum difference of each variant's result from the baseline; in fp32 they agree."""
    for variant in variants:  # training steps updated the running statistics equally, up to rounding
        variant.network.eval()
    expected = variants[0].infer()
    result = [(variant.infer() - expected).abs().max().item() for variant in variants]
    if variants[0].run.precision == "fp32" and not torch.backends.cudnn.allow_tf32:
        assert max(result) < 1e-4, f"{result}"
    return result


def ratio(baseline: list[float], seconds: list[float]) -> float:
    """Return the median over rounds of the speedup over the baseline."""
    return statistics.median(a / b for a, b in zip(baseline, seconds, strict=True))


def options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--height", type=int, default=256)
    parser.add_argument("--width", type=int, default=192)
    parser.add_argument("--batches", type=int, nargs="+", default=[1])
    parser.add_argument("--precisions", choices=PRECISIONS, nargs="+", default=["fp32"])
    parser.add_argument("--variants", choices=VARIANTS, nargs="+", help="the first one is the baseline")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--tf32", action="store_true", help="allow TF32 on a GPU")
    parser.add_argument("--narrow", action="store_true", help="use the small network of the demo")
    return parser.parse_args()


def main() -> None:
    """Measure and print a table for every precision and batch size."""
    args = options()
    torch.set_num_threads(args.threads)
    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = args.tf32
    device = torch.device(args.device)
    config = DAFlowConfig.narrow() if args.narrow else DAFlowConfig()
    names = args.variants or (ON_GPU if args.device == "cuda" else ON_CPU)
    for precision, batch in itertools.product(args.precisions, args.batches):
        torch.manual_seed(1)
        shapes = ((batch, channels, args.height, args.width) for channels in (6, 3, 3))
        images = tuple((torch.rand(shape) * 2 - 1).to(device) for shape in shapes)
        compare_variants(names, config, Run(device, precision, images), args.rounds)
        gc.collect()


if __name__ == "__main__":
    main()
