"""All recipes side by side: what each would do to the same people, a sample that depends on their names alone."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from tryon.agnostic.masks.audit import NUMBERS
from tryon.agnostic.masks.methods import METHODS
from tryon.agnostic.process_person import MaskJob, PersonFiles, process_batch
from tryon.config.agnostic import AgnosticSettings
from tryon.manifest.schemas import LEAK_THRESHOLD
from tryon.runtime.atomic_files import sha256_bytes

PEOPLE = 200
"""People per category that every recipe is tried on."""

ALL = "all"
_DECIMALS = 6

Row = dict[str, Any]


def hash_sample(person_ids: Iterable[str], count: int) -> list[str]:
    """Up to `count` people by a hash of their names: a sample that nothing else moves."""
    return sorted(person_ids, key=lambda name: sha256_bytes(f"comparison:{name}".encode()))[:count]


def compare_methods(people: Sequence[PersonFiles], own: Mapping[str, Row], making: MaskJob) -> list[Row]:
    """Try the other recipes on some people.

    Args:
        people: the sample; those whose files do not decode are left out.
        own: the audit of the chosen recipe by person, and `worn`.
        making: with the chosen recipe.

    Returns:
        For each recipe, the chosen one first, and each type of worn garment, all together first: the number of people,
        the means of the audit (None where nothing is known) and the share of `leaking` ones.
    """
    known = [person for person in people if own[person.person_id]["mask_fraction"] is not None]
    told = {making.settings.method: [own[person.person_id] for person in known]}
    for recipe in METHODS:
        if recipe not in told:
            other = replace(making, settings=AgnosticSettings.model_validate({"method": recipe}))
            told[recipe] = process_batch(known, other)
    worn = [own[person.person_id]["worn"] for person in known]
    kinds = [ALL, *sorted(set(worn))] if len(set(worn)) > 1 else [ALL]
    return [
        _means(recipe, kind, [row for row, own in zip(rows, worn, strict=True) if kind in (ALL, own)])
        for recipe, rows in told.items()
        for kind in kinds
    ]


def as_text(rows: Sequence[Row]) -> str:
    """The comparison as it lies in a manifest's metadata."""
    return json.dumps(rows)


def _means(recipe: str, worn: str, rows: Sequence[Row]) -> Row:
    leaks = [row["leak_fraction"] for row in rows if row["leak_fraction"] is not None]
    means = {name: _mean([row[name] for row in rows if row[name] is not None]) for name in NUMBERS}
    leaking = _mean([float(leak > LEAK_THRESHOLD) for leak in leaks])
    return {"method": recipe, "worn": worn, "people": len(rows), **means, "leaking": leaking}


def _mean(values: Sequence[float]) -> float | None:
    return round(float(np.mean(values, dtype=np.float64)), _DECIMALS) if len(values) else None
