"""Interface of a layout: the files of a person and a garment, and the format of pair lists."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tryon.categories import Split
from tryon.dresscode.layout import pair_list_name
from tryon.dresscode.readers import Size

Files = dict[str, bytes]
"""Content of files by path below the category's folder."""


class Person(NamedTuple):
    """One person: `photo` is the JPEG file, `mask` bool (H, W) of the manifest's size, True = masked, `dense_pose` the
    PNG file with DensePose ids, None if it does not exist or the layout does not contain it."""

    person_id: str
    split: Split
    photo: bytes
    mask: NDArray[np.bool_]
    dense_pose: bytes | None


class Garment(NamedTuple):
    """One garment: `photo` is the JPEG file, `size` the manifest's."""

    garment_id: str
    split: Split
    photo: bytes
    size: Size


class Layout(ABC):
    """A folder layout with one folder per category; methods are pure functions from bytes to bytes."""

    extra_roles: ClassVar[tuple[str, ...]]
    """Raw files needed in addition to the person's photo: of "garment" and "dense_pose"."""

    lists: ClassVar[Mapping[Split, tuple[str, ...]]] = {split: (pair_list_name(split),) for split in Split}
    """File names of the pair lists by split."""

    one_id_for_own_garment: ClassVar[bool] = False
    """Whether a person and the garment in the person image must have the same id."""

    note: ClassVar[str]
    """For README.txt: the files, the codebases that read them, and what is missing."""

    def subfolder(self, split: Split) -> str:
        """Return the folder of a split below the category; a person is written once in each."""
        return ""

    @abstractmethod
    def person_files(self, person: Person, size: Size | None) -> Files:
        """Make the files of one person, at `size` (height, width) or the layout's default."""

    def garment_files(self, garment: Garment, size: Size | None) -> Files:
        """Make the files of one garment."""
        return {}

    @abstractmethod
    def pair_line(self, person_id: str, garment_id: str) -> str:
        """Format a line of a pair list, with its line end."""
