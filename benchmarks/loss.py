"""The loss compared with the published one in plain autograd: time and peak memory of forward and backward.

    python benchmarks/loss.py --height 256 --width 192 --rounds 3

Plain: both VGGs to their last layer, features of result and target with their graph, all scales summed, one backward
pass; once with trainable weights (`plain`), once with frozen ones, which avoids the target's graph (`frozen`). Weights
are random, as time and memory do not depend on them. The try-on network is not included. Variants take turns; ratios
are medians over rounds.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.profiler import ProfilerActivity, profile

from tryon.config.training import LossSettings
from tryon.training.losses import Loss, LossTargets, Perceptual, perceptual_terms
from tryon.training.losses.perceptual_terms import LPIPS_SCALE, LPIPS_SHIFT
from tryon.training.losses.vgg import BLOCKS, WIDTHS, FrozenVgg

LEVELS = 5


class PlainVgg(nn.Module):
    """VGG that returns the features of all layers."""

    def __init__(self, name: str, frozen: bool) -> None:
        super().__init__()
        self.layers, inputs = nn.ModuleDict(), 3
        for block, (count, width) in enumerate(zip(BLOCKS[name], WIDTHS, strict=True), 1):
            for number in range(1, count + 1):
                self.layers[f"relu{block}_{number}"] = nn.Conv2d(inputs, width, 3, padding=1)
                inputs = width
        self.requires_grad_(not frozen)

    def forward(self, image: Tensor) -> dict[str, Tensor]:
        features: dict[str, Tensor] = {}
        for name, layer in self.layers.items():
            if name.endswith("_1") and features:
                image = F.max_pool2d(image, 2)
            image = features[name] = F.relu(layer(image), inplace=True)
        return features

    def state(self, name: str) -> dict[str, Tensor]:
        """Return the weights under torchvision's keys."""
        indices, index = [], 0
        for count in BLOCKS[name]:
            indices += [index + 2 * n for n in range(count)]
            index += 2 * count + 1
        layers = zip(indices, self.layers.values(), strict=True)
        return {f"features.{n}.{key}": value for n, layer in layers for key, value in layer.state_dict().items()}


class Plain:
    """The published loss as a plain sum over scales."""

    def __init__(self, frozen: bool, heads: Sequence[Tensor]) -> None:
        torch.manual_seed(0)
        self.vgg16, self.vgg19 = PlainVgg("vgg16", frozen), PlainVgg("vgg19", frozen)
        self.heads = heads
        self.shift, self.scale = (torch.tensor(values).view(1, 3, 1, 1) for values in (LPIPS_SHIFT, LPIPS_SCALE))

    def __call__(self, results: Sequence[Tensor], targets: LossTargets) -> Tensor:
        total = torch.zeros(())
        for n, result in enumerate(results):
            target = F.interpolate(targets.person, result.shape[-2:], mode="bilinear")
            images = [F.interpolate(p, scale_factor=2, mode="bilinear") if n == 0 else p for p in (result, target)]
            features = self.perceptual(*images)
            total = total + (n + 1) * (F.l1_loss(result, target) + features)
        return total

    def perceptual(self, result: Tensor, target: Tensor) -> Tensor:
        first, second = (self.vgg16((image - self.shift) / self.scale) for image in (result, target))
        total = torch.zeros(())
        for name, head in zip(perceptual_terms.LPIPS_LAYERS, self.heads, strict=True):
            a, b = (each[name] / (each[name].square().sum(1, keepdim=True) + 1e-8).sqrt() for each in (first, second))
            total = total + F.conv2d((a - b) ** 2, head).mean()
        first, second = self.vgg19(result), self.vgg19(target)
        for name in perceptual_terms.STYLE_LAYERS:
            total = total + 100 * F.l1_loss(perceptual_terms.gram(first[name]), perceptual_terms.gram(second[name]))
        for name in perceptual_terms.CONTENT_LAYERS:
            total = total + 0.1 * F.l1_loss(first[name], second[name])
        return total


def peak_bytes(run: Callable[[], object]) -> int:
    """Measure the peak bytes that a call allocates."""
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as profiler:
        run()
    current = peak = 0
    for event in profiler.profiler.kineto_results.events():
        if event.name() == "[memory]":
            current += event.nbytes()
            peak = max(peak, current)
    return peak


def seconds(run: Callable[[], object]) -> float:
    """Measure the CPU time of one call."""
    start = time.process_time()
    run()
    return time.process_time() - start


def main() -> None:
    """Measure and print one table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--height", type=int, default=256)
    parser.add_argument("--width", type=int, default=192)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)

    torch.manual_seed(1)
    heads = [torch.rand(1, width, 1, 1) for width in WIDTHS]
    plain = {name: Plain(name == "frozen", heads) for name in ("plain", "frozen")}
    networks = {name: getattr(plain["frozen"], name).state(name) for name in BLOCKS}
    frozen = {
        "vgg16": FrozenVgg.from_state(networks["vgg16"], "vgg16", LPIPS_SHIFT, LPIPS_SCALE),
        "vgg19": FrozenVgg.from_state(networks["vgg19"], "vgg19"),
    }
    loss = Loss(LossSettings(), Perceptual(frozen, heads)).to(torch.device("cpu"))

    size = (args.height, args.width)
    empty = torch.zeros(1, 1, *size, dtype=torch.bool)
    targets = LossTargets(torch.rand(1, 3, *size) * 2 - 1, empty, empty)
    sizes = [(size[0] // 2**n, size[1] // 2**n) for n in reversed(range(LEVELS))]
    results = [(torch.rand(1, 3, *size_) * 2 - 1).requires_grad_() for size_ in sizes]
    variants = {**plain, "ours": lambda results, targets: loss(results, targets).total}

    def step(name: str) -> tuple[Tensor, list[Tensor]]:
        for result in results:
            result.grad = None
        for variant in plain.values():
            for network in (variant.vgg16, variant.vgg19):
                network.zero_grad()
        total = variants[name](results, targets)
        total.backward()
        return total.detach(), [result.grad for result in results]  # pyright: ignore[reportReturnType]

    expected, gradients = step("frozen")
    for name in variants:  # also warms up
        total, result_grads = step(name)
        assert abs(total / expected - 1) < 1e-5, name
        for a, b in zip(gradients, result_grads, strict=True):
            assert torch.cosine_similarity(a.flatten(), b.flatten(), dim=0) > 0.999, name
    times: dict[str, list[float]] = {name: [] for name in variants}
    for _ in range(args.rounds):
        for name in variants:
            times[name].append(seconds(lambda name=name: step(name)))
    print(f"{size[0]}x{size[1]}, {LEVELS} scales, batch 1, {args.threads} thread(s)")
    print("| variant | CPU s | times ours | peak MiB | times ours |")
    print("| --- | --- | --- | --- | --- |")
    peaks = {name: peak_bytes(lambda name=name: step(name)) for name in variants}
    for name, durations in times.items():
        ratio = statistics.median(each / base for each, base in zip(durations, times["ours"], strict=True))
        memory = f"{peaks[name] / 2**20:.0f} | {peaks[name] / peaks['ours']:.1f}"
        print(f"| {name} | {statistics.median(durations):.2f} | {ratio:.2f} | {memory} |")


if __name__ == "__main__":
    main()
