"""A person in clothes: photo, label map, DensePose and key points from one geometry."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from tryon.categories import Category, Level
from tryon.dresscode.layout import HEIGHT, WIDTH
from tryon.synthetic.figure.appearance import Appearance, sample_appearance
from tryon.synthetic.figure.body import ANKLE, Body, sample_build
from tryon.synthetic.figure.camera import Camera, sample_camera
from tryon.synthetic.figure.keypoints import find_keypoints
from tryon.synthetic.figure.pose import SIDES, sample_pose
from tryon.synthetic.figure.skin import arm_depths, skin_layers
from tryon.synthetic.garments.cloth import DEPTH_INNER, DEPTH_OUTER, FlatGarment, garment_layers, lay_flat
from tryon.synthetic.garments.sample_garment import Garment, sample_garment
from tryon.synthetic.paint.background import paint_background
from tryon.synthetic.paint.ground_truth import GroundTruthPlanes
from tryon.synthetic.paint.layers import Canvas, Layer, darken


@dataclass(frozen=True)
class PersonSpec:
    """A person in front of a camera, without the garment of the pair.

    Args:
        category: whose photos it belongs to; says which garment is changed.
        body: shape and pose.
        look: skin, hair, shoes.
        camera: framing.
        other: what is worn beside the garment of the pair; None with dresses.
        tucked: the top is tucked into what is worn below.
        level: how hard the image is; of background and, where it has to be drawn, clothing.
        seed: fixes background, folds and which joints are missed.
    """

    category: Category
    body: Body
    appearance: Appearance
    camera: Camera
    other_garment: Garment | None
    tucked: bool
    level: Level
    seed: int

    def outfit(self, garment: Garment) -> list[Garment]:
        """What the person wears with a garment of any category: a dress alone, a top or bottoms with the other half.

        Where the photo's own other half would be the same half, another one is drawn from the figure's seed.
        """
        if garment.kind == "dress":
            return [garment]
        if self.other_garment is not None and (self.other_garment.kind == "top") != (garment.kind == "top"):
            return [garment, self.other_garment]
        half = Category.LOWER_BODY if garment.kind == "top" else Category.UPPER_BODY
        return [garment, sample_garment(half, np.random.default_rng((self.seed, 1)), self.level)]


@dataclass(frozen=True)
class RenderedPerson:
    """A rendered person.

    Args:
        photo: uint8 (1024, 768, 3), RGB.
        label_map: uint8 (1024, 768), ATR ids.
        dense_pose: uint8 (1024, 768), DensePose ids.
        keypoints: float64 (18, 3): x, y in pixels of the photo, score; missing (-1, -1, 0).
        truth: surface coordinates, flow and cover of the garment, where they were asked for.
    """

    photo: NDArray[np.uint8]
    label_map: NDArray[np.uint8]
    dense_pose: NDArray[np.uint8]
    keypoints: NDArray[np.float64]
    truth: GroundTruthPlanes | None = None


_GROUND_STEP = 8
_GROUND_SHADOW = ((90, 0.062, 0.02), (255, 0.036, 0.0105))
"""Ellipses of shadow under a foot: strength, half-width and half-height in body heights; the near one over the wide."""

_OTHER = {Category.UPPER_BODY: Category.LOWER_BODY, Category.LOWER_BODY: Category.UPPER_BODY}


def sample_person(category: Category, rng: np.random.Generator, level: Level) -> PersonSpec:
    """Draw a person for a category's photos."""
    tucked = rng.random() < (0.85 if category is Category.LOWER_BODY else 0.2)
    other = sample_garment(_OTHER[category], rng, level) if category in _OTHER else None
    body = Body(sample_build(rng, level), sample_pose(rng, level))
    look, camera = sample_appearance(rng, level), sample_camera(category, rng, level)
    return PersonSpec(category, body, look, camera, other, tucked, level, int(rng.integers(2**32)))


def render_person(figure: PersonSpec, garment: FlatGarment, truth: bool = False) -> RenderedPerson:
    """Render a person wearing a garment of any category. The same figure in another one differs only by the clothes.

    Args:
        figure: the person.
        garment: the garment of the pair, laid flat.
        truth: keep the planes of `LossTargets`, too; everything else is the same without.
    """
    body, camera = figure.body, figure.camera
    rng = np.random.default_rng(figure.seed)
    floor = camera(np.array([0.0, rng.uniform(0.86, 0.95)]))[1]
    canvas = Canvas(paint_background(rng, floor, figure.level), truth)
    _ground(canvas.photo, body, camera)
    canvas.paint(*sorted(_layers(figure, garment, truth), key=lambda layer: layer.depth))
    return RenderedPerson(
        canvas.photo, canvas.label_map, canvas.dense_pose, find_keypoints(body, camera, rng), canvas.truth
    )


def _layers(figure: PersonSpec, garment: FlatGarment, truth: bool) -> list[Layer]:
    """All layers of a person, in no particular order."""
    body, camera = figure.body, figure.camera
    worn = [garment, *(lay_flat(other) for other in figure.outfit(garment.garment)[1:])]
    sleeved = any(flat.garment.sleeve in ("short", "long") for flat in worn)
    layers = skin_layers(body, figure.appearance, camera, sleeved)
    depths = arm_depths(body)
    for flat in worn:
        above = flat.garment.kind == "dress" or (flat.garment.kind == "top") != figure.tucked
        depth = DEPTH_OUTER if above else DEPTH_INNER
        tucked = flat.garment.kind == "top" and figure.tucked
        pair = truth and flat is garment
        layers += garment_layers(flat, body, camera, depth, depths, figure.seed, tucked, pair)
    return layers


def _ground(photo: NDArray[np.uint8], body: Body, camera: Camera) -> None:
    """Darken the floor under the feet, so that the figure stands on it."""
    feet = [camera(body.leg_point(side, ANKLE) * 0.35 + body.toe_point(side) * 0.65 + 0.004) for side in SIDES]
    cast = np.zeros((HEIGHT // _GROUND_STEP, WIDTH // _GROUND_STEP), np.uint8)
    for strength, *axes in _GROUND_SHADOW:
        size = [round(camera.scale * axis / _GROUND_STEP * 16) for axis in axes]
        for foot in feet:
            middle = [round(float(n) / _GROUND_STEP * 16) for n in foot]
            cv2.ellipse(cast, middle, size, 0, 0, 360, strength, cv2.FILLED, cv2.LINE_AA, 4)
    left, top, width, height = cv2.boundingRect(cast)
    if width:
        rows, columns = (
            slice(max(start - 4, 0), start + length + 4) for start, length in ((top, height), (left, width))
        )
        window = photo[rows.start * _GROUND_STEP : rows.stop * _GROUND_STEP]
        window = window[:, columns.start * _GROUND_STEP : columns.stop * _GROUND_STEP]
        darken(window, cv2.GaussianBlur(cast[rows, columns], (0, 0), 1.2), 0.55)
