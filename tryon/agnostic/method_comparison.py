"""Compare all mask methods on the same sample of people."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from tryon.agnostic.masks.audit import NUMBERS
from tryon.agnostic.masks.methods import METHODS
from tryon.agnostic.process_person import MaskJob, PersonFiles, process_batch
from tryon.config.agnostic import AgnosticSettings
from tryon.manifest.schemas import LEAK_THRESHOLD

PEOPLE = 200
"""People per category in the sample."""

SAMPLE_KEY = "comparison"
"""Key of `hash_sample`, by person id, so that the sample depends on the ids alone."""

ALL = "all"
_DECIMALS = 6

Row = dict[str, Any]


def compare_methods(people: Sequence[PersonFiles], audits: Mapping[str, Row], job: MaskJob) -> list[Row]:
    """Apply the other methods to a sample of people.

    Args:
        people: the sample; people whose files do not decode are skipped.
        audits: of the selected method by person, with `worn`.

    Returns:
        For each method, the selected one first, and each garment type, all together first: the number of people, the
        means of the metrics (None where unknown) and the fraction of `leaking` people.
    """
    decoded = [person for person in people if audits[person.person_id]["mask_fraction"] is not None]
    results = {job.settings.method: [audits[person.person_id] for person in decoded]}
    for method in METHODS:
        if method not in results:
            settings = AgnosticSettings.model_validate({"method": method})
            results[method] = process_batch(decoded, replace(job, settings=settings))
    worn = [audits[person.person_id]["worn"] for person in decoded]
    groups = [ALL, *sorted(set(worn))] if len(set(worn)) > 1 else [ALL]
    return [
        _mean_row(method, group, [row for row, row_worn in zip(rows, worn, strict=True) if group in (ALL, row_worn)])
        for method, rows in results.items()
        for group in groups
    ]


def as_text(rows: Sequence[Row]) -> str:
    """Encode the comparison for a manifest's metadata."""
    return json.dumps(rows)


def _mean_row(method: str, worn: str, rows: Sequence[Row]) -> Row:
    leaks = [row["leak_fraction"] for row in rows if row["leak_fraction"] is not None]
    means = {name: _mean([row[name] for row in rows if row[name] is not None]) for name in NUMBERS}
    leaking = _mean([float(leak > LEAK_THRESHOLD) for leak in leaks])
    return {"method": method, "worn": worn, "people": len(rows), **means, "leaking": leaking}


def _mean(values: Sequence[float]) -> float | None:
    return round(float(np.mean(values, dtype=np.float64)), _DECIMALS) if len(values) else None
