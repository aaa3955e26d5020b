"""What the masks hide and what they leave visible, from the audit columns of the manifests."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tryon.categories import Category
from tryon.manifest import MANIFEST, read_table
from tryon.workspace import Workspace

COLUMNS = ["status", "mask_fraction", "leak_fraction", "protected_fraction"]

LEAKY = 0.01
"""A row counts as leaking when more than this share of its garment stays visible."""


def mask_audit(workspace: Workspace) -> list[dict[str, Any]]:
    """One row per category whose manifest is here: counts, and means in 0..1 (None where nothing is known)."""
    return [_audit(workspace, category) for category in Category if workspace.manifest(category).is_file()]


def _audit(workspace: Workspace, category: Category) -> dict[str, Any]:
    table = read_table(workspace.manifest(category), MANIFEST, COLUMNS, made_by=f"tryon agnostic {category}")
    good = table.filter(np.array([status == "ok" for status in table.column("status").to_pylist()], np.bool_))
    leak = _known(good.column("leak_fraction").to_pylist())
    return {
        "category": str(category),
        "rows": table.num_rows,
        "set aside": table.num_rows - good.num_rows,
        "hidden": _mean(_known(good.column("mask_fraction").to_pylist())),
        "garment left visible": _mean(leak),
        "rows that leak": _mean((leak > LEAKY).astype(np.float64)),
        "protected parts hidden": _mean(_known(good.column("protected_fraction").to_pylist())),
    }


def _known(values: list[float | None]) -> NDArray[np.float64]:
    return np.array([value for value in values if value is not None], np.float64)


def _mean(values: NDArray[np.float64]) -> float | None:
    return float(values.mean()) if len(values) else None
