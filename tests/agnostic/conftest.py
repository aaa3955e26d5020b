"""Simple figures drawn from polygons at any size, and a small indexed data set of them on disk."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass, replace

import cv2
import numpy as np
import pytest
from PIL import Image

from tryon.categories import Category
from tryon.dresscode.labels import DensePart, Joint, Label
from tryon.dresscode.layout import pair_id, relative_path
from tryon.manifest import INDEX, table_from_rows, write_table
from tryon.runtime.atomic_files import sha256_bytes
from tryon.workspace import Workspace

# Joints at a height of 512, seen from the front: the wearer's right is on the left of the image.
JOINTS = {
    Joint.NOSE: (192, 62), Joint.NECK: (192, 112), Joint.RIGHT_SHOULDER: (148, 114), Joint.LEFT_SHOULDER: (236, 114),
    Joint.RIGHT_HIP: (169, 236), Joint.LEFT_HIP: (215, 236), Joint.RIGHT_KNEE: (166, 340), Joint.LEFT_KNEE: (218, 340),
    Joint.RIGHT_ANKLE: (164, 440), Joint.LEFT_ANKLE: (220, 440), Joint.RIGHT_EYE: (183, 52), Joint.LEFT_EYE: (201, 52),
    Joint.RIGHT_EAR: (168, 58), Joint.LEFT_EAR: (216, 58),
}  # fmt: skip

ARMS = {  # elbow and wrist of the wearer's left arm, mirrored for the right
    "side": ((256, 180), (262, 245)),
    "bent": ((276, 178), (228, 208)),
    "crossed": ((246, 184), (168, 190)),
}


@dataclass(frozen=True)
class Figure:
    """Garment, pose and image size of one person."""

    worn: str = "trousers"  # trousers | skirt | dress
    sleeve: str = "short"  # sleeveless | short | long
    arms: str = "side"
    flare: float = 1.3  # half-width of the hem as a multiple of the hip's
    length: float = 0.7  # of a skirt or dress, from hip (0) to ankle (1)
    size: tuple[int, int] = (512, 384)

    def with_(self, **changes) -> Figure:
        return replace(self, **changes)

    @property
    def category(self) -> Category:
        return Category.DRESSES if self.worn == "dress" else Category.LOWER_BODY

    @property
    def joints(self) -> np.ndarray:
        points = np.zeros((18, 2))
        for joint, point in JOINTS.items():
            points[joint] = point
        elbow, wrist = ARMS[self.arms]
        points[[Joint.LEFT_ELBOW, Joint.LEFT_WRIST]] = elbow, wrist
        points[[Joint.RIGHT_ELBOW, Joint.RIGHT_WRIST]] = [(384 - x, y) for x, y in (elbow, wrist)]
        return points

    @property
    def keypoints(self) -> np.ndarray:
        return np.column_stack([self.joints * self.size[0] / 512, np.full(18, 0.9)]).astype(np.float32)

    @property
    def label_map(self) -> np.ndarray:
        return _draw_labels(self)

    @property
    def dense_pose(self) -> np.ndarray:
        return _draw_dense(self)

    @property
    def maps(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        return self.label_map, self.dense_pose, self.keypoints


@pytest.fixture(scope="session")
def figure() -> Figure:
    """A person in top and trousers; `figure.with_(...)` returns a variant."""
    return Figure()


def _polygon(image, value, points) -> None:
    scale = image.shape[0] / 512
    cv2.fillPoly(image, [np.round(np.array(points) * scale * 16).astype(np.int32)], int(value), cv2.LINE_8, 4)


def _ellipse(image, value, center, axes) -> None:
    turn = np.linspace(0, 2 * np.pi, 33)[:-1, None]
    _polygon(image, value, np.array(center) + np.hstack([np.cos(turn), np.sin(turn)]) * axes)


def _limb(image, value, start, end, half_width) -> None:
    start, end = np.array(start, float), np.array(end, float)
    along = (end - start) / np.hypot(*(end - start))
    across = np.array([-along[1], along[0]]) * half_width
    _polygon(image, value, [start - across, end - across, end + across, start + across])
    for point in (start, end):
        _ellipse(image, value, point, (half_width, half_width))


def _down(point, by) -> np.ndarray:
    return point + np.array([0, by])


def _hand(figure: Figure, side: str) -> np.ndarray:
    elbow, wrist = (figure.joints[Joint[f"{side}_{name}"]] for name in ("ELBOW", "WRIST"))
    return wrist + (wrist - elbow) / np.hypot(*(wrist - elbow)) * 16


TRUNK = [(140, 108), (178, 100), (206, 100), (244, 108), (232, 180), (236, 236), (228, 262), (156, 262), (148, 236),
         (152, 180)]  # fmt: skip


def _draw_dense(figure: Figure) -> np.ndarray:
    dense = np.zeros(figure.size, np.uint8)
    joints = figure.joints
    for side, thigh, shin, foot in (
        ("RIGHT", DensePart.RIGHT_UPPER_LEG_FRONT, DensePart.RIGHT_LOWER_LEG_FRONT, DensePart.RIGHT_FOOT),
        ("LEFT", DensePart.LEFT_UPPER_LEG_FRONT, DensePart.LEFT_LOWER_LEG_FRONT, DensePart.LEFT_FOOT),
    ):
        hip, knee, ankle = (joints[Joint[f"{side}_{name}"]] for name in ("HIP", "KNEE", "ANKLE"))
        _limb(dense, thigh, _down(hip, 20), knee, 21)
        _limb(dense, shin, knee, ankle, 14)
        _ellipse(dense, foot, _down(ankle, 18), (15, 18))
    _polygon(dense, DensePart.TORSO_FRONT, TRUNK)
    _ellipse(dense, DensePart.HEAD_RIGHT, (192, 58), (27, 40))
    for side, upper, lower, hand in (
        ("RIGHT", DensePart.RIGHT_UPPER_ARM_OUTER, DensePart.RIGHT_LOWER_ARM_OUTER, DensePart.RIGHT_HAND),
        ("LEFT", DensePart.LEFT_UPPER_ARM_OUTER, DensePart.LEFT_LOWER_ARM_OUTER, DensePart.LEFT_HAND),
    ):
        shoulder, elbow, wrist = (joints[Joint[f"{side}_{name}"]] for name in ("SHOULDER", "ELBOW", "WRIST"))
        _limb(dense, upper, shoulder, elbow, 11)
        _limb(dense, lower, elbow, wrist, 9)
        _ellipse(dense, hand, _hand(figure, side), (11, 13))
    return dense


def _draw_labels(figure: Figure) -> np.ndarray:
    labels = np.zeros(figure.size, np.uint8)
    joints = figure.joints
    _ellipse(labels, Label.HAIR, (192, 60), (36, 52))
    _ellipse(labels, Label.HEAD, (192, 62), (25, 38))
    _polygon(labels, Label.HEAD, [(178, 90), (206, 90), (214, 112), (192, 136), (170, 112)])
    _draw_legs(figure, labels)
    cloth = Label.DRESS if figure.worn == "dress" else Label.UPPER_CLOTHES
    _polygon(labels, cloth, [(140, 106), (172, 100), (192, 132), (212, 100), (244, 106), (236, 180), (240, 252),
                             (144, 252), (148, 180)])  # fmt: skip
    for side, skin in (("RIGHT", Label.RIGHT_ARM), ("LEFT", Label.LEFT_ARM)):
        shoulder, elbow, wrist = (joints[Joint[f"{side}_{name}"]] for name in ("SHOULDER", "ELBOW", "WRIST"))
        _limb(labels, skin, shoulder, elbow, 11)
        _limb(labels, skin, elbow, wrist, 9)
        _ellipse(labels, skin, _hand(figure, side), (11, 13))
        if figure.sleeve != "sleeveless":
            end = elbow if figure.sleeve == "long" else shoulder + 0.6 * (elbow - shoulder)
            _limb(labels, cloth, shoulder, end, 15)
        if figure.sleeve == "long":
            _limb(labels, cloth, elbow, elbow + 0.95 * (wrist - elbow), 12)
    return labels


def _draw_legs(figure: Figure, labels: np.ndarray) -> None:
    joints = figure.joints
    legs = {"RIGHT": (Label.RIGHT_LEG, Label.RIGHT_SHOE), "LEFT": (Label.LEFT_LEG, Label.LEFT_SHOE)}
    for side, (skin, shoe) in legs.items():
        hip, knee, ankle = (joints[Joint[f"{side}_{name}"]] for name in ("HIP", "KNEE", "ANKLE"))
        _limb(labels, skin, _down(hip, 20), knee, 21)
        _limb(labels, skin, knee, ankle, 14)
        _ellipse(labels, shoe, _down(ankle, 18), (16, 19))
        if figure.worn == "trousers":
            _limb(labels, Label.PANTS, hip, knee, 24)
            _limb(labels, Label.PANTS, knee, _down(ankle, -16), 19)
    if figure.worn == "trousers":
        _polygon(labels, Label.PANTS, [(148, 220), (236, 220), (238, 262), (146, 262)])
    else:
        cloth, hem = Label.SKIRT if figure.worn == "skirt" else Label.DRESS, 240 + figure.length * 200
        half = 48 * figure.flare
        _polygon(labels, cloth, [(150, 210), (234, 210), (240, 245), (192 + half, hem), (192 - half, hem), (144, 245)])


def write_person(workspace: Workspace, category: Category, item: str, figure: Figure) -> dict:
    """Write one person's files below data/raw; return their columns of the index."""
    labels = Image.fromarray(figure.label_map)
    labels.putpalette([value * 40 % 256 for value in range(256) for _ in range(3)])
    points = [[*point, 0.9, number] for number, point in enumerate(figure.joints.tolist())]
    photo = cv2.applyColorMap(figure.label_map * 14, cv2.COLORMAP_VIRIDIS)
    content = {
        "person": cv2.imencode(".jpg", photo)[1].tobytes(),
        "label_map": _png(labels),
        "dense_pose": _png(Image.fromarray(figure.dense_pose)),
        "keypoints": json.dumps({"keypoints": points}).encode(),
    }
    columns = {}
    for role, data in content.items():
        relative = relative_path(role, category, item)
        (workspace.raw / relative).parent.mkdir(parents=True, exist_ok=True)
        (workspace.raw / relative).write_bytes(data)
        columns |= {role: str(relative), f"{role}_bytes": len(data), f"{role}_sha256": sha256_bytes(data)}
    return columns


def _png(image: Image.Image) -> bytes:
    stream = io.BytesIO()
    image.save(stream, "PNG")
    return stream.getvalue()


SLEEVES = ("sleeveless", "short", "long")


@pytest.fixture(scope="session")
def write_one():
    """Return `write_person`."""
    return write_person


@pytest.fixture
def indexed(tmp_path, figure) -> Workspace:
    """Five people in dresses: train pairs, unpaired test pairs of the same people, and one quarantined row."""
    workspace, category = Workspace(tmp_path), Category.DRESSES
    rows = []
    for number in range(5):
        item = f"{number:06d}"
        person = figure.with_(worn="dress", sleeve=SLEEVES[number % 3], length=0.4 + 0.1 * number, size=(128, 96))
        columns = write_person(workspace, category, item, person)
        for split, garment in (("train", item), ("test_unpaired", f"{(number + 1) % 5:06d}")):
            rows.append(
                columns
                | {"pair_id": pair_id(item, garment), "category": category, "split": split, "person_id": item}
                | {"garment_id": garment, "garment": f"{category}/images/{garment}_1.jpg", "garment_sha256": "0" * 64}
                | {"licence": "synthetic", "status": "ok"}
            )
    bad = {"pair_id": "000009_000009", "category": category, "split": "train", "person_id": "000009"}
    rows.append(
        bad | {"garment_id": "000009", "status": "quarantined", "reason": "label map is not a complete PNG file"}
    )
    write_table(workspace.index(category), table_from_rows(rows, INDEX), INDEX)
    return workspace
