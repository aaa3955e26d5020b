"""Settings of an export."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tryon.dresscode.readers import Size
from tryon.export import Format
from tryon.export.layouts import LAYOUTS
from tryon.export.layouts.layout import Layout
from tryon.workspace import Workspace


@dataclass(frozen=True)
class ExportRequest:
    """Settings shared by all categories of an export; `size` is None for the layout's default."""

    format: Format
    size: Size | None
    out: Path
    workspace: Workspace

    @property
    def layout(self) -> Layout:
        """The layout of `format`."""
        return LAYOUTS[self.format]

    @property
    def garments(self) -> bool:
        """Whether the layout contains garments."""
        return "garment" in self.layout.extra_roles

    @property
    def dense(self) -> bool:
        """Whether the layout contains DensePose, for which the index is read as well."""
        return "dense_pose" in self.layout.extra_roles
