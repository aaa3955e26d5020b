"""A mirror exchanges left and right."""

from __future__ import annotations

import numpy as np
import pytest

from tryon.dresscode.labels import Joint
from tryon.dresscode.pose import COLORS, draw_pose
from tryon.loading.augmentations import mirror_keypoints


@pytest.fixture
def keypoints() -> np.ndarray:
    random = np.random.default_rng(3)
    points = np.column_stack([random.integers(8, 40, 18), random.integers(8, 56, 18), np.ones(18)])
    points[Joint.LEFT_KNEE] = (-1, -1, 0)
    return points.astype(np.float32)


def test_mirroring_twice_changes_nothing(keypoints: np.ndarray) -> None:
    assert np.array_equal(mirror_keypoints(mirror_keypoints(keypoints, 48), 48), keypoints)


def test_the_right_wrist_becomes_the_left_one(keypoints: np.ndarray) -> None:
    mirrored = mirror_keypoints(keypoints, 48)
    x, y, score = keypoints[Joint.RIGHT_WRIST]
    assert mirrored[Joint.LEFT_WRIST].tolist() == [47 - x, y, score]
    assert mirrored[Joint.NOSE].tolist() == [47 - keypoints[Joint.NOSE, 0], keypoints[Joint.NOSE, 1], 1]


def test_a_missing_joint_stays_missing_on_the_other_side(keypoints: np.ndarray) -> None:
    mirrored = mirror_keypoints(keypoints, 48)
    assert mirrored[Joint.RIGHT_KNEE].tolist() == [-1, -1, 0]
    assert mirrored[Joint.LEFT_KNEE, 2] == 1


def test_the_drawn_pose_is_mirrored_with_the_colors_exchanged() -> None:
    keypoints = np.zeros((18, 3), np.float32)
    keypoints[Joint.RIGHT_WRIST] = (10, 30, 1)
    pose = draw_pose(mirror_keypoints(keypoints, 48), (64, 48))
    assert tuple(pose[30, 37]) == COLORS[Joint.LEFT_WRIST]
    assert not pose[30, 10].any()
