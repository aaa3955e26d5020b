"""Export masks and agnostic images as files, in folder layouts that other try-on codebases read."""

from __future__ import annotations

from enum import StrEnum


class Format(StrEnum):
    """A layout to export in; `tryon.export.layouts` has one module for each."""

    MASKS = "masks"
    CATVTON = "catvton"
    VITON_HD = "viton-hd"
