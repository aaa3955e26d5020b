"""What an export is asked for."""

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
    """What all categories of an export have in common; can be pickled.

    Args:
        format: the layout.
        size: height and width, None for the layout's own choice.
        out: the folder of the export.
        workspace: where manifests and raw files lie.
    """

    format: Format
    size: Size | None
    out: Path
    workspace: Workspace

    @property
    def layout(self) -> Layout:
        """The layout itself."""
        return LAYOUTS[self.format]

    @property
    def garments(self) -> bool:
        """Whether the layout has garments."""
        return "garment" in self.layout.extra_roles

    @property
    def dense(self) -> bool:
        """Whether the layout shows DensePose, so that the index is read as well."""
        return "dense_pose" in self.layout.extra_roles
