"""What a stage returns: a few facts that a terminal prints and Prefect shows as artifacts."""

from __future__ import annotations

from dataclasses import dataclass, field

Cell = str | int | float | None


@dataclass(frozen=True)
class StageResult:
    """Result of a stage for people to read.

    Args:
        stage: the stage's name, with its category where it has one ("agnostic@dresses").
        summary: one sentence.
        table: rows of equal keys, small enough to show whole.
        images: name to encoded JPEG or PNG, each under 300 kB.
    """

    stage: str
    summary: str
    table: tuple[dict[str, Cell], ...] = ()
    images: dict[str, bytes] = field(default_factory=dict)
