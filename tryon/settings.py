"""The base of every settings model: frozen, checked, no unknown keys."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Settings(BaseModel):
    """Base of a stage's settings: immutable once loaded, an unknown key or a value of another type is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=False, validate_default=True)
