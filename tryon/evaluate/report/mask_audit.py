"""What the masks hide and what they leave visible: the audit of the manifests, and the images beside them."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tryon.categories import Category
from tryon.manifest import MANIFEST, MASK_PREVIEWS, read_metadata, read_table
from tryon.manifest.schemas import COMPARISON, LEAK_THRESHOLD, STATUS_OK
from tryon.workspace import Workspace

NUMBERS = ("mask_fraction", "leak_fraction", "leaking", "protected_fraction", "outline_similarity")
"""What is told of the masks of a category and of each recipe, as keys of `metrics.json`."""

MOST_IMAGES = 4
"""People of a category in the report, of the worst and of the typical ones each."""

_DECIMALS = 6


@dataclass(frozen=True)
class MaskImage:
    """One person's mask as the report shows it: why it is there, who, what is worn, the audit, the image."""

    why: str
    person_id: str
    worn: str
    numbers: dict[str, float | None]
    uri: str


def mask_audit(workspace: Workspace) -> dict[str, dict[str, Any]]:
    """By category whose manifest is here: counts, means in 0..1 (None where nothing is known), and the recipes.

    `recipes` maps recipe and type of worn garment to the same numbers over a sample of people, the same for every
    recipe.
    """
    here = [category for category in Category if workspace.manifest(category).is_file()]
    return {str(category): _audit(workspace, category) for category in here}


def mask_images(workspace: Workspace) -> dict[str, list[MaskImage]]:
    """By category: the worst masks and some typical ones, where the agnostic stage left images of them."""
    paths = {category: workspace.mask_images(category) for category in Category}
    return {str(category): _images(workspace, category) for category, path in paths.items() if path.is_file()}


def _audit(workspace: Workspace, category: Category) -> dict[str, Any]:
    columns = ["status", *(name for name in NUMBERS if name != "leaking")]
    table = read_table(workspace.manifest(category), MANIFEST, columns, made_by=f"tryon agnostic {category}")
    good = table.filter(np.array([status == STATUS_OK for status in table.column("status").to_pylist()], np.bool_))
    known = {name: _known(good.column(name).to_pylist()) for name in columns[1:]}
    known["leaking"] = (known["leak_fraction"] > LEAK_THRESHOLD).astype(np.float64)
    return {
        "rows": table.num_rows,
        "set_aside": table.num_rows - good.num_rows,
        **{name: _mean(known[name]) for name in NUMBERS},
        "recipes": _recipes(workspace, category),
    }


def _recipes(workspace: Workspace, category: Category) -> dict[str, dict[str, Any]]:
    told: dict[str, dict[str, Any]] = {}
    for row in json.loads(read_metadata(workspace.manifest(category)).get(COMPARISON, "[]")):
        own = {"people": row["people"], **{name: row[name] for name in NUMBERS}}
        told.setdefault(row["method"], {})[row["worn"]] = own
    return told


def _images(workspace: Workspace, category: Category) -> list[MaskImage]:
    rows = read_table(workspace.mask_images(category), MASK_PREVIEWS).to_pylist()
    shown = []
    for why in dict.fromkeys(row["why"] for row in rows):
        for row in [row for row in rows if row["why"] == why][:MOST_IMAGES]:
            uri = "data:image/webp;base64," + base64.b64encode(row["image"]).decode()
            numbers = {name: row[name] for name in NUMBERS if name != "leaking"}
            shown.append(MaskImage(why, row["person_id"], row["worn"], numbers, uri))
    return shown


def _known(values: list[float | None]) -> NDArray[np.float64]:
    return np.array([value for value in values if value is not None], np.float64)


def _mean(values: NDArray[np.float64]) -> float | None:
    return round(float(values.mean()), _DECIMALS) if len(values) else None
