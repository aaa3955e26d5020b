"""Read mask quality and example masks from the manifests, for `metrics.json` and the report."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tryon.categories import Category
from tryon.manifest import MANIFEST, MASK_PREVIEWS, read_metadata, read_table
from tryon.manifest.schemas import LEAK_THRESHOLD, METHOD_COMPARISON_KEY, STATUS_OK
from tryon.workspace import Workspace

COLUMNS = ("mask_fraction", "leak_fraction", "leaking", "protected_fraction", "outline_similarity")
"""Mask quality of a category and of each mask method, keys in `metrics.json`; means in 0..1."""

MAX_IMAGES = 4
"""Masks of a category and kind (worst, random) in the report."""


@dataclass(frozen=True)
class MaskImage:
    """A mask in the report: its kind (worst, random), person, garment type, quality, image."""

    kind: str
    person_id: str
    worn: str
    quality: dict[str, float | None]
    uri: str


def mask_audit(workspace: Workspace) -> dict[str, dict[str, Any]]:
    """Return row counts, mean quality (None if unknown) and mask methods of every category with a manifest.

    `methods` maps mask method and garment type to the mean quality over one sample of people.
    """
    return {str(each): _category_audit(workspace, each) for each in Category if workspace.manifest(each).is_file()}


def mask_images(workspace: Workspace) -> dict[str, list[MaskImage]]:
    """Return the worst and some random masks of every category, where the agnostic stage rendered them."""
    return {str(each): _category_images(workspace, each) for each in Category if workspace.mask_images(each).is_file()}


def _category_audit(workspace: Workspace, category: Category) -> dict[str, Any]:
    columns = ["status", *(name for name in COLUMNS if name != "leaking")]
    table = read_table(workspace.manifest(category), MANIFEST, columns, made_by=f"tryon agnostic {category}")
    usable = table.filter(np.array([status == STATUS_OK for status in table.column("status").to_pylist()], np.bool_))
    values = {name: _finite(usable.column(name).to_pylist()) for name in columns[1:]}
    values["leaking"] = (values["leak_fraction"] > LEAK_THRESHOLD).astype(np.float64)
    methods: dict[str, dict[str, Any]] = {}
    for row in json.loads(read_metadata(workspace.manifest(category)).get(METHOD_COMPARISON_KEY, "[]")):
        quality = {"people": row["people"], **{name: row[name] for name in COLUMNS}}
        methods.setdefault(row["method"], {})[row["worn"]] = quality
    return {
        "rows": table.num_rows,
        "quarantined": table.num_rows - usable.num_rows,
        **{name: round(float(values[name].mean()), 6) if len(values[name]) else None for name in COLUMNS},
        "methods": methods,
    }


def _category_images(workspace: Workspace, category: Category) -> list[MaskImage]:
    rows = read_table(workspace.mask_images(category), MASK_PREVIEWS).to_pylist()
    images = []
    for kind in dict.fromkeys(row["why"] for row in rows):
        for row in [row for row in rows if row["why"] == kind][:MAX_IMAGES]:
            uri = "data:image/webp;base64," + base64.b64encode(row["image"]).decode()
            quality = {name: row[name] for name in COLUMNS if name != "leaking"}
            images.append(MaskImage(kind, row["person_id"], row["worn"], quality, uri))
    return images


def _finite(values: list[float | None]) -> NDArray[np.float64]:
    return np.array([value for value in values if value is not None], np.float64)
