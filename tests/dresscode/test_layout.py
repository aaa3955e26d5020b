from __future__ import annotations

from tryon.categories import Category, Split
from tryon.dresscode.layout import pair_id, pair_list_path, relative_path


def test_paths_are_those_of_the_data_set() -> None:
    paths = {
        role: relative_path(role, Category.DRESSES, "048392").as_posix()
        for role in ("person", "garment", "keypoints", "label_map", "skeleton", "dense_pose", "uv")
    }
    assert paths == {
        "person": "dresses/images/048392_0.jpg",
        "garment": "dresses/images/048392_1.jpg",
        "keypoints": "dresses/keypoints/048392_2.json",
        "label_map": "dresses/label_maps/048392_4.png",
        "skeleton": "dresses/skeletons/048392_5.jpg",  # its readme says _3
        "dense_pose": "dresses/dense/048392_5.png",  # its readme says .jpg
        "uv": "dresses/dense/048392_5_uv.npz",
    }
    name = pair_id("048392", "048393")
    assert relative_path("truth", Category.DRESSES, name).as_posix() == "dresses/truth/048392_048393.jpg"
    assert relative_path("truth_label_map", Category.DRESSES, name).as_posix() == "dresses/truth/048392_048393.png"


def test_pair_list_paths_in_category_and_root() -> None:
    names = ["train_pairs.txt", "test_pairs_paired.txt", "test_pairs_unpaired.txt"]
    assert [pair_list_path(split).as_posix() for split in Split] == names
    assert [pair_list_path(split, Category.UPPER_BODY).as_posix() for split in Split] == [
        f"upper_body/{name}" for name in names
    ]


def test_category_codes_of_the_third_column() -> None:
    assert {category.value: category.list_code for category in Category} == {
        "upper_body": 0,
        "lower_body": 1,
        "dresses": 2,
    }
