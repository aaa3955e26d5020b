"""The true pictures that results are compared with: of the workspace's test rows, or of a frozen twin."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

import numpy as np
from PIL import Image

from tryon.categories import Category, Setting
from tryon.download.raw import read_checked
from tryon.dresscode.readers import Size, decode_photo
from tryon.loading.rows import PackedRows
from tryon.manifest import INDEX, read_table
from tryon.progress import Progress
from tryon.scoring.folder import Line
from tryon.scoring.protocols.protocol import Picture
from tryon.scoring.twin import drawn_pairs, twin_pairs
from tryon.workspace import Workspace

Role = Literal["person", "truth"]
"""`person` is the photo of the pair's person; `truth` that person really wearing the garment of an unpaired pair."""

SETTINGS = {"paired": Setting.TEST_PAIRED, "unpaired": Setting.TEST_UNPAIRED}

TWIN_SIZE = (512, 384)
"""Size at which the twin's own pictures are packed for our protocol."""


@dataclass(frozen=True)
class References:
    """True pictures by pair.

    Args:
        name: of the data set, as on the command line.
        lines: of the test list, category by category.
        native: height and width at which test rows are packed.
        packed: reads a picture at a size as the sample stage would pack it.
        original: reads a picture as the data set has it.
        true_pairs: pair ids of which there is a picture with the role that pairs are compared with.

    Both readers raise MissingInputError where the picture is absent or has changed.
    """

    name: str
    lines: tuple[Line, ...]
    native: Size
    packed: Callable[[Line, Role, Size], Picture]
    original: Callable[[Line, Role], Picture]
    true_pairs: frozenset[str]


def workspace_references(workspace: Workspace, setting: str) -> References:
    """The packed test rows of a workspace, and the files of `data/raw` behind them.

    Raises:
        MissingInputError: there are no test rows.
    """
    own = _Rows(workspace, SETTINGS[setting])
    true = own.lines if setting == "paired" else [line for line in own.lines if own.has_truth(line)]
    return References(
        "workspace",
        tuple(sorted(own.lines, key=_order)),
        own.rows.size,
        own.packed,
        own.original,
        frozenset(line.pair_id for line in true),
    )


class _Rows:
    """Packed rows, and the index rows that they were made of, by pair id."""

    def __init__(self, workspace: Workspace, setting: Setting) -> None:
        self.workspace, self.setting = workspace, setting
        columns = ("pair_id", "category", "person_id", "person", "truth", "height", "width")
        self.rows = PackedRows.read(workspace.subset(setting), columns)
        self.rows.require_rows()
        table = self.rows.table.select(["pair_id", "category", "person_id"]).to_pylist()
        self.lines = [Line(row["pair_id"], Category(row["category"]), row["person_id"]) for row in table]
        self._position = {line.pair_id: number for number, line in enumerate(self.lines)}

    def has_truth(self, line: Line) -> bool:
        return self.rows.has("truth", self._position[line.pair_id])

    def packed(self, line: Line, role: Role, size: Size) -> Picture:
        if size == self.rows.size:
            return self.rows.picture(role, self._position[line.pair_id])
        return decode_photo(self._raw(line, role), size)

    def original(self, line: Line, role: Role) -> Picture:
        return _decoded(self._raw(line, role))

    def _raw(self, line: Line, role: Role) -> bytes:
        path, sha256 = self._files[line.category][line.pair_id, role]
        return read_checked(self.workspace, path, sha256)

    @cached_property
    def _files(self) -> dict[Category, dict[tuple[str, str], tuple[str, str]]]:
        columns = ["setting", "pair_id", "person", "person_sha256", "truth", "truth_sha256"]
        found: dict[Category, dict[tuple[str, str], tuple[str, str]]] = {}
        for category in dict.fromkeys(line.category for line in self.lines):
            table = read_table(self.workspace.index(category), INDEX, columns, made_by="tryon download").to_pylist()
            found[category] = {
                (row["pair_id"], role): (row[role], row[f"{role}_sha256"])
                for row in table
                if row["setting"] == self.setting
                for role in ("person", "truth")
            }
        return found


def twin_references(
    name: str, setting: str, categories: Sequence[Category], cache: Path, progress: Progress
) -> References:
    """A frozen version of the twin, drawn into `cache`; its unpaired pairs have a true picture each.

    Args:
        name: of the version.
        setting: paired or unpaired.
        categories: whose pictures are drawn; the lines are those of all.
        cache: keeps the pictures.
        progress: told pictures.

    Raises:
        SourceError: what is drawn here is not the frozen version.
    """
    lines: list[Line] = []
    paths: dict[tuple[str, str], Path] = {}
    for category in Category:
        pairs = twin_pairs(name, category, SETTINGS[setting], cache)
        lines += [Line(pair.path.stem, category, pair.person_id) for pair in pairs]
        if category in categories:
            people = drawn_pairs(name, category, Setting.TEST_PAIRED, cache, progress)
            photos = {pair.person_id: pair.path for pair in people}
            for pair in drawn_pairs(name, category, SETTINGS[setting], cache, progress):
                paths[pair.path.stem, "person"], paths[pair.path.stem, "truth"] = photos[pair.person_id], pair.path
    return References(
        name,
        tuple(sorted(lines, key=_order)),
        TWIN_SIZE,
        lambda line, role, size: decode_photo(paths[line.pair_id, role].read_bytes(), size),
        lambda line, role: _decoded(paths[line.pair_id, role].read_bytes()),
        frozenset(line.pair_id for line in lines),
    )


def _order(line: Line) -> tuple[int, str]:
    return line.category.list_code, line.pair_id


def _decoded(data: bytes) -> Picture:
    """A photo as other systems' evaluation reads it, by Pillow."""
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))
