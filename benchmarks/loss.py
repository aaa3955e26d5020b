"""The published loss in plain autograd beside ours: time of one forward and backward, and the most memory it takes.

    python benchmarks/loss.py --height 256 --width 192 --rounds 3

Plain: both VGGs to their last layer, features of result and target with their graph, all scales summed, one backward
pass; once with learning weights, as the networks come (`plain`), once with frozen ones, which spares the target's
graph (`frozen`). Random weights of the published shapes: neither time nor memory depends on their values. The results
are leaves, so the try-on network is not in these numbers. The ways take turns; ratios are medians of the rounds'.
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
from tryon.training.losses.vgg import BLOCKS, WIDTHS, FrozenVgg

LEVELS = 5


class PlainVgg(nn.Module):
    """All layers in order, all features handed out."""

    def __init__(self, name: str, frozen: bool) -> None:
        super().__init__()
        self.layers, before = nn.ModuleDict(), 3
        for block, (count, width) in enumerate(zip(BLOCKS[name], WIDTHS, strict=True), 1):
            for number in range(1, count + 1):
                self.layers[f"relu{block}_{number}"] = nn.Conv2d(before, width, 3, padding=1)
                before = width
        self.requires_grad_(not frozen)

    def forward(self, image: Tensor) -> dict[str, Tensor]:
        found: dict[str, Tensor] = {}
        for name, layer in self.layers.items():
            if name.endswith("_1") and found:
                image = F.max_pool2d(image, 2)
            image = found[name] = F.relu(layer(image), inplace=True)
        return found

    def state(self, name: str) -> dict[str, Tensor]:
        """Its weights under torchvision's keys."""
        indices, index = [], 0
        for count in BLOCKS[name]:
            indices += [index + 2 * n for n in range(count)]
            index += 2 * count + 1
        layers = zip(indices, self.layers.values(), strict=True)
        return {f"features.{n}.{key}": value for n, layer in layers for key, value in layer.state_dict().items()}


class Plain:
    """The sum over scales as it is written down."""

    def __init__(self, frozen: bool, heads: Sequence[Tensor]) -> None:
        torch.manual_seed(0)
        self.vgg16, self.vgg19 = PlainVgg("vgg16", frozen), PlainVgg("vgg19", frozen)
        self.heads = heads
        self.shift, self.scale = (
            torch.tensor(values).view(1, 3, 1, 1)
            for values in (perceptual_terms.LPIPS_SHIFT, perceptual_terms.LPIPS_SCALE)
        )

    def __call__(self, results: Sequence[Tensor], truth: LossTargets) -> Tensor:
        total = torch.zeros(())
        for n, result in enumerate(results):
            target = F.interpolate(truth.person, result.shape[-2:], mode="bilinear")
            seen = [F.interpolate(p, scale_factor=2, mode="bilinear") if n == 0 else p for p in (result, target)]
            features = self.perceptual(*seen)
            total = total + (n + 1) * (F.l1_loss(result, target) + features)
        return total

    def perceptual(self, result: Tensor, target: Tensor) -> Tensor:
        first, second = (self.vgg16((image - self.shift) / self.scale) for image in (result, target))
        total = torch.zeros(())
        for name, head in zip(perceptual_terms.LPIPS_LAYERS, self.heads, strict=True):
            one, other = (
                each[name] / (each[name].square().sum(1, keepdim=True) + 1e-8).sqrt() for each in (first, second)
            )
            total = total + F.conv2d((one - other) ** 2, head).mean()
        first, second = self.vgg19(result), self.vgg19(target)
        for name in perceptual_terms.STYLE_LAYERS:
            total = total + 100 * F.l1_loss(perceptual_terms.gram(first[name]), perceptual_terms.gram(second[name]))
        for name in perceptual_terms.CONTENT_LAYERS:
            total = total + 0.1 * F.l1_loss(first[name], second[name])
        return total


def peak_bytes(run: Callable[[], object]) -> int:
    """The most that a run holds at once, beyond what was there before it."""
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as watched:
        run()
    held = most = 0
    for event in watched.profiler.kineto_results.events():
        if event.name() == "[memory]":
            held += event.nbytes()
            most = max(most, held)
    return most


def seconds(run: Callable[[], object]) -> float:
    """CPU time of one run: other work on the machine does not count."""
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
    chosen = parser.parse_args()
    torch.set_num_threads(chosen.threads)

    torch.manual_seed(1)
    heads = [torch.rand(1, width, 1, 1) for width in WIDTHS]
    plain = {name: Plain(name == "frozen", heads) for name in ("plain", "frozen")}
    networks = {name: getattr(plain["frozen"], name).state(name) for name in BLOCKS}
    frozen = {
        "vgg16": FrozenVgg.from_state(
            networks["vgg16"], "vgg16", perceptual_terms.LPIPS_SHIFT, perceptual_terms.LPIPS_SCALE
        ),
        "vgg19": FrozenVgg.from_state(networks["vgg19"], "vgg19"),
    }
    ours = Loss(LossSettings(), Perceptual(frozen, heads)).to(torch.device("cpu"))

    size = (chosen.height, chosen.width)
    nothing = torch.zeros(1, 1, *size, dtype=torch.bool)
    truth = LossTargets(torch.rand(1, 3, *size) * 2 - 1, nothing, nothing)
    sizes = [(size[0] // 2**n, size[1] // 2**n) for n in reversed(range(LEVELS))]
    results = [(torch.rand(1, 3, *own) * 2 - 1).requires_grad_() for own in sizes]
    ways = {**plain, "ours": lambda results, truth: ours(results, truth).total}

    def step(name: str) -> tuple[Tensor, list[Tensor]]:
        for result in results:
            result.grad = None
        for way in plain.values():
            for network in (way.vgg16, way.vgg19):
                network.zero_grad()
        total = ways[name](results, truth)
        total.backward()
        return total.detach(), [result.grad for result in results]  # pyright: ignore[reportReturnType]

    expected, gradients = step("frozen")
    for name in ways:  # also warms up
        total, found = step(name)
        assert abs(total / expected - 1) < 1e-5, name
        for one, other in zip(gradients, found, strict=True):
            assert torch.cosine_similarity(one.flatten(), other.flatten(), dim=0) > 0.999, name
    times: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(chosen.rounds):
        for name in ways:
            times[name].append(seconds(lambda name=name: step(name)))
    print(f"{size[0]}x{size[1]}, {LEVELS} scales, batch 1, {chosen.threads} thread(s)")
    print("| way | CPU s | times ours | peak MiB | times ours |")
    print("| --- | --- | --- | --- | --- |")
    peaks = {name: peak_bytes(lambda name=name: step(name)) for name in ways}
    for name, own in times.items():
        ratio = statistics.median(each / base for each, base in zip(own, times["ours"], strict=True))
        memory = f"{peaks[name] / 2**20:.0f} | {peaks[name] / peaks['ours']:.1f}"
        print(f"| {name} | {statistics.median(own):.2f} | {ratio:.2f} | {memory} |")


if __name__ == "__main__":
    main()
