"""The base of every settings model: frozen, checked, no unknown keys."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, field_validator


class Settings(BaseModel):
    """Base of a stage's settings: immutable once loaded, an unknown key or a value of another type is an error.

    Nothing is converted: `"7"`, `true` or infinity are no numbers. A whole number may stand for a fraction.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False, validate_default=True)

    @field_validator("*", mode="before")
    @classmethod
    def _list_to_tuple(cls, value: Any) -> Any:
        """YAML has lists only, settings that cannot change have tuples."""
        return tuple(value) if isinstance(value, list) else value
