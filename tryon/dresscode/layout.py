"""Paths of the data set's files, relative to its root.

The data set's readme names skeletons `_3` and dense labels `.jpg`; its files, and this code, use `_5.jpg` and `_5.png`.
"""

from __future__ import annotations

from pathlib import Path

from tryon.categories import Category, Split

HEIGHT, WIDTH = 1024, 768
"""Size of every image and map."""

KEYPOINT_HEIGHT, KEYPOINT_WIDTH = 512, 384
"""Frame of the key points: half the images' size."""

_FILES = {
    "person": ("images", "_0.jpg"),
    "garment": ("images", "_1.jpg"),
    "keypoints": ("keypoints", "_2.json"),
    "label_map": ("label_maps", "_4.png"),
    "skeleton": ("skeletons", "_5.jpg"),
    "dense_pose": ("dense", "_5.png"),
    "uv": ("dense", "_5_uv.npz"),
    "truth": ("truth", ".jpg"),
    "truth_label_map": ("truth", ".png"),
    "flow": ("flow", ".png"),
    "clean_label_map": ("truth_labels", ".png"),
}

ATTRIBUTES_FILE = "attributes.csv"
"""Side file in the root of the synthetic data set: attributes of each garment."""

GARMENT_ATTRIBUTES = ("worn", "sleeve", "neckline", "pattern")
ATTRIBUTE_COLUMNS = ("category", "garment_id", *GARMENT_ATTRIBUTES)

PEOPLE_FILE = "people.csv"
"""Side file in the root of the synthetic data set: pose and difficulty of each person image."""

PEOPLE_COLUMNS = ("category", "person_id", "arm_pose", "level")

PARSING_NOISE_FILE = "parser_errors.csv"
"""Side file in the root of a synthetic data set with parsing noise: kind and bounding box of every error."""

PARSING_NOISE_COLUMNS = ("category", "person_id", "kind", "left", "top", "width", "height")

SYNTHETIC_MARKER = "synthetic.txt"
"""File in the root that marks the synthetic data set; its lines identify seed, settings and code."""

TRUTH_MARKER = "synthetic.truth.txt"
"""The same lines in the ground truth archive, which must match those of the data set."""

KNOWN_BAD_LABEL_MAPS = {Category.UPPER_BODY: ("010560",), Category.LOWER_BODY: ("018112",)}
"""People with wrong label maps in the official release."""


def relative_path(role: str, category: Category, item: str) -> Path:
    """Return the path of one file relative to the root.

    Args:
        role: person, garment, label_map, dense_pose, keypoints, skeleton, uv, truth, truth_label_map, flow or
            clean_label_map (the ground truth where `label_map` has parsing noise).
        item: person or garment id ("048392"); pair id ("048392_048393") for truth, truth_label_map and flow.
    """
    folder, ending = _FILES[role]
    return Path(category) / folder / f"{item}{ending}"


def pair_list_name(split: Split) -> str:
    """Return the file name of a pair list, the same in the root and in each category's folder."""
    return "train_pairs.txt" if split is Split.TRAIN else f"test_pairs_{split.removeprefix('test_')}.txt"


def pair_list_path(split: Split, category: Category | None = None) -> Path:
    """Return the path of a category's pair list, or of the root's when `category` is None."""
    return Path(category or "") / pair_list_name(split)


def pair_id(person_id: str, garment_id: str) -> str:
    """Return the id of a pair, `<person>_<garment>`."""
    return f"{person_id}_{garment_id}"
