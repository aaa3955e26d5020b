"""Base class of all settings models."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, field_validator


class Settings(BaseModel):
    """Base of all settings: immutable, with unknown keys and values of other types rejected.

    Nothing is converted: `"7"`, `true` and infinity are not numbers. An integer is accepted as a float.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False, validate_default=True)

    @field_validator("*", mode="before")
    @classmethod
    def _list_to_tuple(cls, value: Any) -> Any:
        """Convert YAML lists to tuples, which are immutable."""
        return tuple(value) if isinstance(value, list) else value
