"""Measure masks of the default method against the ground truth of synthetic data: the table of docs/log.md.

    python -m benchmarks.mask_quality [--bodies 300] [--levels catalogue wild] [--seed 5] [--jobs 2] [--damage 60]

Every body is rendered in its garment and in a second one: trousers and a skirt, one top with and without sleeves, two
dresses. Masks are computed at 512x384 from the 1024x768 maps, as in the stage, and compared with the true maps, also
for damaged input maps. Leak is the fraction of the true garment left visible; protected is the masked fraction of the
regions to keep (hair, face and neck, hat, glasses, hands, feet, shoes, bag, the other half's clothes and limbs). Exit
code 1 if a gate is missed.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import sys
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import NamedTuple, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from tryon.agnostic import agnostic_mask
from tryon.agnostic.masks.body import body_from_keypoints, hip_half_width
from tryon.agnostic.masks.lower_body import STANDARD_FLARE
from tryon.categories import LEVELS, Category, Level
from tryon.dresscode.labels import MIN_SCORE, DensePart, Joint, Label
from tryon.dresscode.readers import resize_labels
from tryon.synthetic.garments.cloth import lay_flat
from tryon.synthetic.garments.garment import Garment
from tryon.synthetic.item_files import sample_item_garment, sample_item_person
from tryon.synthetic.parsing_noise import add_parsing_noise
from tryon.synthetic.render import RenderedPerson, render_person

SIZE = (512, 384)
LEAK_FREE, LEAK, PROTECTED_MEAN, PROTECTED, SIZES, PAIRS = 0.999, 0.001, 0.005, 0.02, 0.98, 0.9
"""Gates: share of rows without leak, largest leak, mean and largest protected, least IoU between sizes, least IoU of
trousers and skirt in the median and on every pair within the standard flare."""

_OTHERS = 100_000  # numbers of second garments lie this far from the first
_WHOLE = (Label.HAT, Label.HAIR, Label.SUNGLASSES, Label.LEFT_SHOE, Label.RIGHT_SHOE, Label.BAG, Label.SCARF)
_ARMS, _LEGS = (Label.LEFT_ARM, Label.RIGHT_ARM), (Label.LEFT_LEG, Label.RIGHT_LEG)
_OTHER_HALF = {
    Category.UPPER_BODY: (Label.SKIRT, Label.PANTS, Label.BELT, *_LEGS),
    Category.LOWER_BODY: (Label.UPPER_CLOTHES, *_ARMS, Label.HEAD),
    Category.DRESSES: (),
}
_BARE = ("straps", "one_shoulder", "off_shoulder")  # necklines that go with few sleeves

Mask = NDArray[np.bool_]
Ids = NDArray[np.uint8]


class Maps(NamedTuple):
    """Arguments of the recipe."""

    labels: Ids
    dense: Ids | None
    points: NDArray[np.float32]


class Row(NamedTuple):
    """One number of one body."""

    quantity: str
    number: int
    value: float


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bodies", type=int, default=300, help="per category and level")
    parser.add_argument("--damage", type=int, default=60, help="how many of them also with damaged maps")
    parser.add_argument("--levels", nargs="+", choices=LEVELS, default=["catalogue", "wild"])
    parser.add_argument("--seed", type=int, default=5)
    parser.add_argument("--jobs", type=int, default=2)
    chosen = parser.parse_args()
    missed = []
    with multiprocessing.get_context("spawn").Pool(chosen.jobs, _politely) as pool:
        for level in chosen.levels:
            for category in Category:
                work = partial(measure, chosen.seed, category, level, damaged=chosen.damage)
                rows = [row for some in pool.imap_unordered(work, range(chosen.bodies), 4) for row in some]
                missed += report(category, level, rows)
    print("\ngates missed:" if missed else "\nall gates met", *missed, sep="\n  ")
    return bool(missed)


def _politely() -> None:
    os.nice(10)
    cv2.setNumThreads(1)


def measure(seed: int, category: Category, level: Level, number: int, damaged: int) -> list[Row]:
    """All numbers of one body."""
    figure = sample_item_person(seed, category, number, level)
    garments = two_garments(seed, category, level, number)
    images = [render_person(figure, lay_flat(garment)) for garment in garments]
    maps = [at_target_size(image) for image in images]
    masks = [agnostic_mask(category, *some) for some in maps]
    rows = []
    for garment, some, mask in zip(garments, maps, masks, strict=True):
        region, stays = truth(category, garment, some)
        rows += [("leak", part_of(region, ~mask)), ("protected", part_of(stays, mask)), ("fraction", mask.mean())]
    first = images[0]
    large = agnostic_mask(category, first.label_map, first.dense_pose, first.keypoints.astype(np.float32))
    rows += [("sizes", iou(masks[0], resize_labels(large.view(np.uint8), SIZE) > 0)), ("pairs", iou(*masks))]
    if category is Category.LOWER_BODY:
        skirt = next(some for garment, some in zip(garments, maps, strict=True) if garment.kind == "skirt")
        if flare(skirt) <= STANDARD_FLARE:
            rows.append(("pairs within the standard flare", iou(*masks)))
    if number < damaged:
        rng = np.random.default_rng((seed, number))
        region, stays = truth(category, garments[0], maps[0])
        for name, some in damages(first, maps[0], rng):
            mask = agnostic_mask(category, *some)
            rows += [(f"{name}|leak", part_of(region, ~mask)), (f"{name}|protected", part_of(stays, mask))]
            rows += [(f"{name}|iou", iou(mask, masks[0]))]
    return [Row(quantity, number, float(value)) for quantity, value in rows]


def two_garments(seed: int, category: Category, level: Level, number: int) -> list[Garment]:
    """Return the body's garment and a second one: of the other kind, with other sleeves, or another dress."""
    first = sample_item_garment(seed, category, number, level)
    if category is Category.UPPER_BODY:
        neckline = "round" if first.neckline in _BARE else first.neckline
        return [
            replace(first, sleeve=sleeve, neckline=neckline) for sleeve in (("sleeveless", "short")[number % 2], "long")
        ]
    candidate = number
    while True:
        candidate += _OTHERS
        garment = sample_item_garment(seed, category, candidate, level)
        if category is Category.DRESSES or garment.kind != first.kind:
            return [first, garment]


def at_target_size(image: RenderedPerson) -> Maps:
    """What the stage gives the recipe."""
    points = image.keypoints.astype(np.float32)
    points[points[:, 2] > MIN_SCORE, :2] *= SIZE[0] / len(image.label_map)
    return Maps(resize_labels(image.label_map, SIZE), resize_labels(image.dense_pose, SIZE), points)


def truth(category: Category, garment: Garment, maps: Maps) -> tuple[Mask, Mask]:
    """The garment, belt included, and all that must stay."""
    labels, dense = maps.labels, maps.dense
    assert dense is not None
    belt = garment.belt is not None and category is not Category.UPPER_BODY
    region = np.isin(labels, [garment.label, *([Label.BELT] if belt else [])])
    stays = np.isin(labels, [*_WHOLE, *_OTHER_HALF[category]])
    for skin, ends in (
        ((Label.HEAD,), (DensePart.HEAD_RIGHT, DensePart.HEAD_LEFT)),
        (_ARMS, (DensePart.RIGHT_HAND, DensePart.LEFT_HAND)),
        (_LEGS, (DensePart.RIGHT_FOOT, DensePart.LEFT_FOOT)),
    ):
        stays |= np.isin(labels, skin) & np.isin(dense, ends)
    return region, stays


def flare(skirt: Maps) -> float:
    """Half-width of a skirt below the hips, where it is widest, in half-widths of the hips."""
    body = body_from_keypoints(skirt.points, SIZE[0])
    hips = round(body.midpoint(Joint.RIGHT_HIP, Joint.LEFT_HIP).imag)
    widths = [np.ptp(np.flatnonzero(row)) + 1 for row in (skirt.labels == Label.SKIRT)[hips:] if row.any()]
    return max(widths, default=0) / 2 / hip_half_width(skirt.dense, body)


def damages(image: RenderedPerson, maps: Maps, rng: np.random.Generator) -> Iterator[tuple[str, Maps]]:
    """Maps as bad parsers and detectors give them."""
    labels, dense, points = maps
    assert dense is not None
    yield "a parser's errors", maps._replace(labels=resize_labels(add_parsing_noise(image.label_map, rng)[0], SIZE))
    yield "labels eroded by 2 px", maps._replace(labels=eroded(labels))
    yield "DensePose eroded by 2 px", maps._replace(dense=eroded(dense))
    for by in (1, 2, 3):
        yield f"labels {by} px aside and down", maps._replace(labels=np.roll(labels, (by, by), (0, 1)))
    yield "DensePose 3 px aside and up", maps._replace(dense=np.roll(dense, (-3, 3), (0, 1)))
    yield "3 % of both maps noise", maps._replace(labels=speckled(labels, 18, rng), dense=speckled(dense, 25, rng))
    yield "left arm in neither map", Maps(without(labels, [14]), without(dense, [4, 15, 17, 19, 21]), points)
    yield "right leg in neither map", Maps(without(labels, [13]), without(dense, [7, 9, 11, 13]), points)
    yield "no DensePose", maps._replace(dense=None)
    yield "empty label map", maps._replace(labels=np.zeros_like(labels))
    yield "no joints", maps._replace(points=np.full((18, 3), (-1, -1, 0), np.float32))


def eroded(ids: Ids) -> Ids:
    """Two pixels of every edge between two ids are lost to the background."""
    kernel = np.ones((5, 5), np.uint8)
    return np.where(cv2.erode(ids, kernel) == cv2.dilate(ids, kernel), ids, np.uint8(0))


def speckled(ids: Ids, count: int, rng: np.random.Generator) -> Ids:
    """Any id at three pixels of a hundred."""
    noise = rng.integers(0, count, ids.shape, np.uint8)
    return np.where(rng.random(ids.shape) < 0.03, noise, ids)


def without(ids: Ids, gone: list[int]) -> Ids:
    """Some ids lost to the background."""
    return np.where(np.isin(ids, gone), np.uint8(0), ids)


def part_of(region: Mask, fault: Mask) -> float:
    """Return the fraction of a region; 0 for an empty one."""
    return cast(int, (region & fault).sum()) / max(int(region.sum()), 1)


def iou(a: Mask, b: Mask) -> float:
    """Return the intersection over union; 1 for two empty masks."""
    return float((a & b).sum() / max(int((a | b).sum()), 1)) if (a | b).any() else 1.0


def report(category: Category, level: Level, rows: list[Row]) -> list[str]:
    """Print one category's tables and return the missed gates."""
    entries: dict[str, list[tuple[float, int]]] = defaultdict(list)
    for row in rows:
        entries[row.quantity].append((row.value, row.number))
    values = {quantity: np.array([value for value, _ in some]) for quantity, some in entries.items()}
    print(f"\n{category.value}, {level}, {len(values['leak'])} rows")
    print(f"  leak: none on {(values['leak'] == 0).mean():.2%}, at most {_most(entries['leak'])}")
    print(f"  protected: mean {values['protected'].mean():.4%}, at most {_most(entries['protected'])}")
    fraction = values["fraction"]
    print(f"  mask fraction: mean {fraction.mean():.1%}, from {fraction.min():.1%} to {_most(entries['fraction'])}")
    for quantity in ("sizes", "pairs", "pairs within the standard flare"):
        if quantity in entries:
            low, number = min(entries[quantity])
            spread = f"median {np.median(values[quantity]):.3f}, 5 % below {np.quantile(values[quantity], 0.05):.3f}"
            print(f"  IoU of {quantity}: {spread}, least {low:.3f} (body {number}), {len(entries[quantity])} pairs")
    for name in dict.fromkeys(quantity.split("|")[0] for quantity in entries if "|" in quantity):
        leak, protected, same = (values[f"{name}|{quantity}"] for quantity in ("leak", "protected", "iou"))
        print(
            f"  {name:27} leak mean {leak.mean():.2%} most {leak.max():.2%}   protected mean {protected.mean():.2%} "
            f"most {protected.max():.2%}   IoU with the clean mask: median {np.median(same):.3f} least {same.min():.3f}"
        )
    sys.stdout.flush()
    return [f"{category.value}, {level}: {quantity}" for quantity, met in _gates(values).items() if not met]


def _most(some: list[tuple[float, int]]) -> str:
    value, number = max(some)
    return f"{value:.3%} (body {number})"


def _gates(values: dict[str, NDArray[np.float64]]) -> dict[str, bool]:
    within = values.get("pairs within the standard flare", np.ones(1))
    skirts = "pairs within the standard flare" in values
    return {
        "rows without leak": bool((values["leak"] == 0).mean() >= LEAK_FREE),
        "largest leak": values["leak"].max() <= LEAK,
        "mean protected": values["protected"].mean() <= PROTECTED_MEAN,
        "largest protected": values["protected"].max() <= PROTECTED,
        "IoU between sizes": values["sizes"].min() >= SIZES,
        "IoU of trousers and skirt": not skirts or bool(np.median(values["pairs"]) >= PAIRS),
        "IoU within the standard flare": within.min() >= PAIRS,
    }


if __name__ == "__main__":
    sys.exit(main())
