"""All measurements that need a GPU, in one command.

    python -m benchmarks.gpu
    python -m benchmarks.gpu --precisions bf16 --batches 4 --rounds 5 --compiled

1. `benchmarks.network` on the GPU for every warp, with and without channels-last, and for the published
   implementation. The fastest warp is the default in `tryon.daflow.warp.select_warp`.
2. A training step with the settings of the full run: transfer to the device, network, loss with its frozen networks
   (random weights of the published shapes), clipping, AdamW. For each precision its time, and the peak memory compared
   with the estimate of `tryon.training.memory_budget`.

`--device cpu --narrow` runs both without a GPU, as a test. TF32 has torch's default, convolutions only; `--exact`
disables it, and fp32 results are then compared to 1e-4.
"""

from __future__ import annotations

import argparse
import gc
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import Tensor

from benchmarks.loss import PlainVgg
from benchmarks.network import ON_GPU, PRECISIONS, Run, compare_variants
from tryon.config.training import FinetuneSettings
from tryon.daflow import DAFlow, DAFlowConfig
from tryon.loading.batch_loader import Batch
from tryon.loading.packed_dataset import PackedDataset
from tryon.loading.transforms import prepare
from tryon.training.fabric_setup import make_fabric
from tryon.training.losses import Loss, LossTargets, Perceptual
from tryon.training.losses.perceptual_terms import LPIPS_SCALE, LPIPS_SHIFT
from tryon.training.losses.vgg import WIDTHS, FrozenVgg
from tryon.training.memory_budget import estimate_memory, peak_on_cpu, peak_on_gpu
from tryon.training.optimizer import make_optimizer
from tryon.training.run_config import RunConfig

COMPILED = ("recompute-compiled", "gather-compiled")
MIXED = {"fp32": "32-true", "bf16": "bf16-mixed"}
"""Values of `finetune.precision`."""

MIB = 2**20


@dataclass(frozen=True)
class Plan:
    """Settings of a benchmark.

    Args:
        device: `cuda` or `cpu`.
        size: height and width of the images.
        rounds: number of measurements.
        config: of the network.
    """

    device: torch.device
    size: tuple[int, int]
    rounds: int
    config: DAFlowConfig

    def images(self, batch: int) -> tuple[Tensor, ...]:
        """Return random reference, garment and agnostic images in [-1, 1]."""
        torch.manual_seed(1)
        return tuple((torch.rand(batch, channels, *self.size) * 2 - 1).to(self.device) for channels in (6, 3, 3))

    def batch(self, count: int) -> Batch:
        """Return a random batch of bytes on the host."""
        torch.manual_seed(1)
        person, garment, pose = torch.randint(0, 256, (3, count, 3, *self.size), dtype=torch.uint8)
        mask, garment_mask = torch.rand(2, count, 1, *self.size) < 0.5
        return Batch(("pair",) * count, (), person, garment, pose, mask, garment_mask, torch.arange(count) % 2 == 1)


class TrainingStep:
    """A step of fine-tuning, without a data set."""

    def __init__(self, plan: Plan, settings: FinetuneSettings, perceptual: Perceptual | None) -> None:
        self.settings = settings
        self.fabric = make_fabric("finetune", settings)
        torch.manual_seed(0)
        self.network = DAFlow(plan.config)
        rows = cast(PackedDataset, None)  # no row is read
        self.estimate = estimate_memory(
            RunConfig("finetune", settings, 0, "", "", rows, rows, perceptual=perceptual), self.network, self.fabric
        )
        module: Any = torch.compile(self.network) if settings.compile else self.network
        self.module, self.optimizer = self.fabric.setup(module, make_optimizer(self.network, settings))
        self.loss = Loss(settings.loss, perceptual).to(self.fabric.device)
        self.batch = plan.batch(settings.batch_size)

    def __call__(self) -> None:
        inputs = prepare(self.batch.to(self.fabric.device))
        with self.loss.capturing_offsets(self.network) as offsets:
            _, scales = self.module(inputs.reference, inputs.garment, inputs.agnostic, all_scales=True)
        value = self.loss(scales, LossTargets(inputs.person, inputs.mask, inputs.garment_mask), offsets)
        value.total.detach().tolist()
        self.fabric.backward(value.total)
        self.fabric.clip_gradients(self.module, self.optimizer, max_norm=1e9, error_if_nonfinite=False)
        self.optimizer.step()
        self.optimizer.zero_grad()


def random_perceptual() -> Perceptual:
    """Return random VGG16, VGG19 and LPIPS heads of the published shapes."""
    torch.manual_seed(2)
    states = {name: PlainVgg(name, frozen=True).state(name) for name in ("vgg16", "vgg19")}
    heads = [torch.rand(1, width, 1, 1) / width for width in WIDTHS]
    vgg16 = FrozenVgg.from_state(states["vgg16"], "vgg16", LPIPS_SHIFT, LPIPS_SCALE)
    return Perceptual({"vgg16": vgg16, "vgg19": FrozenVgg.from_state(states["vgg19"], "vgg19")}, heads)


def report_training(plan: Plan, precisions: Sequence[str], batches: Sequence[int], compiled: bool) -> None:
    """Print a row for every loss, precision and batch size."""
    print(f"\na step of fine-tuning, {plan.size[0]}x{plan.size[1]}: median s, img/s, peak MiB, estimated MiB, ratio")
    for perceptual in (None, random_perceptual()):
        for precision in precisions:
            for count in batches:
                loss = {"perceptual": "none" if perceptual is None else "vgg"}
                content = {"batch_size": count, "precision": MIXED[precision], "loss": loss, "compile": compiled}
                settings = FinetuneSettings.model_validate({**content, "accelerator": plan.device.type})
                print(f"  loss {loss['perceptual']:5}{precision:>5} {count:3}", end="  ", flush=True)
                print(or_out_of_memory(lambda args=(settings, perceptual): training_row(plan, *args)), flush=True)
                gc.collect()


def training_row(plan: Plan, settings: FinetuneSettings, perceptual: Perceptual | None) -> str:
    """Format time and memory of a step; memory includes weights, gradients and optimizer."""
    on_gpu = plan.device.type == "cuda"
    if on_gpu:
        torch.cuda.empty_cache()
    before = torch.cuda.memory_allocated() if on_gpu else 0
    step = TrainingStep(plan, settings, perceptual)
    step()  # creates the optimizer's state
    persistent = torch.cuda.memory_allocated() - before if on_gpu else persistent_bytes(step)
    peak = persistent + (peak_on_gpu if on_gpu else peak_on_cpu)(step)
    run = Run(plan.device, "fp32", ())
    seconds = statistics.median(run.seconds(step) for _ in range(plan.rounds))
    estimate = step.estimate.predict((settings.batch_size, *plan.size))
    speed = f"{seconds:8.3f} {settings.batch_size / seconds:8.2f}"
    return f"{speed} {peak / MIB:8.0f} {estimate / MIB:8.0f} {estimate / peak:6.2f}"


def persistent_bytes(step: TrainingStep) -> int:
    """Compute the bytes allocated between two steps on the CPU."""
    moments = [value for state in step.optimizer.state.values() for value in state.values() if value.dim()]
    tensors = [*step.network.parameters(), *step.network.buffers(), *moments]
    networks = step.loss.perceptual.networks.values() if step.loss.perceptual else ()
    tensors += [tensor for network in networks for layer in network.layers for tensor in (layer.weight, layer.bias)]
    return sum(tensor.numel() * tensor.element_size() for tensor in tensors)


def or_out_of_memory(work: Callable[[], str]) -> str:
    """Return the result of `work`, or the message of an out-of-memory error."""
    try:
        return work()
    except torch.OutOfMemoryError as error:
        return str(error).splitlines()[0]


def describe(device: torch.device) -> str:
    """Format the device and the relevant versions."""
    versions = f"torch {torch.__version__}, CUDA {torch.version.cuda}, cuDNN {torch.backends.cudnn.version()}"
    if device.type != "cuda":
        return f"CPU, {torch.get_num_threads()} threads, {versions}"
    properties = torch.cuda.get_device_properties(device)
    capability = f"compute {properties.major}.{properties.minor}"
    return f"{properties.name}, {properties.total_memory / 2**30:.0f} GiB, {capability}, {versions}"


def options(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda")
    parser.add_argument("--height", type=int, default=512)
    parser.add_argument("--width", type=int, default=384)
    parser.add_argument("--batches", type=int, nargs="+", default=[1, 4, 8])
    parser.add_argument("--precisions", choices=PRECISIONS, nargs="+", default=list(PRECISIONS))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--compiled", action="store_true", help="also torch.compile, which takes minutes per variant")
    parser.add_argument("--exact", action="store_true", help="disable TF32")
    parser.add_argument("--fastest", action="store_true", help="enable cudnn.benchmark")
    parser.add_argument("--narrow", action="store_true", help="use the small network of the demo")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    args = options(arguments)
    device = torch.device(args.device)
    if device.type == "cuda" and not torch.cuda.is_available():
        raise SystemExit("no GPU found; try --device cpu --narrow --height 128 --width 96")
    torch.backends.cudnn.allow_tf32 = not args.exact
    torch.backends.cudnn.benchmark = args.fastest
    config = DAFlowConfig.narrow() if args.narrow else DAFlowConfig()
    plan = Plan(device, (args.height, args.width), args.rounds, config)
    print(describe(device))
    for precision in args.precisions:
        for batch in args.batches:
            variants = (*ON_GPU, *(COMPILED if args.compiled else ()))
            compare_variants(variants, config, Run(device, precision, plan.images(batch)), plan.rounds)
            gc.collect()
            if device.type == "cuda":
                torch.cuda.empty_cache()
    for compiled in (False, True)[: 1 + args.compiled]:
        if compiled:
            print("\ncompiled:")
        report_training(plan, args.precisions, args.batches, compiled)


if __name__ == "__main__":
    main()
