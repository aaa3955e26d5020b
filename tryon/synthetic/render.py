"""A person in clothes: photo, label map, DensePose and key points from one geometry."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tryon.categories import Category
from tryon.dresscode.labels import Joint
from tryon.dresscode.layout import HEIGHT, WIDTH
from tryon.synthetic.figure.body import Body, sample_build
from tryon.synthetic.figure.camera import Camera, sample_camera
from tryon.synthetic.figure.look import Look, sample_look
from tryon.synthetic.figure.pose import sample_pose
from tryon.synthetic.figure.skin import arm_depths, skin_layers
from tryon.synthetic.garments.cloth import DEPTH_INNER, DEPTH_OUTER, FlatGarment, lay_flat, to_bytes, worn_layers
from tryon.synthetic.garments.kinds import Garment, sample_garment
from tryon.synthetic.levels import Level
from tryon.synthetic.paint.background import paint_background
from tryon.synthetic.paint.layers import Canvas

_HEAD_JOINTS = (Joint.NOSE, Joint.RIGHT_EYE, Joint.LEFT_EYE, Joint.RIGHT_EAR, Joint.LEFT_EAR)
_CROPPED_REACH = 90.0  # pixels above the frame up to which a joint of the head is still found, at y = 0


@dataclass(frozen=True)
class Figure:
    """A person in front of a camera, without the garment of the pair.

    Args:
        category: whose photos it belongs to; says which garment is changed.
        body: shape and pose.
        look: skin, hair, shoes.
        camera: framing.
        other: what is worn beside the garment of the pair; None with dresses.
        tucked: the top is tucked into what is worn below.
        level: how hard the picture is; of background and, where it has to be drawn, clothing.
        seed: fixes background, folds and which joints are missed.
    """

    category: Category
    body: Body
    look: Look
    camera: Camera
    other: Garment | None
    tucked: bool
    level: Level
    seed: int

    def outfit(self, garment: Garment) -> list[Garment]:
        """What the person wears with a garment of any category: a dress alone, a top or bottoms with the other half.

        Where the photo's own other half would be the same half, another one is drawn from the figure's seed.
        """
        if garment.kind == "dress":
            return [garment]
        if self.other is not None and (self.other.kind == "top") != (garment.kind == "top"):
            return [garment, self.other]
        half = Category.LOWER_BODY if garment.kind == "top" else Category.UPPER_BODY
        return [garment, sample_garment(half, np.random.default_rng((self.seed, 1)), self.level)]


@dataclass(frozen=True)
class Picture:
    """A rendered person.

    Args:
        photo: uint8 (1024, 768, 3), RGB.
        label_map: uint8 (1024, 768), ATR ids.
        dense_pose: uint8 (1024, 768), DensePose ids.
        keypoints: float64 (18, 3): x, y in pixels of the photo, score; missing (-1, -1, 0).
    """

    photo: NDArray[np.uint8]
    label_map: NDArray[np.uint8]
    dense_pose: NDArray[np.uint8]
    keypoints: NDArray[np.float64]


_OTHER = {Category.UPPER_BODY: Category.LOWER_BODY, Category.LOWER_BODY: Category.UPPER_BODY}


def sample_figure(category: Category, rng: np.random.Generator, level: Level) -> Figure:
    """Draw a person for a category's photos."""
    tucked = rng.random() < (0.85 if category is Category.LOWER_BODY else 0.2)
    other = sample_garment(_OTHER[category], rng, level) if category in _OTHER else None
    body = Body(sample_build(rng), sample_pose(rng, level))
    look, camera = sample_look(rng, level), sample_camera(category, rng, level)
    return Figure(category, body, look, camera, other, tucked, level, int(rng.integers(2**32)))


def render_person(figure: Figure, garment: FlatGarment) -> Picture:
    """Render a person wearing a garment of any category. The same figure in another one differs only by the clothes."""
    body, camera = figure.body, figure.camera
    rng = np.random.default_rng(figure.seed)
    floor = camera(np.array([0.0, rng.uniform(0.86, 0.95)]))[1]
    canvas = Canvas(paint_background(rng, floor, figure.level))
    worn = [garment, *(lay_flat(other) for other in figure.outfit(garment.garment)[1:])]
    sleeved = any(flat.garment.sleeve in ("short", "long") for flat in worn)
    layers = skin_layers(body, figure.look, camera, sleeved)
    for flat in worn:
        above = flat.garment.kind == "dress" or (flat.garment.kind == "top") != figure.tucked
        depth = DEPTH_OUTER if above else DEPTH_INNER
        tucked = flat.garment.kind == "top" and figure.tucked
        layers += worn_layers(flat, body, camera, depth, arm_depths(body), figure.seed, tucked)
    for layer in sorted(layers, key=lambda layer: layer.depth):
        canvas.paint(layer)
    keypoints = find_keypoints(figure, rng)
    return Picture(to_bytes(canvas.photo), canvas.label_map, canvas.dense_pose, keypoints)


def find_keypoints(figure: Figure, rng: np.random.Generator) -> NDArray[np.float64]:
    """What a pose estimator finds: joints in the frame, heads just above it at y = 0, nothing of hidden joints.

    Returns:
        float64 (18, 3): x, y in pixels of the photo, score; missing (-1, -1, 0).
    """
    points = np.concatenate([figure.camera(figure.body.joints), rng.uniform(0.72, 0.97, (18, 1))], axis=1)
    for joint in _HEAD_JOINTS:
        if -_CROPPED_REACH < points[joint, 1] < 0:
            points[joint, 1:] = 0, points[joint, 2] * 0.5
    x, y = points[:, 0], points[:, 1]
    missing = (x < 0) | (x > WIDTH - 1) | (y < 0) | (y > HEIGHT - 1)
    for arm, wrist in zip(figure.body.pose.arms, (Joint.RIGHT_WRIST, Joint.LEFT_WRIST), strict=True):
        missing[wrist] |= arm.kind == "behind"
    for ear, towards in ((Joint.RIGHT_EAR, -1), (Joint.LEFT_EAR, 1)):
        missing[ear] |= figure.body.pose.turn * towards > 0.35
    missing |= rng.random(18) < np.where(np.isin(np.arange(18), _HEAD_JOINTS), 0.02, 0.004)
    points[missing] = -1, -1, 0
    return points
