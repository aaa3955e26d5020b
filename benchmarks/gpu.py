"""All that has to be measured on a GPU, in one command.

    python -m benchmarks.gpu
    python -m benchmarks.gpu --precisions bf16 --batches 4 --rounds 5 --compiled

1. `benchmarks.network` on the GPU: step, inference, images a second, memory kept and at the peak, for every warp, with
   and without channels-last, beside the network in the published way and the two floors. What wins there is to become
   the default in `tryon.daflow.warp.select_warp`. Ways that do not fit say so.
2. A step as training takes it, by the settings of the full run: bytes to the device, network, loss with its frozen
   networks (random weights of the published shapes), clipping, AdamW. For each number format its time, and the most
   memory that it took beside what was told before the first step (`tryon.training.memory_budget`).

With `--device cpu --narrow` both run anywhere, to see that they run. TF32 is as training has it: torch's default, for
convolutions only; `--exact` switches it off, and results of fp32 are then compared to 1e-4.
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
from benchmarks.network import ON_GPU, PRECISIONS, Run, contest
from tryon.config.training import FinetuneSettings
from tryon.daflow import DAFlow, DAFlowConfig
from tryon.loading.batch_loader import Batch
from tryon.loading.packed_dataset import PackedDataset
from tryon.loading.transforms import prepare
from tryon.training.fabric import make_fabric
from tryon.training.losses import Loss, LossTargets, Perceptual, perceptual_terms
from tryon.training.losses.vgg import WIDTHS, FrozenVgg
from tryon.training.memory_budget import estimate_memory, peak_on_cpu, peak_on_gpu
from tryon.training.optimizer import make_optimizer
from tryon.training.run_config import RunConfig

COMPILED = ("lean-compiled", "gather-compiled")
MIXED = {"fp32": "32-true", "bf16": "bf16-mixed"}
"""The number formats as `finetune.precision` names them."""

MIB = 2**20


@dataclass(frozen=True)
class Plan:
    """What is measured.

    Args:
        device: `cuda` or `cpu`.
        size: height and width of the images.
        rounds: times that each way takes its turn.
        config: of the network.
    """

    device: torch.device
    size: tuple[int, int]
    rounds: int
    config: DAFlowConfig

    def images(self, batch: int) -> tuple[Tensor, ...]:
        """Reference, garment and agnostic person, in -1..1."""
        torch.manual_seed(1)
        return tuple((torch.rand(batch, channels, *self.size) * 2 - 1).to(self.device) for channels in (6, 3, 3))

    def batch(self, count: int) -> Batch:
        """A batch as the loader gives it: bytes on the host."""
        torch.manual_seed(1)
        person, garment, pose = torch.randint(0, 256, (3, count, 3, *self.size), dtype=torch.uint8)
        mask, garment_mask = torch.rand(2, count, 1, *self.size) < 0.5
        return Batch(("pair",) * count, (), person, garment, pose, mask, garment_mask, torch.arange(count) % 2 == 1)


class TrainingStep:
    """A step of fine-tuning, without rows and files."""

    def __init__(self, plan: Plan, settings: FinetuneSettings, perceptual: Perceptual | None) -> None:
        self.settings = settings
        self.fabric = make_fabric("finetune", settings)
        torch.manual_seed(0)
        self.network = DAFlow.from_config(plan.config)
        rows = cast(PackedDataset, None)  # no row is read
        self.told = estimate_memory(
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
    """VGG16, VGG19 and the heads of LPIPS in their published shapes."""
    torch.manual_seed(2)
    states = {name: PlainVgg(name, frozen=True).state(name) for name in ("vgg16", "vgg19")}
    heads = [torch.rand(1, width, 1, 1) / width for width in WIDTHS]
    vgg16 = FrozenVgg.from_state(states["vgg16"], "vgg16", perceptual_terms.LPIPS_SHIFT, perceptual_terms.LPIPS_SCALE)
    return Perceptual({"vgg16": vgg16, "vgg19": FrozenVgg.from_state(states["vgg19"], "vgg19")}, heads)


def report_training(plan: Plan, precisions: Sequence[str], batches: Sequence[int], compiled: bool) -> None:
    """Print a line for every loss, number format and batch size."""
    print(f"\na step of fine-tuning, {plan.size[0]}x{plan.size[1]}: median s, img/s, peak MiB, MiB told before, ratio")
    for perceptual in (None, random_perceptual()):
        for precision in precisions:
            for count in batches:
                loss = {"perceptual": "none" if perceptual is None else "vgg"}
                content = {"batch_size": count, "precision": MIXED[precision], "loss": loss, "compile": compiled}
                settings = FinetuneSettings.model_validate({**content, "accelerator": plan.device.type})
                print(f"  loss {loss['perceptual']:5}{precision:>5} {count:3}", end="  ", flush=True)
                print(unless_full(lambda own=(settings, perceptual): training_line(plan, *own)), flush=True)
                gc.collect()


def training_line(plan: Plan, settings: FinetuneSettings, perceptual: Perceptual | None) -> str:
    """Time and memory of a step in words; memory counts weights, gradients and optimizer."""
    on_gpu = plan.device.type == "cuda"
    if on_gpu:
        torch.cuda.empty_cache()
    before = torch.cuda.memory_allocated() if on_gpu else 0
    step = TrainingStep(plan, settings, perceptual)
    step()  # makes the optimizer's state
    held = torch.cuda.memory_allocated() - before if on_gpu else held_bytes(step)
    peak = held + (peak_on_gpu if on_gpu else peak_on_cpu)(step)
    run = Run(plan.device, "fp32", ())
    took = statistics.median(run.seconds(step) for _ in range(plan.rounds))
    told = step.told.predict((settings.batch_size, *plan.size))
    speed = f"{took:8.3f} {settings.batch_size / took:8.2f}"
    return f"{speed} {peak / MIB:8.0f} {told / MIB:8.0f} {told / peak:6.2f}"


def held_bytes(step: TrainingStep) -> int:
    """What lies there between two steps where no allocator counts."""
    moments = [value for state in step.optimizer.state.values() for value in state.values() if value.dim()]
    own = [*step.network.parameters(), *step.network.buffers(), *moments]
    networks = step.loss.perceptual.networks.values() if step.loss.perceptual else ()
    own += [tensor for network in networks for layer in network.layers for tensor in (layer.weight, layer.bias)]
    return sum(tensor.numel() * tensor.element_size() for tensor in own)


def unless_full(work: Callable[[], str]) -> str:
    """What `work` says, or that the GPU's memory was too small for it."""
    try:
        return work()
    except torch.OutOfMemoryError as error:
        return str(error).splitlines()[0]


def described(device: torch.device) -> str:
    """The device in words, with the versions that its numbers depend on."""
    versions = f"torch {torch.__version__}, CUDA {torch.version.cuda}, cuDNN {torch.backends.cudnn.version()}"
    if device.type != "cuda":
        return f"CPU, {torch.get_num_threads()} threads, {versions}"
    facts = torch.cuda.get_device_properties(device)
    return f"{facts.name}, {facts.total_memory / 2**30:.0f} GiB, compute {facts.major}.{facts.minor}, {versions}"


def options(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda")
    parser.add_argument("--height", type=int, default=512)
    parser.add_argument("--width", type=int, default=384)
    parser.add_argument("--batches", type=int, nargs="+", default=[1, 4, 8])
    parser.add_argument("--precisions", choices=PRECISIONS, nargs="+", default=list(PRECISIONS))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--compiled", action="store_true", help="torch.compile too: minutes for each way")
    parser.add_argument("--exact", action="store_true", help="no TF32")
    parser.add_argument("--fastest", action="store_true", help="let cuDNN try its algorithms (cudnn.benchmark)")
    parser.add_argument("--narrow", action="store_true", help="the small network of the demo")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    chosen = options(arguments)
    device = torch.device(chosen.device)
    if device.type == "cuda" and not torch.cuda.is_available():
        raise SystemExit("torch sees no GPU here; --device cpu --narrow --height 128 --width 96 shows what this prints")
    torch.backends.cudnn.allow_tf32 = not chosen.exact
    torch.backends.cudnn.benchmark = chosen.fastest
    config = DAFlowConfig.narrow() if chosen.narrow else DAFlowConfig()
    plan = Plan(device, (chosen.height, chosen.width), chosen.rounds, config)
    print(described(device))
    for precision in chosen.precisions:
        for batch in chosen.batches:
            ways = (*ON_GPU, *(COMPILED if chosen.compiled else ()))
            contest(ways, config, Run(device, precision, plan.images(batch)), plan.rounds)
            gc.collect()
            if device.type == "cuda":
                torch.cuda.empty_cache()
    for compiled in (False, True)[: 1 + chosen.compiled]:
        if compiled:
            print("\ncompiled:")
        report_training(plan, chosen.precisions, chosen.batches, compiled)


if __name__ == "__main__":
    main()
