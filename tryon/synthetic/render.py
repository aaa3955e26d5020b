"""Render a dressed person: photo, label map, DensePose and key points from one geometry."""

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
        category: category of the photo, which defines the garment that is exchanged.
        body: shape and pose.
        appearance: skin, hair, shoes and accessories.
        camera: framing.
        other_garment: the other half of the outfit; None with dresses.
        tucked: whether the top is tucked in.
        level: difficulty of background and additional clothing.
        seed: seed of background, folds and missed joints.
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
        """Return the outfit with a garment of any category: a dress alone, or a top and bottoms.

        If the person's other garment covers the same half of the body, a different one is sampled from the seed.
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
        truth: surface coordinates, flow and cover of the garment, if requested.
    """

    photo: NDArray[np.uint8]
    label_map: NDArray[np.uint8]
    dense_pose: NDArray[np.uint8]
    keypoints: NDArray[np.float64]
    truth: GroundTruthPlanes | None = None


_SHADOW_STEP = 8
_FOOT_SHADOWS = ((90, 0.062, 0.02), (255, 0.036, 0.0105))
"""Shadow ellipses under a foot, wide and narrow: strength, half-width and half-height in body heights."""

_OTHER_HALF = {Category.UPPER_BODY: Category.LOWER_BODY, Category.LOWER_BODY: Category.UPPER_BODY}


def sample_person(category: Category, rng: np.random.Generator, level: Level) -> PersonSpec:
    """Sample a person for the photos of a category."""
    tucked = rng.random() < (0.85 if category is Category.LOWER_BODY else 0.2)
    other_garment = sample_garment(_OTHER_HALF[category], rng, level) if category in _OTHER_HALF else None
    body = Body(sample_build(rng, level), sample_pose(rng, level))
    appearance, camera = sample_appearance(rng, level), sample_camera(category, rng, level)
    return PersonSpec(category, body, appearance, camera, other_garment, tucked, level, int(rng.integers(2**32)))


def render_person(person: PersonSpec, garment: FlatGarment, truth: bool = False) -> RenderedPerson:
    """Render a person in the pair's garment; another garment changes nothing but the clothes.

    `truth` adds `GroundTruthPlanes` and changes nothing else.
    """
    body, camera = person.body, person.camera
    rng = np.random.default_rng(person.seed)
    floor = camera(np.array([0.0, rng.uniform(0.86, 0.95)]))[1]
    canvas = Canvas(paint_background(rng, floor, person.level), truth)
    _draw_foot_shadows(canvas.photo, body, camera)
    canvas.paint(*sorted(_layers(person, garment, truth), key=lambda layer: layer.depth))
    keypoints = find_keypoints(body, camera, rng)
    return RenderedPerson(canvas.photo, canvas.label_map, canvas.dense_pose, keypoints, canvas.truth)


def _layers(person: PersonSpec, garment: FlatGarment, truth: bool) -> list[Layer]:
    body, camera = person.body, person.camera
    outfit = [garment, *(lay_flat(other_garment) for other_garment in person.outfit(garment.garment)[1:])]
    sleeved = any(flat.garment.sleeve in ("short", "long") for flat in outfit)
    layers = skin_layers(body, person.appearance, camera, sleeved)
    depths = arm_depths(body)
    for flat in outfit:
        above = flat.garment.kind == "dress" or (flat.garment.kind == "top") != person.tucked
        depth = DEPTH_OUTER if above else DEPTH_INNER
        tucked = flat.garment.kind == "top" and person.tucked
        keep_flow = truth and flat is garment
        layers += garment_layers(flat, body, camera, depth, depths, person.seed, tucked, keep_flow)
    return layers


def _draw_foot_shadows(photo: NDArray[np.uint8], body: Body, camera: Camera) -> None:
    """Darken the floor under the feet."""
    feet = [camera(body.leg_point(side, ANKLE) * 0.35 + body.toe_point(side) * 0.65 + 0.004) for side in SIDES]
    shadow = np.zeros((HEIGHT // _SHADOW_STEP, WIDTH // _SHADOW_STEP), np.uint8)
    for strength, *axes in _FOOT_SHADOWS:
        size = [round(camera.scale * axis / _SHADOW_STEP * 16) for axis in axes]
        for foot in feet:
            center = [round(float(n) / _SHADOW_STEP * 16) for n in foot]
            cv2.ellipse(shadow, center, size, 0, 0, 360, strength, cv2.FILLED, cv2.LINE_AA, 4)
    left, top, width, height = cv2.boundingRect(shadow)
    if width:
        rows, columns = (
            slice(max(start - 4, 0), start + length + 4) for start, length in ((top, height), (left, width))
        )
        window = photo[rows.start * _SHADOW_STEP : rows.stop * _SHADOW_STEP]
        window = window[:, columns.start * _SHADOW_STEP : columns.stop * _SHADOW_STEP]
        darken(window, cv2.GaussianBlur(shadow[rows, columns], (0, 0), 1.2), 0.55)
