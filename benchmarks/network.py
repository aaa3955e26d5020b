"""The network as published beside ours: one training step, inference, and the memory kept for backward.

    python benchmarks/network.py --height 256 --width 192 --rounds 3

The published way is restated here in its own terms, on the same weights: every sample is drawn from k copies of the
map, attention is repeated to the map's width, the product is materialised before the sum, the 1x1 layers around the
warp stay apart, and the last stage runs twice when all scales are wanted. The methods take turns on the same item;
ratios are medians of the rounds' ratios, so a busy machine harms them less than it harms the times.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

from tryon.daflow import DAFlow, DAFlowConfig
from tryon.daflow.cascade import Cascade
from tryon.daflow.grids import Flow, Flows, sample
from tryon.daflow.warp import WARPS


def published_warp(features: Tensor, grid: Tensor, attention: Tensor) -> Tensor:
    """k copies of the map, sampled in one call, times repeated attention, summed."""
    batch, heads, height, width = attention.shape
    channels = features.shape[1]
    copies = features.unsqueeze(1).repeat(1, heads, 1, 1, 1).flatten(0, 1)
    sampled = sample(copies, grid).view(batch, heads, channels, height, width)
    repeated = attention.unsqueeze(2).repeat(1, 1, channels, 1, 1)
    return (sampled * repeated).sum(dim=1)


class PublishedCascade(Cascade):
    """The cascade with its last stage written the published way."""

    def forward(self, garment_levels, person_levels, garment, agnostic, all_scales):
        flows, pictures = None, []
        for level, (source, reference) in enumerate(zip(garment_levels, person_levels, strict=True)):
            flows = self.estimate(level, source, reference, flows).upsampled()
            if all_scales:
                pictures.append(self.compose(garment, agnostic, flows))
        size = garment.shape[2:]
        resized = Flows(*(Flow(*(F.interpolate(part, size, mode="bilinear") for part in flow)) for flow in flows))
        return [*pictures, self.compose(garment, agnostic, resized)]

    def compose(self, garment, agnostic, flows):
        size = flows.garment.grid.shape[-2:]
        garment, agnostic = (F.interpolate(picture, size, mode="bilinear") for picture in (garment, agnostic))
        garment = published_warp(self.lights_encoder(garment), *flows.garment)
        person = published_warp(self.lights_encoder(agnostic), *flows.person)
        return self.lights_decoder(garment + person)


def built(config: DAFlowConfig, name: str) -> DAFlow:
    """The same weights under every name."""
    torch.manual_seed(0)
    network = DAFlow.from_config(config)
    if name == "published":
        network.dafnet.__class__ = PublishedCascade
    return network.use_warp(name).eval()


def kept_for_backward(run: Callable[[], object]) -> int:
    """Bytes of the distinct tensors that autograd keeps, parameters aside."""
    kept: dict[int, int] = {}

    def note(tensor: Tensor) -> Tensor:
        if not isinstance(tensor, torch.nn.Parameter) and not tensor.is_sparse_csr:
            kept[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        held = run()
    del held
    return sum(kept.values())


class Contestant:
    """One way to run the network, and what it took."""

    def __init__(self, name: str, config: DAFlowConfig, pictures: tuple[Tensor, ...]) -> None:
        self.name, self.network, self.pictures = name, built(config, name), pictures
        self.kept = 0
        self.steps: list[float] = []
        self.inferences: list[float] = []

    def losses(self) -> Tensor:
        result, results = self.network(*self.pictures, all_scales=True)
        return torch.stack([scale.abs().mean() for scale in (*results, result)]).sum()

    def step(self) -> None:
        self.network.zero_grad()
        self.losses().backward()

    def infer(self) -> Tensor:
        with torch.inference_mode():
            return self.network(*self.pictures)

    def round(self) -> None:
        self.network.train()
        self.steps.append(seconds(self.step))
        self.network.eval()
        self.inferences.append(seconds(self.infer))


def seconds(run: Callable[[], object]) -> float:
    """CPU time of one run: other work on the machine does not count."""
    start = time.process_time()
    run()
    return time.process_time() - start


def options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--height", type=int, default=256)
    parser.add_argument("--width", type=int, default=192)
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--narrow", action="store_true", help="the small network of the demo, not the published one")
    return parser.parse_args()


def main() -> None:
    """Measure and print one table."""
    chosen = options()
    torch.set_num_threads(chosen.threads)
    torch.manual_seed(1)
    config = DAFlowConfig.narrow() if chosen.narrow else DAFlowConfig()
    shape = (chosen.height, chosen.width)
    pictures = tuple(torch.rand(chosen.batch, channels, *shape) * 2 - 1 for channels in (6, 3, 3))

    WARPS["published"] = published_warp
    contestants = [Contestant(name, config, pictures) for name in ("published", "reference", "lean", "gather")]
    first = contestants[0]
    expected = first.infer()
    for other in contestants:  # also warms up
        apart = (other.infer() - expected).abs().max().item()
        assert apart < 1e-4, f"{other.name} differs by {apart}"
        other.network.train()
        other.kept = kept_for_backward(other.losses)
    for _ in range(chosen.rounds):
        for contestant in contestants:
            contestant.round()

    size = f"{chosen.batch} x {chosen.height}x{chosen.width}"
    print(f"{size}, {chosen.threads} thread(s), CPU time, medians of {chosen.rounds} rounds")
    print(f"{'':10}{'step s':>9}{'ratio':>8}{'infer s':>9}{'ratio':>8}{'kept MiB':>10}")
    for one in contestants:
        step, inference = statistics.median(one.steps), statistics.median(one.inferences)
        print(
            f"{one.name:10}{step:9.3f}{ratio(first.steps, one.steps):7.2f}x"
            f"{inference:9.3f}{ratio(first.inferences, one.inferences):7.2f}x{one.kept / 2**20:10.0f}"
        )


def ratio(first: list[float], other: list[float]) -> float:
    """Median over the rounds of how many times faster `other` was."""
    return statistics.median(a / b for a, b in zip(first, other, strict=True))


if __name__ == "__main__":
    main()
