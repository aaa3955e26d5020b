"""The oracle warp is exact on constant colors, changes the garment only, and beats the baselines."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tryon.categories import Category, Split
from tryon.dresscode.pair_lists import Pair
from tryon.dresscode.readers import decode_photo, resize_photo
from tryon.evaluate.baselines import masked_input, mean_color_fill
from tryon.manifest.mask_png import encode_mask
from tryon.runtime.atomic_files import sha256_bytes
from tryon.sample.oracle_warp import oracle_warp
from tryon.sample.packing import COPIED, RAW_ROLES, pack_row
from tryon.synthetic.item_files import RenderOptions, make_ground_truth, make_item
from tryon.workspace import Workspace

FULL, SIZE = (128, 96), (32, 24)
COLOR = np.array([200, 40, 90], np.uint8)


def noise(seed: int, size: tuple[int, int] = FULL) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (*size, 3), np.uint8)


def worn() -> tuple[np.ndarray, np.ndarray]:
    """Cover of a garment that an arm crosses, uint8, and a flow that moves it 10 right and 20 down, float32."""
    cover = np.zeros(FULL, np.uint8)
    cover[30:101, 20:71] = 1
    cover[50:61] *= 2
    rows, columns = np.indices(FULL, np.float32)
    return np.stack([columns - 10, rows - 20], -1) * (cover > 0)[..., None].astype(np.float32), cover


def test_garment_of_one_color_is_exact() -> None:
    flow, cover = worn()
    true = noise(1)
    true[cover == 1] = COLOR
    warped, contains_garment = oracle_warp(np.full((*FULL, 3), COLOR), (flow, cover), true, SIZE)
    assert np.array_equal(warped, resize_photo(true, SIZE))
    assert contains_garment.shape == SIZE


def test_visible_garment_follows_the_flow_and_the_rest_is_the_ground_truth() -> None:
    (flow, cover), garment, true = worn(), noise(2), noise(3)
    warped, contains_garment = oracle_warp(garment, (flow, cover), true, FULL)
    moved = np.roll(garment, (20, 10), (0, 1))
    assert np.array_equal(warped[cover == 1], moved[cover == 1])
    assert np.array_equal(warped[cover != 1], true[cover != 1])  # the background, and the arm
    assert np.array_equal(contains_garment, cover == 1)


def test_mask_covers_every_pixel_that_contains_garment() -> None:
    (flow, cover), garment, true = worn(), noise(2), noise(3)
    warped, contains_garment = oracle_warp(garment, (flow, cover), true, SIZE)
    blocks = (cover == 1).reshape(SIZE[0], 4, SIZE[1], 4).any((1, 3))
    assert np.array_equal(contains_garment, blocks)
    assert np.array_equal(warped[~contains_garment], resize_photo(true, SIZE)[~contains_garment])


def synthetic_row(workspace: Workspace, category: Category, split: Split, flow: bool) -> dict[str, Any]:
    """A packed row of person 0, paired in garment 0, unpaired in garment 1."""
    content, garment = RenderOptions(flow=flow), int(split is Split.TEST_UNPAIRED)
    made = [make_item(5, category, number, f"{number:06d}", content) for number in {0, garment}]
    pair = Pair("000000", f"{garment:06d}")
    if garment:
        made.append(make_ground_truth(5, category, (0, 1), pair, content))
    names = {"person_id": pair.person_id, "garment_id": pair.garment_id, "pair_id": pair.pair_id}
    row: dict[str, Any] = dict.fromkeys(COPIED) | names | {"category": str(category), "split": str(split)}
    row |= dict.fromkeys([*RAW_ROLES, *(f"{role}_sha256" for role in RAW_ROLES)])
    ends = {
        "person": "images/000000_0.jpg", "garment": f"images/{pair.garment_id}_1.jpg",
        "keypoints": "keypoints/000000_2.json", "label_map": "label_maps/000000_4.png",
        "truth": f"truth/{pair.pair_id}.jpg", "truth_label_map": f"truth/{pair.pair_id}.png",
        "flow": f"flow/{pair.pair_id}.png",
    }  # fmt: skip
    for name, data in (file for item in made for file in item.archive + item.truth):
        for role, end in ends.items():
            if name == f"{category}/{end}":
                (workspace.raw / name).parent.mkdir(parents=True, exist_ok=True)
                (workspace.raw / name).write_bytes(data)
                row |= {role: name, f"{role}_sha256": sha256_bytes(data)}
    mask = np.ones((128, 96), np.bool_)
    return pack_row(row | {"part": str(split), "mask_png": encode_mask(mask)}, (128, 96), workspace)


@pytest.mark.slow
@pytest.mark.parametrize("split", [Split.TEST_PAIRED, Split.TEST_UNPAIRED])
@pytest.mark.parametrize("category", list(Category))
def test_beats_both_baselines_on_synthetic_data(tmp_path: Path, category: Category, split: Split) -> None:
    row = synthetic_row(Workspace(tmp_path), category, split, flow=True)
    true = "truth" if split is Split.TEST_UNPAIRED else "person"
    images = {name: decode_photo(row[name])[None] for name in ("person", "garment", "oracle_warp", true)}
    bits = row["truth_garment_mask" if split is Split.TEST_UNPAIRED else "garment_mask"]
    inside = np.unpackbits(np.frombuffer(bits, np.uint8)).reshape(1, 128, 96).astype(bool)
    masked = np.ones_like(inside)

    def error(result: np.ndarray, where: np.ndarray) -> float:
        return float(np.abs(result.astype(float) - images[true])[where].mean())

    oracle = error(images["oracle_warp"], inside)
    mean_color = mean_color_fill(images["person"], masked, images["garment"])
    assert 0 < oracle < 0.75 * min(error(mean_color, inside), error(masked_input(images["person"], masked), inside))
    assert error(images["oracle_warp"], ~inside) < 1  # at most the garment's edge


def test_no_flow_gives_no_oracle_warp(tmp_path: Path) -> None:
    for split in (Split.TEST_PAIRED, Split.TEST_UNPAIRED):
        row = synthetic_row(Workspace(tmp_path / split), Category.DRESSES, split, flow=False)
        assert row["oracle_warp"] is None
