"""Names and places of the data set's files, relative to its root.

The readme bundled with the data set says that skeletons end in `_3` and that dense labels are `.jpg`; the files are
`_5.jpg` and `_5.png`, and those are the names used here.
"""

from __future__ import annotations

from pathlib import Path

from tryon.categories import Category, Split

HEIGHT, WIDTH = 1024, 768
"""Size of every image and map."""

KEYPOINT_HEIGHT, KEYPOINT_WIDTH = 512, 384
"""Frame in which key points are written: twice as small as the images."""

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
"""Side file in the root, known on the twin only: what each garment is."""

GARMENT_ATTRIBUTES = ("worn", "sleeve", "neckline", "pattern")
ATTRIBUTE_COLUMNS = ("category", "garment_id", *GARMENT_ATTRIBUTES)

PEOPLE_FILE = "people.csv"
"""Side file in the root, known on the twin only: how each person stands, and how hard the image is."""

PEOPLE_COLUMNS = ("category", "person_id", "arm_pose", "level")

PARSER_ERRORS_FILE = "parser_errors.csv"
"""Side file in the root, of a twin whose label maps have the errors of real parsers: what is wrong in which box."""

PARSER_ERROR_COLUMNS = ("category", "person_id", "kind", "left", "top", "width", "height")

SYNTHETIC_MARKER = "synthetic.txt"
"""File in the root by which the twin is told from photographs, wherever it is taken; it says which twin it is."""

TRUTH_MARKER = "synthetic.truth.txt"
"""The same lines with the twin's truth: by them the truth of another twin is found out."""

KNOWN_BAD_LABEL_MAPS = {Category.UPPER_BODY: ("010560",), Category.LOWER_BODY: ("018112",)}
"""People whose label maps are known to be wrong in the official release."""


def relative_path(role: str, category: Category, item: str) -> Path:
    """Path of one file under the root.

    Args:
        role: person, garment, label_map, dense_pose, keypoints, skeleton, uv, truth, truth_label_map, flow or
            clean_label_map (the true one where `label_map` has a parser's errors).
        category: the folder.
        item: the id ("048392"); for the two truth roles and flow the pair id ("048392_048393").
    """
    folder, ending = _FILES[role]
    return Path(category) / folder / f"{item}{ending}"


def pair_list_name(split: Split) -> str:
    """File name of a pair list: in each category's folder with two columns, in the root with three."""
    return "train_pairs.txt" if split is Split.TRAIN else f"test_pairs_{split.removeprefix('test_')}.txt"


def pair_list_path(split: Split, category: Category | None = None) -> Path:
    """Path of a category's pair list, or of the root's when `category` is None."""
    return Path(category or "") / pair_list_name(split)


def pair_id(person_id: str, garment_id: str) -> str:
    """Name of a pair everywhere: `<person>_<garment>`."""
    return f"{person_id}_{garment_id}"
