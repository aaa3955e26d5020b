"""Settings of the agnostic stage."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from tryon.settings import Settings


class AgnosticSettings(Settings):
    """How the garment to be replaced is hidden."""

    recipe: Literal["fitting-room"] = Field("fitting-room", description="The mask recipe.")
