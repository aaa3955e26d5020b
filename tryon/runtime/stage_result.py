"""The result of a stage, printed on the terminal and published as Prefect artifacts."""

from __future__ import annotations

from dataclasses import dataclass, field

Cell = str | int | float | None


@dataclass(frozen=True)
class StageResult:
    """Result of a stage.

    Args:
        stage: name of the stage, with its category if it has one ("agnostic@dresses").
        summary: one sentence.
        table: rows with equal keys.
        images: encoded JPEG or PNG by name, each under 300 kB.
    """

    stage: str
    summary: str
    table: tuple[dict[str, Cell], ...] = ()
    images: dict[str, bytes] = field(default_factory=dict)
