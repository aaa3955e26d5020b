from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tryon.dresscode.labels import Label
from tryon.synthetic.figure.accessories import (
    DEPTH_BAG,
    Accessories,
    Bag,
    accessory_layers,
    carrying_hand,
    sample_accessories,
)
from tryon.synthetic.figure.body import Body
from tryon.synthetic.figure.camera import Camera
from tryon.synthetic.figure.pose import LEFT, MANNEQUIN, RIGHT, Arm
from tryon.synthetic.figure.skin import DEPTH_ARM, arm_depths
from tryon.synthetic.garments.cloth import DEPTH_OUTER

WHOLE = Camera(900.0, 384.0, 60.0)
HIP = Arm("hip", 0, 0, 1.0, 0.42)


def bag(kind) -> Accessories:
    return Accessories(Bag(kind, LEFT, (120, 80, 40), 0.12), None, False)


@pytest.mark.parametrize(("level", "share"), [("easy", 0.0), ("catalogue", 0.08), ("wild", 0.25)])
def test_how_many_carry_a_bag(level, share):
    drawn = [sample_accessories(np.random.default_rng(number), level) for number in range(1500)]
    assert np.mean([found.bag is not None for found in drawn]) == pytest.approx(share, abs=0.03)
    if level != "wild":
        assert not any(found.hat or found.glasses for found in drawn)
    else:
        assert 0.05 < np.mean([found.hat is not None for found in drawn]) < 0.2
        assert 0.05 < np.mean([found.glasses for found in drawn]) < 0.2


@pytest.mark.parametrize("kind", ["crossbody", "shoulder", "handbag"])
def test_bags_lie_over_the_clothes_and_under_the_arms(kind):
    body = Body()
    layers = accessory_layers(bag(kind), body, WHOLE, arm_depths(body))
    assert layers
    assert all(layer.label == Label.BAG for layer in layers)
    assert all(DEPTH_OUTER < layer.depth < DEPTH_ARM for layer in layers)
    assert all(layer.dense is None for layer in layers)


def test_a_strap_goes_across_the_chest_or_stays_on_its_side():
    body = Body()
    middle = 384.0
    starts = []
    for kind in ("crossbody", "shoulder"):
        strap = accessory_layers(bag(kind), body, WHOLE, arm_depths(body))[0]
        x = strap.points[:, 4, 0]
        starts.append(x[0] - middle)
        assert x[-1] > middle  # the bag hangs on the wearer's left
    assert starts[0] < 0 < starts[1]


def test_a_handbag_hangs_from_a_hand_that_is_free():
    assert carrying_hand(bag("handbag"), Body()) == LEFT
    one = Body(pose=replace(MANNEQUIN, arms=(MANNEQUIN.arms[0], HIP)))
    assert carrying_hand(bag("handbag"), one) == RIGHT
    none = Body(pose=replace(MANNEQUIN, arms=(HIP, HIP)))
    assert carrying_hand(bag("handbag"), none) is None
    held = accessory_layers(bag("handbag"), Body(), WHOLE, arm_depths(Body()))
    assert len(held) == 1
    wrist = WHOLE(Body().arm_joints(LEFT)["WRIST"])
    assert abs(held[0].points[..., 0].mean() - wrist[0]) < 60
    assert held[0].points[..., 1].max() > wrist[1] + 80
    assert {layer.depth for layer in accessory_layers(bag("handbag"), none, WHOLE, arm_depths(none))} >= {DEPTH_BAG}
